#include "store/package/fsck.h"

#include <inttypes.h>

#include "admin/command.h"
#include "admin/output.h"
#include "config/settings.h"
#include "store/blob/store_identity.h"

enum { DEEP, REPAIR };

static const struct option_def options[] = {
	[DEEP] = { "deep", 0, NULL, false },
	[REPAIR] = { "repair", 0, NULL, false },
};

static const char *const keys[] = { "problem", "repaired", "subject", "detail" };

enum { NKEYS = sizeof(keys) / sizeof(*keys) };

/* What is printed while it goes on. */
struct printing {
	struct arena *arena;
	bool json;
	size_t widths[NKEYS];
};

static void
say(void *arg, const struct fsck_problem *problem)
{
	struct printing *p = arg;
	struct output out = { p->arena, p->json, keys, NKEYS };
	const struct cell row[NKEYS] = { cell_str(fsck_kind_names[problem->kind]),
		cell_bool(problem->repaired), cell_str(problem->subject), cell_str(problem->detail) };

	if (p->json)
		output_row(&out, row);
	else
		output_table_part(&out, row, 1, p->widths);
}

static int
run(struct invocation *in)
{
	struct arena *a = arena_new();
	struct printing printing = { .arena = a, .json = in->json };
	struct fsck_progress progress = { 0 };
	struct fsck f = { .db = in->db, .deep = in->options.values[DEEP] != NULL,
		.repair = in->options.values[REPAIR] != NULL, .actor = in->actor,
		.say = say, .arg = &printing };
	struct store_identity identity = { 0 };
	int rc;

	if (in->settings == NULL) {
		rc = err_set(&in->err, 400, "-c FILE is missing: the configuration names the store");
	} else {
		f.store = in->settings->store;
		rc = store_identity_check(in->db, in->arena, &identity, f.store, false, &in->err);
	}
	while (rc == 0 && progress.step != FSCK_DONE) {
		rc = fsck_go_on(&f, a, &progress, &in->err);
		arena_reset(a);
	}
	if (rc == 0)
		rc = fsck_note(in->db, a, f.problems - f.repaired, &in->err);
	arena_free(a);
	if (rc == 0 && f.problems > f.repaired)
		return err_set(&in->err, 409,
		    "%" PRId64 " problems in %" PRId64 " crates and %" PRId64 " blobs, %" PRId64
		    " of them repaired", f.problems, f.crates, f.blobs, f.repaired);
	return rc;
}

static const struct command commands[] = {
	{ NULL, "[--deep] [--repair]",
	    "Checks whether database, index files and store agree, and lists the differences.\n"
	    "--deep reads every blob; --repair rebuilds wrong index files, puts missing blobs\n"
	    "back from the store's trash, and changes nothing else.",
	    COMMAND_OPTIONS(options), 0, 0, run },
};

const struct noun admin_fsck = { "fsck", COMMAND_LIST(commands) };
