#include "crate/archive/gzip_stream.h"

#include <endian.h>
#include <libdeflate.h>
#include <string.h>

#define ZLIB_CONST /* next_in points to const bytes */
#include <zlib.h>

#include "crate/archive/malformed.h"

/*
 * cargo gives up at a name or comment of more than 65,535 bytes.  A member ends with the CRC-32 of its output
 * and the size of that, four bytes each, the lowest byte first (RFC 1952, 2.3.1).
 */
enum { OUT_SIZE = 64 * 1024, HEADER_MAX = 64 * 1024, WINDOW_GZIP_ONLY = 15 + 16, TRAILER_SIZE = 8 };

struct gzip_stream {
	z_stream z;
	gz_header header;
	gzip_sink *sink;
	void *arg;
	uint64_t size, max;
	bool ended;
	uint32_t crc; /* of the output so far */
	unsigned char trailer[TRAILER_SIZE]; /* the last bytes that zlib took */
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
	/* the first call looks at the processor, which takes long: the inspector makes streams before it forks */
	gz->crc = libdeflate_crc32(0, "", 0);
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

static void
keep_trailer(struct gzip_stream *gz, const unsigned char *in, size_t n)
{
	size_t old = n < TRAILER_SIZE ? TRAILER_SIZE - n : 0;

	memmove(gz->trailer, gz->trailer + TRAILER_SIZE - old, old);
	memcpy(gz->trailer + old, in + n - (TRAILER_SIZE - old), TRAILER_SIZE - old);
}

static int
check_trailer(const struct gzip_stream *gz, struct err *err)
{
	uint32_t trailer[2]; /* CRC and size */

	memcpy(trailer, gz->trailer, sizeof(trailer));
	if (le32toh(trailer[0]) != gz->crc)
		return err_set(err, 400, MALFORMED ": gzip: incorrect data check");
	if (le32toh(trailer[1]) != (uint32_t)gz->size)
		return err_set(err, 400, MALFORMED ": gzip: incorrect length check");
	return 0;
}

/*
 * One turn of zlib: some input goes in, up to OUT_SIZE bytes come out.  zlib checks the header alone: its CRC
 * takes 40 percent of an inspection where bytes cannot be compressed, libdeflate's next to nothing.
 */
static int
stream_turn(struct gzip_stream *gz, struct err *err)
{
	const unsigned char *in = gz->z.next_in;
	bool in_header = gz->header.done == 0;
	size_t n;
	int rc;

	gz->z.next_out = gz->out;
	gz->z.avail_out = OUT_SIZE;
	rc = inflate(&gz->z, in_header ? Z_BLOCK : Z_NO_FLUSH);
	if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
		return err_set(err, 400, MALFORMED ": gzip: %s",
		    gz->z.msg != NULL ? gz->z.msg : "damaged");
	if (in_header && gz->header.done == 1)
		(void)inflateValidate(&gz->z, 0);
	keep_trailer(gz, in, (size_t)(gz->z.next_in - in));
	gz->ended = rc == Z_STREAM_END;
	n = OUT_SIZE - gz->z.avail_out;
	gz->size += n;
	if (gz->size >= gz->max)
		return err_set(err, 400, MALFORMED_SIZE, gz->max);
	gz->crc = libdeflate_crc32(gz->crc, gz->out, n);
	if (gz->ended && check_trailer(gz, err) == -1)
		return -1;
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
