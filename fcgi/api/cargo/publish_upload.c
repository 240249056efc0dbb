#include "api/cargo/publish_upload.h"

#include "crate/crate_name.h"
#include "crate/metadata.h"

enum {
	PIECE = 64 * 1024,
	AHEAD_MAX = 256 * 1024 /* bytes of a crate: to write so many takes about as long as a round trip */
};

/* Reads the next bytes of the body, unless some are left.  *end: the body has ended. */
static int
read_piece(struct request *rq, struct upload *upload, bool *end)
{
	size_t got = 0;

	*end = false;
	if (upload->rest.n > 0)
		return 0;
	if (request_body_read(rq, upload->piece, PIECE, &got) == -1)
		return -1;
	upload->rest = slice_of(upload->piece, got);
	*end = got == 0;
	return 0;
}

/* Reads until the frame is in the given state, which is before the crate. */
static int
read_until(struct request *rq, struct upload *upload, enum frame_state state)
{
	struct slice none;
	bool end;

	while (upload->frame.state < state) {
		if (read_piece(rq, upload, &end) == -1)
			return -1;
		if (end)
			return frame_end(&upload->frame, &rq->err);
		if (frame_push(&upload->frame, &upload->rest, &none, &rq->err) == -1)
			return -1;
	}
	return 0;
}

int
upload_read_metadata(struct request *rq, const struct publish_policy *policy, struct upload *upload)
{
	struct frame *frame = &upload->frame;

	*upload = (struct upload) { .policy = policy, .piece = arena_alloc(rq->arena, PIECE) };
	frame_init(frame, rq->arena, policy->max_metadata_size, policy->max_crate_size);
	if (read_until(rq, upload, FRAME_CRATE_LEN) == -1 ||
	    metadata_parse(rq->arena, slice_of(frame->json, frame->json_len), &upload->metadata,
	        &rq->err) == -1 ||
	    package_check_id(rq->arena, &upload->metadata, &upload->id, &rq->err) == -1)
		return -1;
	return read_until(rq, upload, FRAME_CRATE);
}

int
upload_check_policy(struct request *rq, struct upload *upload)
{
	const struct publish_policy *policy = upload->policy;
	struct slice name = slice_str(upload->metadata.name);

	if (frame_check(&upload->frame, policy->max_metadata_size, policy->max_crate_size, &rq->err) == -1)
		return -1;
	if (crate_name_reserved(name) || crate_name_listed(name, policy->reserved_names))
		return err_set(&rq->err, 400, "cannot upload a crate with the reserved name `%s`",
		    upload->metadata.name);
	return 0;
}

static int
stage(struct worker_app *app, struct request *rq, struct upload *upload, struct slice crate)
{
	if (crate.n == 0)
		return 0;
	if (upload->crate == NULL &&
	    blob_stage(rq->arena, app->settings->blobs, &upload->crate, &rq->err) == -1)
		return -1;
	return blob_stage_write(upload->crate, crate, &rq->err);
}

static int
read_crate(struct worker_app *app, struct request *rq, struct upload *upload)
{
	struct slice crate;
	bool end;

	for (;;) {
		if (read_piece(rq, upload, &end) == -1)
			return -1;
		if (end)
			break;
		if (frame_push(&upload->frame, &upload->rest, &crate, &rq->err) == -1 ||
		    stage(app, rq, upload, crate) == -1)
			return -1;
	}
	if (frame_end(&upload->frame, &rq->err) == -1)
		return -1;
	if (upload->crate == NULL)
		return err_set(&rq->err, 400, "uploaded tarball is malformed");
	return 0;
}

void
upload_read_ahead(struct worker_app *app, struct request *rq, struct upload *upload)
{
	const struct err before = rq->err;

	if (upload->frame.crate_len > AHEAD_MAX || upload->failed.status != 0)
		return;
	if (read_crate(app, rq, upload) == -1)
		upload->failed = rq->err;
	rq->err = before;
}

int
upload_read_crate(struct worker_app *app, struct request *rq, struct upload *upload)
{
	if (upload->failed.status == 0)
		return read_crate(app, rq, upload);
	rq->err = upload->failed;
	return -1;
}
