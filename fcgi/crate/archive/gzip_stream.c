#include "crate/archive/gzip_stream.h"

#define ZLIB_CONST /* next_in points to const bytes */
#include <zlib.h>

#include "crate/archive/malformed.h"

/* cargo gives up at a name or comment of more than 65,535 bytes. */
enum { OUT_SIZE = 64 * 1024, HEADER_MAX = 64 * 1024, WINDOW_GZIP_ONLY = 15 + 16 };

struct gzip_stream {
	z_stream z;
	gz_header header;
	gzip_sink *sink;
	void *arg;
	uint64_t size, max;
	bool ended;
	unsigned char out[OUT_SIZE];
};

static void
stream_free(void *arg)
{
	inflateEnd(arg);
}

struct gzip_stream *
gzip_stream_new(struct arena *arena, uint64_t max_bytes, gzip_sink *sink, void *arg,
    struct err *err)
{
	struct gzip_stream *gz = arena_alloc(arena, sizeof(*gz));

	gz->sink = sink;
	gz->arg = arg;
	gz->max = max_bytes;
	if (inflateInit2(&gz->z, WINDOW_GZIP_ONLY) != Z_OK ||
	    inflateGetHeader(&gz->z, &gz->header) != Z_OK) {
		(void)err_internal(err, 500, "zlib does not start");
		return NULL;
	}
	arena_defer(arena, stream_free, &gz->z);
	return gz;
}

void
gzip_stream_limit(struct gzip_stream *gz, uint64_t max_bytes)
{
	gz->max = max_bytes;
}

uint64_t
gzip_stream_size(const struct gzip_stream *gz)
{
	return gz->size;
}

/* One turn of zlib: some input goes in, up to OUT_SIZE bytes come out. */
static int
stream_turn(struct gzip_stream *gz, struct err *err)
{
	size_t n;
	int rc;

	gz->z.next_out = gz->out;
	gz->z.avail_out = OUT_SIZE;
	rc = inflate(&gz->z, Z_NO_FLUSH);
	if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
		return err_set(err, 400, MALFORMED ": gzip: %s",
		    gz->z.msg != NULL ? gz->z.msg : "damaged");
	gz->ended = rc == Z_STREAM_END;
	n = OUT_SIZE - gz->z.avail_out;
	gz->size += n;
	if (gz->size >= gz->max)
		return err_set(err, 400, MALFORMED_SIZE, gz->max);
	return n == 0 ? 0 : gz->sink(gz->arg, slice_of((const char *)gz->out, n), err);
}

int
gzip_stream_push(struct gzip_stream *gz, struct slice in, struct err *err)
{
	while (in.n > 0) {
		uLong max = gz->header.done ? OUT_SIZE : HEADER_MAX - gz->z.total_in;
		uInt n = in.n < max ? (uInt)in.n : (uInt)max;

		if (n == 0)
			return err_set(err, 400, MALFORMED ": gzip: the header is too long");
		gz->z.next_in = (const Bytef *)in.p;
		gz->z.avail_in = n;
		in.p += n;
		in.n -= n;
		do {
			if (gz->ended)
				return err_set(err, 400, MALFORMED
				    ": gzip: bytes after the end of the first member");
			if (stream_turn(gz, err) == -1)
				return -1;
		} while (gz->z.avail_in > 0 || (gz->z.avail_out == 0 && !gz->ended));
	}
	return 0;
}

int
gzip_stream_end(const struct gzip_stream *gz, struct err *err)
{
	if (!gz->ended)
		return err_set(err, 400, MALFORMED ": gzip: the stream ends too early");
	return 0;
}
