#include "api/publish_intake.h"

#include "crate/crate_name.h"
#include "crate/metadata.h"

enum { PIECE = 64 * 1024 };

static int
check_id(struct arena *a, struct intake *intake, struct err *err)
{
	const struct package *metadata = &intake->metadata;
	struct slice name = slice_str(metadata->name);

	if (package_check_id(a, metadata, &intake->id, err) == -1)
		return -1;
	if (crate_name_reserved(name) || crate_name_listed(name, intake->policy->reserved_names))
		return err_set(err, 400, "cannot upload a crate with the reserved name `%s`",
		    metadata->name);
	return 0;
}

/* Reads the next bytes of the body, unless some are left.  *end: the body has ended. */
static int
read_piece(struct request *rq, struct intake *intake, bool *end)
{
	size_t got = 0;

	*end = false;
	if (intake->rest.n > 0)
		return 0;
	if (request_body_read(rq, intake->piece, PIECE, &got) == -1)
		return -1;
	intake->rest = slice_of(intake->piece, got);
	*end = got == 0;
	return 0;
}

/* Reads until the frame is in the given state, which is before the crate. */
static int
read_until(struct request *rq, struct intake *intake, enum frame_state state)
{
	struct slice none;
	bool end;

	while (intake->frame.state < state) {
		if (read_piece(rq, intake, &end) == -1)
			return -1;
		if (end)
			return frame_end(&intake->frame, &rq->err);
		if (frame_push(&intake->frame, &intake->rest, &none, &rq->err) == -1)
			return -1;
	}
	return 0;
}

int
intake_metadata(struct request *rq, const struct publish_policy *policy, struct intake *intake)
{
	struct frame *frame = &intake->frame;

	*intake = (struct intake) { .policy = policy, .piece = arena_alloc(rq->arena, PIECE) };
	frame_init(frame, rq->arena, policy->max_metadata_size, policy->max_crate_size);
	if (read_until(rq, intake, FRAME_CRATE_LEN) == -1 ||
	    metadata_parse(rq->arena, slice_of(frame->json, frame->json_len), &intake->metadata,
	        &rq->err) == -1 ||
	    check_id(rq->arena, intake, &rq->err) == -1)
		return -1;
	return read_until(rq, intake, FRAME_CRATE);
}

static int
stage(struct worker_app *app, struct request *rq, struct intake *intake, struct slice crate)
{
	if (crate.n == 0)
		return 0;
	if (intake->crate == NULL &&
	    blob_stage(rq->arena, app->settings->store, &intake->crate, &rq->err) == -1)
		return -1;
	return blob_stage_write(intake->crate, crate, &rq->err);
}

int
intake_crate(struct worker_app *app, struct request *rq, struct intake *intake)
{
	struct slice crate;
	bool end;

	for (;;) {
		if (read_piece(rq, intake, &end) == -1)
			return -1;
		if (end)
			break;
		if (frame_push(&intake->frame, &intake->rest, &crate, &rq->err) == -1 ||
		    stage(app, rq, intake, crate) == -1)
			return -1;
	}
	if (frame_end(&intake->frame, &rq->err) == -1)
		return -1;
	if (intake->crate == NULL)
		return err_set(&rq->err, 400, "uploaded tarball is malformed");
	return 0;
}
