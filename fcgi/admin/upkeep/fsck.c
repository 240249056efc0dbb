#include "store/package/fsck.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "admin/command.h"
#include "admin/output.h"
#include "config/settings.h"
#include "store/backup/backup_target.h"
#include "store/blob/store_identity.h"

enum { DEEP, FROM, REPAIR };

static const struct option_def options[] = {
	[DEEP] = { "deep", 0, NULL, false },
	[FROM] = { "from", 0, "PATH", false },
	[REPAIR] = { "repair", 0, NULL, false },
};

static const char *const keys[] = { "problem", "repaired", "subject", "detail" };

enum { NKEYS = sizeof(keys) / sizeof(*keys) };

static void
say(void *arg, const struct fsck_problem *problem)
{
	const struct cell row[NKEYS] = { cell_str(fsck_kind_names[problem->kind]),
		cell_bool(problem->repaired), cell_str(problem->subject), cell_str(problem->detail) };

	output_part(arg, row, 1);
}

/* Prints how much was checked, which a list of problems does not show. */
static void
print_summary(struct invocation *in, const struct fsck *f)
{
	static const char *const names[] = { "crates", "versions", "blobs", "unused_blobs", "bytes_read",
		"problems", "repairs" };
	struct output out = { in->arena, true, names, sizeof(names) / sizeof(*names) };

	if (in->json)
		output_row(&out, (struct cell[]){ cell_int(f->crates), cell_int(f->versions),
				     cell_int(f->blobs), cell_int(f->orphans), cell_int(f->bytes),
				     cell_int(f->problems), cell_int(f->repaired) });
	else
		printf("%" PRId64 " crates, %" PRId64 " versions and %" PRId64 " blobs (%" PRId64
		       " unused), %" PRId64 " bytes read; %" PRId64 " problem%s, %" PRId64 " repaired\n",
		    f->crates, f->versions, f->blobs, f->orphans, f->bytes, f->problems,
		    f->problems == 1 ? "" : "s", f->repaired);
}

/* If --from names a bucket, reads it by the keys backup_... of berth.conf(5). */
static int
find_source(struct invocation *in, struct fsck *f, struct backup_target *target)
{
	if (f->from == NULL || strstr(f->from, "://") == NULL)
		return 0;
	f->target = target;
	return backup_target_find(in->arena, f->from, settings_backup(in->arena, in->settings), target, &in->err);
}

static int
run(struct invocation *in)
{
	struct arena *a = arena_new();
	size_t widths[NKEYS] = { 0 };
	struct output_rows rows = { { a, in->json, keys, NKEYS }, widths };
	struct fsck_progress progress = { 0 };
	struct fsck f = { .db = in->db,
		.store = in->settings->blobs,
		.deep = in->options.values[DEEP] != NULL,
		.repair = in->options.values[REPAIR] != NULL,
		.actor = in->actor,
		.from = in->options.values[FROM],
		.arena = in->arena,
		.say = say,
		.arg = &rows };
	struct store_identity identity = { 0 };
	struct backup_target target;
	int rc;

	rc = find_source(in, &f, &target);
	if (rc == 0)
		rc = store_identity_check(in->db, in->arena, &identity, f.store, false, &in->err);
	while (rc == 0 && progress.step != FSCK_DONE) {
		rc = fsck_go_on(&f, a, &progress, &in->err);
		arena_reset(a);
	}
	if (rc == 0)
		rc = fsck_note(in->db, a, f.problems - f.repaired, &in->err);
	arena_free(a);
	if (rc == -1)
		return -1;
	print_summary(in, &f);
	return f.problems == f.repaired
		   ? 0
		   : err_set(&in->err, 409, "%" PRId64 " problem%s left",
			 f.problems - f.repaired, f.problems - f.repaired == 1 ? " is" : "s are");
}

static const struct command commands[] = {
	{ NULL, "[--deep] [--repair] [--from PATH]",
	    "Checks whether database, index files and store agree, lists the differences, and says\n"
	    "how much it has looked at.  --deep reads every blob; --repair rebuilds wrong index\n"
	    "files, and puts missing blobs back from the store's trash; --from takes missing and\n"
	    "damaged blobs from backups, another store, or files.  It changes nothing\n"
	    "else.",
	    COMMAND_OPTIONS(options), 0, 0, run },
};

const struct noun admin_fsck = { "fsck", COMMAND_LIST(commands), .named = true };
