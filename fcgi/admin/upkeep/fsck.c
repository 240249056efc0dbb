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

/* What say() gets. */
struct listing {
	struct output_rows rows;
	bool blobs_left; /* a problem with a blob is not repaired */
};

static void
say(void *arg, const struct fsck_problem *problem)
{
	struct listing *l = arg;
	bool is_blob = problem->kind == FSCK_BLOB_MISSING || problem->kind == FSCK_BLOB_SIZE ||
	    problem->kind == FSCK_BLOB_BYTES;
	const struct cell row[NKEYS] = { cell_str(fsck_kind_names[problem->kind]),
		cell_bool(problem->repaired), cell_str(problem->subject), cell_str(problem->detail) };

	l->blobs_left = l->blobs_left || (is_blob && !problem->repaired);
	output_part(&l->rows, row, 1);
}

static void
print_count(int64_t n, const char *noun, const char *end)
{
	printf("%" PRId64 " %s%s%s", n, noun, n == 1 ? "" : "s", end);
}

/* A check that is not deep reads only blobs that an earlier one has found damaged; often there is none. */
static void
print_counts(const struct fsck *f)
{
	print_count(f->crates, "crate", ", ");
	print_count(f->versions, "version", " and ");
	print_count(f->blobs, "blob", "");
	printf(" (%" PRId64 " unused)", f->orphans);
	if (f->deep || f->bytes > 0) {
		fputs(", ", stdout);
		print_count(f->bytes, "byte", " read");
	}
	fputs("; ", stdout);
	print_count(f->problems, "problem", ", ");
	printf("%" PRId64 " repaired\n", f->repaired);
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
		print_counts(f);
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

/* The next step. */
static const char find_blobs[] =
    "; `berth fsck --deep --from BACKUP` may bring back blobs, from a backup or another store";

static int
run(struct invocation *in)
{
	struct arena *a = arena_new();
	size_t widths[NKEYS] = { 0 };
	struct listing listing = { .rows = { { a, in->json, keys, NKEYS }, widths } };
	struct fsck_progress progress = { 0 };
	struct fsck f = { .db = in->db,
		.store = in->settings->blobs,
		.deep = in->options.values[DEEP] != NULL,
		.repair = in->options.values[REPAIR] != NULL,
		.actor = in->actor,
		.from = in->options.values[FROM],
		.arena = in->arena,
		.say = say,
		.arg = &listing };
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
		   : err_set(&in->err, 409, "%" PRId64 " problem%s left%s",
			 f.problems - f.repaired, f.problems - f.repaired == 1 ? " is" : "s are",
			 listing.blobs_left && f.from == NULL ? find_blobs : "");
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
