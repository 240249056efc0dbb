#include "crate/frame.h"

#include "base/buf.h"
#include "tap.h"

enum { MAX_JSON = 32, MAX_CRATE = 64 };

struct result {
	int rc;
	struct err err;
	struct frame frame;
	struct buf crate;
	bool early_crate; /* crate bytes came while the metadata was not whole */
};

/* Pushes the body in pieces of `step` bytes, then ends it. */
static void
run(struct arena *a, struct slice body, size_t step, struct result *r)
{
	*r = (struct result){ 0 };
	buf_init(&r->crate, a, 4096);
	frame_init(&r->frame, a, MAX_JSON, MAX_CRATE);
	for (size_t at = 0; at < body.n && r->rc == 0; at += step) {
		size_t n = body.n - at < step ? body.n - at : step;
		struct slice piece = slice_of(body.p + at, n);

		while (piece.n > 0 && r->rc == 0) {
			enum frame_state before = r->frame.state;
			struct slice crate;

			r->rc = frame_push(&r->frame, &piece, &crate, &r->err);
			if (r->rc == 0 && crate.n > 0) {
				buf_put_slice(&r->crate, crate);
				r->early_crate = r->early_crate || before <= FRAME_JSON;
			}
		}
	}
	if (r->rc == 0)
		r->rc = frame_end(&r->frame, &r->err);
}

static void
put_length(struct buf *b, uint32_t n)
{
	for (int shift = 0; shift < 32; shift += 8)
		buf_putc(b, (char)(n >> shift & 0xff));
}

static void
put_run(struct buf *b, uint32_t n)
{
	put_length(b, n);
	for (uint32_t i = 0; i < n; i++)
		buf_putc(b, (char)('a' + i % 26));
}

static void
test_whole(struct arena *a, uint32_t json, uint32_t crate)
{
	struct buf body;

	buf_init(&body, a, 4096);
	put_run(&body, json);
	put_run(&body, crate);
	for (size_t step = 1; step <= body.n; step++) {
		struct slice text = buf_slice(&body);
		struct result r;

		run(a, text, step, &r);
		ok(r.rc == 0 && r.frame.state == FRAME_DONE && !r.early_crate &&
			r.frame.json_len == json && memcmp(r.frame.json, text.p + 4, json) == 0 &&
			r.frame.json[json] == '\0' && r.crate.n == crate &&
			memcmp(buf_str(&r.crate), text.p + 8 + json, crate) == 0,
		    "json of %u, crate of %u, by %zu", (unsigned)json, (unsigned)crate, step);
	}
}

static void
test_truncated(struct arena *a)
{
	static const struct {
		size_t upto;
		const char *want;
	} ends[] = {
		{ 4, "invalid metadata length" },
		{ 4 + 5, "invalid metadata length for remaining payload: 5" },
		{ 4 + 5 + 4, "invalid tarball length" },
		{ 4 + 5 + 4 + 7, "invalid tarball length for remaining payload: 7" },
	};
	struct buf body;
	size_t at = 0;

	buf_init(&body, a, 4096);
	put_run(&body, 5);
	put_run(&body, 7);
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		for (; at < ends[i].upto; at++) {
			struct result r;

			run(a, slice_of(buf_str(&body), at), 3, &r);
			ok(r.rc == -1 && r.err.status == 400, "%zu bytes", at);
			is_str(r.err.pub, ends[i].want, "its sentence");
		}
	}
	is_int((long long)at, (long long)body.n, "each length was tried");
}

static void
test_too_large(struct arena *a)
{
	struct buf body;
	struct result r;

	buf_init(&body, a, 4096);
	put_length(&body, MAX_JSON + 1);
	run(a, buf_slice(&body), 4, &r);
	is_int(r.err.status, 413, "metadata of one byte more than may be");
	is_str(r.err.pub, arena_printf(a, "JSON metadata blob too large: it has %d bytes, and the limit is %d; "
	    "most of it is usually the README: shorten that, or ask an administrator to raise max_metadata_size",
	    MAX_JSON + 1, MAX_JSON), "its sentence");
	ok(r.frame.json == NULL, "nothing was allocated for it");

	buf_reset(&body);
	put_length(&body, UINT32_MAX);
	run(a, buf_slice(&body), 1, &r);
	is_int(r.err.status, 413, "metadata of 4 GB");

	buf_reset(&body);
	put_run(&body, 2);
	put_length(&body, MAX_CRATE + 1);
	run(a, buf_slice(&body), 100, &r);
	is_int(r.err.status, 413, "a crate of one byte more than may be");
	is_str(r.err.pub, "max upload size is: 64 bytes; `cargo package --list` shows what is in the "
	    "crate", "its sentence");
}

static void
test_trailing(struct arena *a)
{
	struct buf body;
	struct result r;

	buf_init(&body, a, 4096);
	put_run(&body, 2);
	put_run(&body, 3);
	buf_putc(&body, '\0');
	for (size_t step = 1; step <= body.n; step++) {
		run(a, buf_slice(&body), step, &r);
		ok(r.rc == -1 && r.err.status == 400, "a byte after the crate, by %zu", step);
	}
	is_str(r.err.pub, "unexpected data after the tarball", "its sentence");
}

/* The metadata can be looked at before anything of the crate is taken. */
static void
test_borders(struct arena *a)
{
	struct err err = { 0 };
	struct frame f;
	struct slice in, crate;
	struct buf body;

	buf_init(&body, a, 4096);
	put_run(&body, 2);
	put_run(&body, 3);
	frame_init(&f, a, MAX_JSON, MAX_CRATE);
	in = buf_slice(&body);
	is_int(frame_push(&f, &in, &crate, &err), 0, "first push");
	ok(f.state == FRAME_JSON && in.n == 9 && crate.n == 0, "stops after the length");
	is_int(frame_push(&f, &in, &crate, &err), 0, "second push");
	ok(f.state == FRAME_CRATE_LEN && in.n == 7 && crate.n == 0, "stops after the metadata");
	is_str(f.json, "ab", "which is whole");
	is_int(frame_push(&f, &in, &crate, &err), 0, "third push");
	ok(f.state == FRAME_CRATE && f.crate_len == 3 && in.n == 3, "stops after the length");
	is_int(frame_push(&f, &in, &crate, &err), 0, "fourth push");
	ok(f.state == FRAME_DONE && in.n == 0 && slice_is(crate, "abc"), "hands on the crate");
	is_int(frame_push(&f, &in, &crate, &err), 0, "a push of nothing");
	ok(crate.n == 0, "hands on nothing");
	is_int(frame_end(&f, &err), 0, "the end");
}

int
main(void)
{
	struct arena *a = arena_new();

	test_whole(a, 5, 7);
	test_whole(a, 0, 0);
	test_whole(a, 0, 3);
	test_whole(a, 3, 0);
	test_whole(a, MAX_JSON, MAX_CRATE);
	test_truncated(a);
	test_too_large(a);
	test_trailing(a);
	test_borders(a);
	arena_free(a);
	return tap_done();
}
