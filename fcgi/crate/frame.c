#include "crate/frame.h"

#include <inttypes.h>

#include "base/scan.h"

void
frame_init(struct frame *f, struct arena *a, uint32_t max_json, uint32_t max_crate)
{
	*f = (struct frame){
		.arena = a, .max_json = max_json, .max_crate = max_crate, .state = FRAME_JSON_LEN
	};
}

static void
enter(struct frame *f, enum frame_state state)
{
	f->state = state;
	f->have = 0;
}

/* Takes what `in` has of the current part, which is `size` bytes long. */
static struct slice
take(struct frame *f, struct slice *in, uint32_t size)
{
	uint32_t expected = size - f->have;
	struct slice piece = slice_of(in->p, in->n < expected ? in->n : expected);

	scan_skip(in, piece.n);
	f->have += (uint32_t)piece.n;
	return piece;
}

/* The pieces may be as small as a byte, so a length is collected too; true once it is whole. */
static bool
take_length(struct frame *f, struct slice *in, uint32_t *length)
{
	uint32_t at = f->have;
	struct slice piece = take(f, in, sizeof(f->len));

	if (piece.n > 0)
		memcpy(f->len + at, piece.p, piece.n);
	if (f->have < sizeof(f->len))
		return false;
	*length = (uint32_t)f->len[0] | (uint32_t)f->len[1] << 8 | (uint32_t)f->len[2] << 16 |
		  (uint32_t)f->len[3] << 24;
	return true;
}

int
frame_refuse_crate(uint32_t max_crate, struct err *err)
{
	return err_set(err, 413, "max upload size is: %" PRIu32 " bytes; `cargo package --list` shows what is in "
	    "the crate", max_crate);
}

int
frame_check(const struct frame *f, uint32_t max_json, uint32_t max_crate, struct err *err)
{
	if (f->json_len > max_json)
		return err_set(err, 413, "JSON metadata blob too large: it has %" PRIu32 " bytes, and the limit is "
		    "%" PRIu32 "; most of it is usually the README: shorten that, or ask an administrator to "
		    "raise max_metadata_size", f->json_len, max_json);
	if (f->crate_len > max_crate)
		return frame_refuse_crate(max_crate, err);
	return 0;
}

static int
push_json_len(struct frame *f, struct slice *in, struct err *err)
{
	if (!take_length(f, in, &f->json_len))
		return 0;
	if (frame_check(f, f->max_json, f->max_crate, err) == -1)
		return -1;
	f->json = arena_alloc(f->arena, (size_t)f->json_len + 1);
	enter(f, f->json_len > 0 ? FRAME_JSON : FRAME_CRATE_LEN);
	return 0;
}

static void
push_json(struct frame *f, struct slice *in)
{
	uint32_t at = f->have;
	struct slice piece = take(f, in, f->json_len);

	if (piece.n > 0)
		memcpy(f->json + at, piece.p, piece.n);
	if (f->have == f->json_len)
		enter(f, FRAME_CRATE_LEN);
}

static int
push_crate_len(struct frame *f, struct slice *in, struct err *err)
{
	if (!take_length(f, in, &f->crate_len))
		return 0;
	if (frame_check(f, f->max_json, f->max_crate, err) == -1)
		return -1;
	enter(f, f->crate_len > 0 ? FRAME_CRATE : FRAME_DONE);
	return 0;
}

int
frame_push(struct frame *f, struct slice *in, struct slice *crate, struct err *err)
{
	*crate = slice_of(in->p, 0);
	if (in->n == 0)
		return 0;
	switch (f->state) {
	case FRAME_JSON_LEN:
		return push_json_len(f, in, err);
	case FRAME_JSON:
		push_json(f, in);
		return 0;
	case FRAME_CRATE_LEN:
		return push_crate_len(f, in, err);
	case FRAME_CRATE:
		*crate = take(f, in, f->crate_len);
		if (f->have == f->crate_len)
			enter(f, FRAME_DONE);
		return 0;
	case FRAME_DONE:
		break;
	}
	return err_set(err, 400, "unexpected data after the tarball");
}

int
frame_end(const struct frame *f, struct err *err)
{
	switch (f->state) {
	case FRAME_JSON_LEN:
		return err_set(err, 400, "invalid metadata length");
	case FRAME_JSON:
		return err_set(err, 400, "invalid metadata length for remaining payload: %" PRIu32,
		    f->json_len);
	case FRAME_CRATE_LEN:
		return err_set(err, 400, "invalid tarball length");
	case FRAME_CRATE:
		return err_set(err, 400, "invalid tarball length for remaining payload: %" PRIu32,
		    f->crate_len);
	case FRAME_DONE:
		break;
	}
	return 0;
}
