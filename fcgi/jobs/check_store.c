#include "jobs/job.h"

#include <inttypes.h>

#include "base/json.h"
#include "base/log.h"
#include "store/fsck.h"

/* Problems that are logged one by one; berth fsck shows all. */
enum { LOGGED = 20 };

static void
say(void *arg, const struct fsck_problem *problem)
{
	int *said = arg;

	if (++*said <= LOGGED)
		log_error("fsck: %s: %s: %s", fsck_kind_names[problem->kind], problem->subject,
		    problem->detail);
}

static int
place_read(struct arena *a, const struct job *job, struct fsck_place *place, struct err *err)
{
	struct json_get get = { .what = "progress", .err = err };
	const char *after_blob = "";
	int64_t step;

	*place = (struct fsck_place) { 0 };
	if (job->progress == NULL)
		return 0;
	if (json_parse(a, slice_str(job->progress), "progress", &get.obj, err) == -1 ||
	    json_get_int(&get, "step", true, &step) == -1 ||
	    json_get_int(&get, "after_crate", true, &place->after_crate) == -1 ||
	    json_get_str(&get, "after_blob", true, &after_blob) == -1 ||
	    json_get_int(&get, "after_version", false, &place->after_version) == -1 ||
	    json_get_int(&get, "after_quota", false, &place->after_quota) == -1)
		return -1;
	place->step = step > FSCK_INDEXES && step <= FSCK_DONE ? (enum fsck_step)step : FSCK_INDEXES;
	snprintf(place->after_blob, sizeof(place->after_blob), "%s", after_blob);
	return 0;
}

int
job_check_store(struct job_ctx *ctx, const struct job *job, struct err *err)
{
	struct arena *a = arena_new();
	struct fsck_place place;
	int said = 0, rc = place_read(ctx->arena, job, &place, err);
	struct fsck f = { .db = ctx->db, .store = ctx->settings->store, .say = say, .arg = &said };

	while (rc == 0 && place.step != FSCK_DONE && !job_must_stop(ctx)) {
		rc = fsck_go_on(&f, a, &place, err);
		arena_reset(a);
	}
	arena_free(a);
	if (rc == -1)
		return -1;
	if (place.step != FSCK_DONE)
		job_again(ctx, arena_printf(ctx->arena,
		    "{\"step\":%d,\"after_crate\":%" PRId64 ",\"after_blob\":\"%s\",\"after_version\":%"
		    PRId64 ",\"after_quota\":%" PRId64 "}", (int)place.step, place.after_crate,
		    place.after_blob, place.after_version, place.after_quota));
	if (f.problems > 0)
		job_note(ctx, "%" PRId64 " problems: see berth fsck", f.problems);
	return 0;
}
