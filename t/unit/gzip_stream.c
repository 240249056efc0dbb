#include "crate/archive/gzip_stream.h"

#include "tap.h"
#include "tarball.h"

enum { PLAIN = 200000 };

static struct arena *arena;
static struct slice plain;

/* Takes what comes out and compares it with `plain`. */
struct taker {
	size_t n;
	bool differs;
	bool refuses;
};

static int
take(void *arg, struct slice s, struct err *err)
{
	struct taker *t = arg;

	if (t->refuses)
		return err_set(err, 400, "the sink says no");
	if (t->n + s.n > plain.n || memcmp(plain.p + t->n, s.p, s.n) != 0)
		t->differs = true;
	t->n += s.n;
	return 0;
}

/* Decompresses in pieces.  0 or -1 as gzip_stream. */
static int
run(struct slice in, size_t piece, uint64_t max, struct taker *t, struct err *err)
{
	struct gzip_stream *gz = gzip_stream_new(arena, max, take, t, err);

	err_clear(err);
	if (gz == NULL)
		return -1;
	for (size_t i = 0; i < in.n; i += piece) {
		size_t n = in.n - i < piece ? in.n - i : piece;

		if (gzip_stream_push(gz, slice_of(in.p + i, n), err) == -1)
			return -1;
	}
	return gzip_stream_end(gz, err);
}

static void
is_refused(struct slice in, const char *reason, const char *name)
{
	static const size_t pieces[] = { 1, 13, 1 << 20 };
	struct err err;

	for (size_t i = 0; i < sizeof(pieces) / sizeof(*pieces); i++) {
		struct taker t = { 0 };

		ok(run(in, pieces[i], UINT64_MAX, &t, &err) == -1 && err.status == 400 &&
		    strstr(err.pub, "uploaded tarball is malformed") != NULL &&
		    strstr(err.pub, reason) != NULL, "%s, in pieces of %zu: %s", name, pieces[i],
		    err.pub);
	}
}

static struct slice
changed(struct slice in, size_t at, char flip)
{
	char *p = arena_slicedup(arena, in);

	p[at] = (char)(p[at] ^ flip);
	return slice_of(p, in.n);
}

static struct slice
joined(struct slice a, const char *p, size_t n)
{
	char *out = arena_alloc(arena, a.n + n);

	memcpy(out, a.p, a.n);
	memcpy(out + a.n, p, n);
	return slice_of(out, a.n + n);
}

static void
test_sound(struct slice gz)
{
	static const size_t pieces[] = { 1, 7, 511, 65536, 1 << 20 };
	struct err err;

	for (size_t i = 0; i < sizeof(pieces) / sizeof(*pieces); i++) {
		struct taker t = { 0 };

		is_int(run(gz, pieces[i], PLAIN + 1, &t, &err), 0, "a sound member");
		ok(!t.differs && t.n == plain.n, "gives its bytes, in pieces of %zu", pieces[i]);
	}
}

static void
test_limit(struct slice gz)
{
	struct taker t = { 0 };
	struct err err;

	is_int(run(gz, 4096, PLAIN + 1, &t, &err), 0, "one byte below the limit");
	t = (struct taker) { 0 };
	is_int(run(gz, 4096, PLAIN, &t, &err), -1, "at the limit it is too much");
	is_str(err.pub, "uploaded tarball is malformed or too large when decompressed: it has 200000 bytes or more; "
	    "an administrator can raise max_unpacked_size for the project", "says so");
	is_int(err.status, 400, "with status 400");
}

static void
test_sink(struct slice gz)
{
	struct taker t = { .refuses = true };
	struct err err;

	is_int(run(gz, 4096, UINT64_MAX, &t, &err), -1, "the sink can end it");
	is_str(err.pub, "the sink says no", "and its reason is kept");
}

/* The output of exactly one turn of the buffer, and of none. */
static void
test_edges(void)
{
	static const size_t sizes[] = { 0, 1, 65535, 65536, 65537, 131072 };
	struct slice all = plain;
	struct err err;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		struct taker t = { 0 };
		struct slice gz;

		plain = slice_of(all.p, sizes[i]);
		gz = tarball_gzip(arena, plain, 9);
		ok(run(gz, 1 << 20, UINT64_MAX, &t, &err) == 0 && t.n == sizes[i] && !t.differs,
		    "%zu bytes", sizes[i]);
	}
	plain = all;
}

