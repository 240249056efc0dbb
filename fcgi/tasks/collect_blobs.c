#include "tasks/task.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/sha256.h"
#include "store/blob/blob_collect.h"
#include "store/blob/blob_trash.h"
#include "store/blob/store_mark.h"
#include "tasks/progress.h"

/*
 * A collection has steps, each over the rows, ordered by name, or over the directories.  A run that must
 * stop leaves its progress to the next one.  It counts everything before it takes anything.  It goes on
 * after a file that it cannot move, and reports the first such error when all steps are done.
 */
enum step { COUNT_ROWS, COUNT_FILES, TAKE_ROWS, TAKE_FILES, EMPTY_TRASH, DONE };

enum { DIRECTORIES = 256, HELD_RETRY_S = 6 * 3600 };

#define STUCK "%" PRId64 " files could not be removed: mend the cause, and the next run removes them; " \
	      "the first one: %s"

struct run {
	struct task_ctx *ctx;
	int64_t step; /* of enum step */
	char rows_after[2 * SHA256_SIZE + 1];
	int64_t directory; /* of 256 */
	struct blob_pass pass;
	struct blob_trash_emptied emptied;
	struct store_leave leave;
	int64_t failed;
	char first[ERR_DETAIL_SIZE]; /* what was wrong with the first of those */
};

enum { PROGRESS_VALUES = 8 };

static void
progress_values(struct run *run, struct progress_value v[static PROGRESS_VALUES])
{
	const struct progress_value values[PROGRESS_VALUES] = { { .name = "step", .number = &run->step },
		{ .name = "rows_after", .text = run->rows_after, .size = sizeof(run->rows_after) },
		{ .name = "directory", .number = &run->directory },
		{ .name = "files", .number = &run->pass.files }, { .name = "due", .number = &run->pass.due },
		{ .name = "left", .number = &run->pass.left }, { .name = "failed", .number = &run->failed },
		{ .name = "first_error", .text = run->first, .size = sizeof(run->first) } };

	memcpy(v, values, sizeof(values));
}

/* Is it an error of one file, and not of the database?  Then the task goes on. */
static bool
passes(struct run *run, struct err *err)
{
	if (err->status != 500 || db_fd(run->ctx->db) == -1)
		return false;
	if (run->failed++ == 0)
		snprintf(run->first, sizeof(run->first), "%s", err->detail);
	err_clear(err);
	return true;
}

/* Goes over one page of rows. */
static int
go_over_rows(struct run *run, struct arena *a, struct err *err)
{
	struct task_ctx *ctx = run->ctx;
	struct blob_look *looks;
	size_t n;

	if (blob_look(ctx->db, a, run->rows_after, run->pass.keep, &looks, &n, err) == -1)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (looks[i].due && blob_collect(ctx->db, a, &run->pass, looks[i].sha256, err) == -1 &&
		    !passes(run, err))
			return -1;
	}
	snprintf(run->rows_after, sizeof(run->rows_after), "%s", n > 0 ? looks[n - 1].sha256 : "");
	if (n == 0)
		run->step++;
	return 0;
}

/* Goes over one of the directories STORE/ab. */
static int
go_over_files(struct run *run, struct arena *a, struct err *err)
{
	char name[3];

	snprintf(name, sizeof(name), "%02x", (unsigned)run->directory & 0xff);
	if (blob_collect_files(run->ctx->db, a, &run->pass, name, err) == -1 && !passes(run, err))
		return -1;
	if (++run->directory == DIRECTORIES) {
		run->directory = 0;
		run->step++;
	}
	return 0;
}

