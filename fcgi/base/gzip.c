#include "base/gzip.h"

#include <limits.h>

/* next_in may point to const bytes */
#define ZLIB_CONST
#include <zlib.h>

#include "base/buf.h"

enum { WINDOW_GZIP = 15 + 16, MEMORY_LEVEL = 8, PIECE = 64 * 1024 };

static void
deflate_free(void *z)
{
	deflateEnd(z);
}

static void
inflate_free(void *z)
{
	inflateEnd(z);
}

int
gzip_compress(struct arena *a, struct slice in, struct slice *out, struct err *err)
{
	z_stream *z = arena_alloc(a, sizeof(*z));
	size_t bound;
	char *p;

	if (in.n > UINT_MAX / 2)
		return err_internal(err, 500, "gzip: %zu bytes are too many", in.n);
	if (deflateInit2(z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, WINDOW_GZIP, MEMORY_LEVEL,
		Z_DEFAULT_STRATEGY) != Z_OK)
		return err_internal(err, 500, "gzip: cannot start");
	arena_defer(a, deflate_free, z);
	bound = deflateBound(z, in.n);
	p = arena_alloc(a, bound);
	z->next_in = (const Bytef *)in.p;
	z->avail_in = (uInt)in.n;
	z->next_out = (Bytef *)p;
	z->avail_out = (uInt)bound;
	if (deflate(z, Z_FINISH) != Z_STREAM_END)
		return err_internal(err, 500, "gzip: did not finish");
	*out = slice_of(p, z->total_out);
	return 0;
}

int
gzip_expand(struct arena *a, struct slice in, size_t max, struct slice *out, struct err *err)
{
	z_stream *z = arena_alloc(a, sizeof(*z));
	char *piece = arena_alloc(a, PIECE);
	struct buf b;
	int rc;

	if (in.n > UINT_MAX)
		return err_internal(err, 500, "gzip: %zu bytes are too many", in.n);
	if (inflateInit2(z, WINDOW_GZIP) != Z_OK)
		return err_internal(err, 500, "gzip: cannot start");
	arena_defer(a, inflate_free, z);
	buf_init(&b, a, max);
	z->next_in = (const Bytef *)in.p;
	z->avail_in = (uInt)in.n;
	do {
		z->next_out = (Bytef *)piece;
		z->avail_out = PIECE;
		rc = inflate(z, Z_NO_FLUSH);
		buf_put(&b, piece, PIECE - z->avail_out);
	} while (rc == Z_OK && !buf_full(&b));
	if (rc != Z_STREAM_END || buf_full(&b))
		return err_internal(err, 500, "gzip: stored bytes do not expand (%d)", rc);
	*out = buf_slice(&b);
	return 0;
}
