#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "crate/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_JSON = 4096, MAX_CRATE = 65536 };

struct result {
	int rc;
	struct err err;
	struct frame frame;
	struct buf crate;
};

static void
read_frame(struct arena *a, struct slice body, size_t step, struct result *r)
{
	*r = (struct result){ 0 };
	buf_init(&r->crate, a, MAX_CRATE);
	frame_init(&r->frame, a, MAX_JSON, MAX_CRATE);
	while (body.n > 0 && r->rc == 0) {
		struct slice piece = slice_of(body.p, body.n < step ? body.n : step);

		body = slice_of(body.p + piece.n, body.n - piece.n);
		while (piece.n > 0 && r->rc == 0) {
			size_t before = piece.n;
			struct slice crate;

			r->rc = frame_push(&r->frame, &piece, &crate, &r->err);
			assert(r->rc == -1 || piece.n < before);
			if (r->rc == 0)
				buf_put_slice(&r->crate, crate);
		}
	}
	if (r->rc == 0)
		r->rc = frame_end(&r->frame, &r->err);
}

/* The first byte is the size of the pieces, which must make no difference. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct result whole, pieces;

	if (size > 0) {
		struct slice body = slice_of((const char *)data + 1, size - 1);

		read_frame(a, body, SIZE_MAX, &whole);
		read_frame(a, body, (size_t)data[0] + 1, &pieces);
		assert(whole.rc == pieces.rc && whole.frame.state == pieces.frame.state);
		assert(whole.err.status == pieces.err.status);
		assert(strcmp(whole.err.pub, pieces.err.pub) == 0);
		assert(!buf_full(&whole.crate) && whole.crate.n == pieces.crate.n);
		if (whole.rc == 0) {
			assert(whole.frame.json_len + whole.frame.crate_len + 8 == body.n);
			assert(whole.crate.n == whole.frame.crate_len);
			assert(memcmp(whole.frame.json, body.p + 4, whole.frame.json_len) == 0);
			assert(memcmp(buf_str(&whole.crate), buf_str(&pieces.crate),
				   whole.crate.n) == 0);
		}
	}
	arena_free(a);
	return 0;
}
