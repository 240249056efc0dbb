#include "api/publish_intake.h"

#include "api/limits.h"
#include "crate/crate_name.h"
#include "crate/frame.h"
#include "crate/metadata.h"
#include "crate/semver.h"

enum { PIECE = 64 * 1024 };

/* The metadata is whole: is it worth taking the crate? */
static int
read_metadata(struct worker_app *app, struct request *rq, const struct frame *frame,
    struct intake *intake)
{
	struct package *metadata = &intake->metadata;
	struct slice name;
	struct semver version;

	if (metadata_parse(rq->arena, slice_of(frame->json, frame->json_len), metadata, &rq->err) == -1)
		return -1;
	name = slice_str(metadata->name);
	if (crate_name_check(name, "crate", &rq->err) == -1)
		return -1;
	if (crate_name_reserved(name) || crate_name_listed(name, intake->policy->reserved_names))
		return err_set(&rq->err, 400, "cannot upload a crate with the reserved name `%s`",
		    metadata->name);
	if (semver_parse(slice_str(metadata->version), &version, &rq->err) == -1)
		return -1;
	/* what is wrong with the crate itself has its price: it is work for the inspector */
	return limits_charge_publish(app, rq, crate_name_normalize(rq->arena, name));
}

/* One piece of the body through the frame. */
static int
take_piece(struct worker_app *app, struct request *rq, struct frame *frame, struct slice piece,
    struct intake *intake)
{
	struct slice crate;

	while (piece.n > 0) {
		bool before = frame->state <= FRAME_JSON;

		if (frame_push(frame, &piece, &crate, &rq->err) == -1)
			return -1;
		if (before && frame->state > FRAME_JSON &&
		    read_metadata(app, rq, frame, intake) == -1)
			return -1;
		if (crate.n == 0)
			continue;
		if (intake->crate == NULL &&
		    blob_stage(rq->arena, app->settings->store, &intake->crate, &rq->err) == -1)
			return -1;
		if (blob_stage_write(intake->crate, crate, &rq->err) == -1)
			return -1;
	}
	return 0;
}

int
intake_read(struct worker_app *app, struct request *rq, const struct publish_policy *policy,
    struct intake *intake)
{
	char *piece = arena_alloc(rq->arena, PIECE);
	struct frame frame;
	size_t got;

	*intake = (struct intake) { .policy = policy };
	frame_init(&frame, rq->arena, policy->max_metadata_size, policy->max_crate_size);
	do {
		if (request_body_read(rq, piece, PIECE, &got) == -1 ||
		    take_piece(app, rq, &frame, slice_of(piece, got), intake) == -1)
			return -1;
	} while (got > 0);
	if (frame_end(&frame, &rq->err) == -1)
		return -1;
	if (intake->crate == NULL)
		return err_set(&rq->err, 400, "uploaded tarball is malformed");
	return 0;
}