/* The same with a name of n bytes in the header. */
static struct slice
named(struct slice in, size_t n)
{
	enum { FIXED = 10, FLAGS = 3, HAS_NAME = 8 };
	struct buf b;

	buf_init(&b, arena, in.n + n + 1);
	buf_put(&b, changed(in, FLAGS, HAS_NAME).p, FIXED);
	for (size_t i = 0; i < n; i++)
		buf_putc(&b, 'a');
	buf_put(&b, "", 1);
	buf_put(&b, in.p + FIXED, in.n - FIXED);
	return buf_slice(&b);
}

/* Fixed bytes, the name and its NUL may be 64 KiB together. */
static void
test_header(struct slice gz)
{
	static const size_t pieces[] = { 1, 1 << 20 };
	struct slice longest = named(gz, 65536 - 11);
	struct err err;

	for (size_t i = 0; i < sizeof(pieces) / sizeof(*pieces); i++) {
		struct taker t = { 0 };

		ok(run(longest, pieces[i], UINT64_MAX, &t, &err) == 0 && t.n == plain.n,
		    "the longest header, in pieces of %zu", pieces[i]);
	}
	is_refused(named(gz, 65536 - 10), "the header is too long", "a longer header");
}

/* The same with a CRC of the header, as RFC 1952 has it: the lower half of the header's CRC-32. */
static struct slice
with_header_crc(struct slice in, char flip)
{
	enum { FIXED = 10, FLAGS = 3, HAS_CRC = 2 };
	struct slice head = slice_of(changed(in, FLAGS, HAS_CRC).p, FIXED);
	uLong crc = crc32(0, (const Bytef *)head.p, FIXED);
	struct buf b;

	buf_init(&b, arena, in.n + 2);
	buf_put(&b, head.p, head.n);
	buf_putc(&b, (char)((char)crc ^ flip));
	buf_putc(&b, (char)(crc >> 8));
	buf_put(&b, in.p + FIXED, in.n - FIXED);
	return buf_slice(&b);
}

static void
test_header_crc(struct slice gz)
{
	test_sound(with_header_crc(gz, 0));
	is_refused(with_header_crc(gz, 1), "header crc mismatch", "a wrong CRC of the header");
}

int
main(void)
{
	struct buf b;
	struct slice gz;

	arena = arena_new();
	buf_init(&b, arena, PLAIN);
	for (unsigned i = 0; b.n < PLAIN; i++)
		buf_putc(&b, (char)(i * i % 251 ^ i >> 9));
	plain = buf_slice(&b);
	gz = tarball_gzip(arena, plain, 6);

	test_sound(gz);
	test_limit(gz);
	test_sink(gz);
	test_header(gz);
	test_header_crc(gz);
	test_edges();

	is_refused(slice_of("", 0), "ends too early", "nothing");
	is_refused(slice_of(gz.p, 5), "ends too early", "half a header");
	is_refused(slice_of(gz.p, gz.n / 2), "ends too early", "half the data");
	is_refused(slice_of(gz.p, gz.n - 1), "ends too early", "all but one byte");
	is_refused(plain, "gzip", "no gzip at all");
	is_refused(slice_str("\x28\xb5\x2f\xfd some zstd"), "gzip", "another compression");
	is_refused(slice_str("\x78\x9c\x03"), "gzip", "zlib without gzip");
	for (size_t i = 0; i < 4; i++) {
		is_refused(changed(gz, gz.n - 8 + i, 1), "incorrect data check", "a wrong CRC");
		is_refused(changed(gz, gz.n - 4 + i, 1), "incorrect length check", "a wrong length");
	}
	is_refused(changed(gz, 3, (char)0xe0), "gzip", "reserved flags");
	is_refused(joined(gz, "\0", 1), "after the end", "a zero behind it");
	is_refused(joined(gz, gz.p, gz.n), "after the end", "a second member");
	arena_free(arena);
	return tap_done();
}