/* Everything is counted.  Decides how many files may go. */
static int
judge(struct run *run, struct arena *a, struct err *err)
{
	struct task_ctx *ctx = run->ctx;
	int64_t most = store_take_max(run->pass.files), due = run->pass.due;

	run->pass.take = true;
	run->pass.left = most;
	if (due <= most)
		return store_hold(ctx->db, a, 0, 0, err);
	if (run->leave.confirmed > 0) {
		run->pass.left = run->leave.confirmed;
		return store_hold(ctx->db, a, 0, 0, err);
	}
	if (store_hold(ctx->db, a, due, run->pass.files, err) == -1)
		return -1;
	task_hold(ctx, HELD_RETRY_S);
	return err_set(err, 409, "nothing is removed: %" PRId64 " of %" PRId64 " files would go, which is more than "
	    "%d %%; find out why, and then run `berth store collect --confirm` to remove them", due,
	    run->pass.files, STORE_TAKE_PERCENT);
}

static int
empty_trash(struct run *run, struct arena *a, struct err *err)
{
	bool more = false;

	if (blob_trash_empty(run->ctx->db, a, run->pass.store, run->pass.keep, &run->emptied, &more, err) == -1 &&
	    !passes(run, err))
		return -1;
	if (!more)
		run->step = DONE;
	return 0;
}

static int
go_on(struct run *run, struct arena *a, struct err *err)
{
	switch ((enum step)run->step) {
	case COUNT_ROWS:
	case TAKE_ROWS:
		return go_over_rows(run, a, err);
	case COUNT_FILES:
		if (go_over_files(run, a, err) == -1)
			return -1;
		return run->step == TAKE_ROWS ? judge(run, a, err) : 0;
	case TAKE_FILES:
		if (run->pass.due > 0)
			return go_over_files(run, a, err);
		run->step++;
		return 0;
	case EMPTY_TRASH:
		return empty_trash(run, a, err);
	case DONE:
		break;
	}
	return 0;
}

static void
note(struct run *run)
{
	const struct blob_pass *p = &run->pass;

	if (p->rows > 0 || p->unknown > 0 || run->emptied.removed > 0)
		task_note(run->ctx, "%" PRId64 " blobs and %" PRId64 " unknown files removed, %" PRId64
		    " files of the trash", p->rows, p->unknown, run->emptied.removed);
	if (run->emptied.restored > 0)
		log_warn("%" PRId64 " blobs that versions need were in the trash; the store has them again",
		    run->emptied.restored);
}

static int
finish(struct run *run, struct err *err)
{
	note(run);
	if (run->failed == 0)
		return 0;
	if (run->ctx->again) {
		task_note(run->ctx, STUCK, run->failed, run->first);
		return 0;
	}
	task_begin_anew(run->ctx);
	return err_internal(err, 500, STUCK, run->failed, run->first);
}

int
task_collect_blobs(struct task_ctx *ctx, const struct task *task, struct err *err)
{
	const struct settings *s = ctx->settings;
	struct run run = { .ctx = ctx, .pass = { .store = s->blobs, .keep = s->keep_unused } };
	struct progress_value values[PROGRESS_VALUES];
	int rc = 0;

	progress_values(&run, values);
	if (progress_read(ctx, task, values, PROGRESS_VALUES, err) == -1 ||
	    store_mark_check(ctx->db, ctx->arena, s->blobs, s->keep_unused, task->progress == NULL, &run.leave,
	        err) == -1)
		return -1;
	if (run.leave.wait_s > 0) {
		task_note(ctx, "the database is new to this store: nothing is removed for another %" PRId64
		    " seconds", run.leave.wait_s);
		return 0;
	}
	/* another version of the program wrote it: begins anew */
	if (run.step < COUNT_ROWS || run.step > DONE)
		run.step = COUNT_ROWS;
	run.pass.take = run.step >= TAKE_ROWS;
	while (rc == 0 && run.step != DONE) {
		struct arena *a;

		if (task_must_stop(ctx)) {
			progress_again(ctx, values, PROGRESS_VALUES);
			break;
		}
		a = arena_new();
		rc = go_on(&run, a, err);
		arena_free(a);
	}
	return rc == -1 ? -1 : finish(&run, err);
}
