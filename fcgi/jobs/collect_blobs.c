#include "jobs/job.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/json.h"
#include "store/blob_collect.h"

/*
 * First the rows, in the order of their names, then the directories: where a run was to stop, its
 * progress tells the next one where to go on.  A file that cannot be removed keeps nobody from
 * the others: what went wrong first is told at the end.
 */
struct place {
	const char *rows_after; /* NULL: they are done */
	int64_t directory; /* of 256 */
	int64_t failed;
	struct err first;
};

enum { DIRECTORIES = 256 };

static int
place_read(struct arena *a, const struct job *job, struct place *place, struct err *err)
{
	struct json_get get = { .what = "progress", .err = err };

	*place = (struct place) { .rows_after = job->progress == NULL ? "" : NULL };
	if (job->progress == NULL)
		return 0;
	if (json_parse(a, slice_str(job->progress), "progress", &get.obj, err) == -1 ||
	    json_get_str(&get, "rows_after", false, &place->rows_after) == -1)
		return -1;
	return json_get_int(&get, "directory", false, &place->directory);
}

static void
place_write(struct job_ctx *ctx, const struct place *place)
{
	if (place->rows_after != NULL)
		job_again(ctx, arena_printf(ctx->arena, "{\"rows_after\":\"%s\"}", place->rows_after));
	else
		job_again(
		    ctx, arena_printf(ctx->arena, "{\"directory\":%" PRId64 "}", place->directory));
}

/* Was it the file, and not the database?  Then the next one may do. */
static bool
passes(struct job_ctx *ctx, struct place *place, struct err *err)
{
	if (err->status != 500 || db_fd(ctx->db) == -1)
		return false;
	if (place->failed++ == 0)
		place->first = *err;
	err_clear(err);
	return true;
}

/* One page of rows. */
static int
collect_rows(struct job_ctx *ctx, struct arena *a, struct place *place, int64_t *removed,
    struct err *err)
{
	const struct settings *s = ctx->settings;
	struct blob_look *looks;
	size_t n;

	if (blob_look(ctx->db, a, place->rows_after, s->keep_unused, &looks, &n, err) == -1)
		return -1;
	place->rows_after = n > 0 ? arena_strdup(ctx->arena, looks[n - 1].sha256) : NULL;
	for (size_t i = 0; i < n; i++) {
		bool gone;

		if (!looks[i].due)
			continue;
		if (blob_collect(ctx->db, a, s->store, looks[i].sha256, s->keep_unused, &gone, err) == -1 &&
		    !passes(ctx, place, err))
			return -1;
		*removed += gone;
	}
	return 0;
}

/* One of the directories at the top of the store. */
static int
collect_files(struct job_ctx *ctx, struct arena *a, struct place *place, int64_t *removed,
    struct err *err)
{
	const struct settings *s = ctx->settings;
	char name[3];
	int64_t n;

	snprintf(name, sizeof(name), "%02x", (unsigned)place->directory & 0xff);
	if (blob_collect_unknown(ctx->db, a, s->store, name, s->keep_unused, &n, err) == -1 &&
	    !passes(ctx, place, err))
		return -1;
	*removed += n;
	place->directory++;
	return 0;
}

int
job_collect_blobs(struct job_ctx *ctx, const struct job *job, struct err *err)
{
	int64_t rows = 0, files = 0;
	struct place place;
	int rc = place_read(ctx->arena, job, &place, err);

	while (rc == 0 && (place.rows_after != NULL || place.directory < DIRECTORIES)) {
		struct arena *a;

		if (job_must_stop(ctx)) {
			place_write(ctx, &place);
			break;
		}
		a = arena_new();
		rc = place.rows_after != NULL ? collect_rows(ctx, a, &place, &rows, err)
					      : collect_files(ctx, a, &place, &files, err);
		arena_free(a);
	}
	if (rows > 0 || files > 0)
		job_note(ctx, "%" PRId64 " blobs and %" PRId64 " unknown files removed", rows, files);
	if (rc == -1 || place.failed == 0)
		return rc;
	if (ctx->again) {
		job_note(ctx, "%" PRId64 " not removed: %s", place.failed, place.first.detail);
		return 0;
	}
	*err = place.first;
	return err_context(err, "%" PRId64 " in all", place.failed);
}
