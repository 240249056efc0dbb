#include "base/gzip.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* next_in may point to const bytes */
#define ZLIB_CONST
#include <zlib.h>

enum {
	WINDOW = 15,
	WINDOW_GZIP = WINDOW + 16,
	WINDOW_MIN = 9,
	BEYOND = 262, /* bytes of its window that zlib does not look back at */
	MEMORY_LEVEL = 8,
	PIECE = 64 * 1024,
	SPARE = 64, /* for a flush, and for the head or the tail */
	SIZE_BYTES = 4,
	TAIL_CRC = 2, /* the place of the CRC in a tail */
	TAIL_SIZE = TAIL_CRC + SIZE_BYTES
};

/* Deflated, no flags, time 1, level unknown, made on Unix. */
static const unsigned char head[GZIP_HEAD_SIZE] = { 0x1f, 0x8b, Z_DEFLATED, 0, 1, 0, 0, 0, 0, 3 };
/* An empty last block, which ends at a byte if it begins at one. */
static const unsigned char last_block[TAIL_CRC] = { 3, 0 };

struct gzip_writer {
	z_stream z;
	/* from malloc: the arena would keep each outgrown buffer */
	char *out;
	size_t n, cap;
	size_t taken; /* of the text */
	size_t given; /* bytes of text that zlib got from this writer */
	uLong crc; /* of that */
	bool fast;
};

static void
writer_free(void *arg)
{
	struct gzip_writer *w = arg;

	deflateEnd(&w->z);
	free(w->out);
}

/*
 * Without a head.  For a text of so many bytes: zlib takes 268 kB for a long one.  A short one gets a window
 * and a block of symbols that hold all of it, so that the output is the same.
 */
static struct gzip_writer *
writer_start(struct arena *a, size_t size, struct err *err)
{
	struct gzip_writer *w = arena_calloc(a, 1, sizeof(*w));
	int window = WINDOW_MIN, memory;

	while (window < WINDOW && (size_t)1 << window < size + BEYOND)
		window++;
	memory = window - 5 < MEMORY_LEVEL ? window - 5 : MEMORY_LEVEL;
	if (deflateInit2(&w->z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -window, memory, Z_DEFAULT_STRATEGY) != Z_OK) {
		err_internal(err, 500, "gzip: cannot start");
		return NULL;
	}
	w->crc = crc32_z(0, NULL, 0);
	arena_defer(a, writer_free, w);
	return w;
}

/*
 * Makes room for one more piece, and returns its size.  A text of a few lines, which most texts are, gets no
 * more room than it may fill.
 */
static uInt
writer_reserve(struct gzip_writer *w)
{
	uLong all = deflateBound(&w->z, w->given) + SPARE;
	uInt piece = all < PIECE ? (uInt)all : PIECE;

	if (w->cap - w->n < piece) {
		w->cap += piece + w->cap / 2;
		w->out = realloc(w->out, w->cap);
		if (w->out == NULL)
			abort();
	}
	w->z.next_out = (Bytef *)(w->out + w->n);
	w->z.avail_out = piece;
	return piece;
}

/* The writer of a member of a text of so many bytes. */
static struct gzip_writer *
member_start(struct arena *a, size_t size, struct err *err)
{
	struct gzip_writer *w = writer_start(a, size, err);

	if (w == NULL)
		return NULL;
	(void)writer_reserve(w);
	memcpy(w->out, head, sizeof(head));
	w->n = sizeof(head);
	return w;
}

struct gzip_writer *
gzip_writer_new(struct arena *a, struct err *err)
{
	return member_start(a, (size_t)1 << WINDOW, err);
}

/* Runs zlib until it has used all input. */
static int
writer_run(struct gzip_writer *w, int flush, struct err *err)
{
	int rc = Z_OK;

	w->given += w->z.avail_in;
	do {
		uInt piece = writer_reserve(w);

		rc = deflate(&w->z, flush);
		w->n += piece - w->z.avail_out;
	} while (rc == Z_OK && w->z.avail_out == 0);
	/* Z_BUF_ERROR: nothing was left to do */
	if (rc != Z_OK && rc != Z_BUF_ERROR)
		return err_internal(err, 500, "gzip: cannot compress (%d)", rc);
	return 0;
}

int
gzip_writer_speed_up(struct gzip_writer *w, struct err *err)
{
	int rc = Z_OK;

	w->fast = true;
	do {
		uInt piece = writer_reserve(w);

		rc = deflateParams(&w->z, Z_BEST_SPEED, Z_DEFAULT_STRATEGY);
		w->n += piece - w->z.avail_out;
	} while (rc == Z_BUF_ERROR);
	return rc == Z_OK ? 0 : err_internal(err, 500, "gzip: cannot change the level (%d)", rc);
}

/* Decides only by the number of bytes: the same text gives the same member, in whatever pieces it comes. */
int
gzip_writer_add(struct gzip_writer *w, struct slice text, struct err *err)
{
	while (text.n > 0) {
		size_t n = text.n < UINT_MAX ? text.n : UINT_MAX;

		if (!w->fast && w->taken + n > GZIP_FAST_AFTER)
			n = GZIP_FAST_AFTER - w->taken;
		w->z.next_in = (const Bytef *)text.p;
		w->z.avail_in = (uInt)n;
		if (n > 0 && writer_run(w, Z_NO_FLUSH, err) == -1)
			return -1;
		w->crc = crc32_z(w->crc, (const Bytef *)text.p, n);
		w->taken += n;
		text = slice_of(text.p + n, text.n - n);
		if (!w->fast && text.n > 0 && gzip_writer_speed_up(w, err) == -1)
			return -1;
	}
	return 0;
}

/* Least significant byte first. */
static void
write_number(char *to, uint32_t n)
{
	for (int i = 0; i < SIZE_BYTES; i++)
		to[i] = (char)(n >> 8 * i & 0xff);
}

static uint32_t
read_number(const char *from)
{
	const unsigned char *p = (const unsigned char *)from;

	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

int
gzip_writer_end(struct gzip_writer *w, struct slice *out, struct err *err)
{
	w->z.avail_in = 0;
	if (writer_run(w, Z_SYNC_FLUSH, err) == -1)
		return -1;
	(void)writer_reserve(w);
	memcpy(w->out + w->n, last_block, sizeof(last_block));
	write_number(w->out + w->n + TAIL_CRC, (uint32_t)w->crc);
	write_number(w->out + w->n + TAIL_SIZE, (uint32_t)w->taken);
	w->n += GZIP_TAIL_SIZE;
	*out = slice_of(w->out, w->n);
	return 0;
}

int
gzip_member(struct arena *a, struct slice text, struct slice *out, struct err *err)
{
	struct gzip_writer *w = member_start(a, text.n, err);

	return w == NULL || gzip_writer_add(w, text, err) == -1 ? -1 : gzip_writer_end(w, out, err);
}

uint32_t
gzip_text_size(struct slice in)
{
	return in.n < SIZE_BYTES ? 0 : read_number(in.p + in.n - SIZE_BYTES);
}

bool
gzip_can_grow(struct slice first, struct slice tail)
{
	return first.n == GZIP_HEAD_SIZE && memcmp(first.p, head, GZIP_HEAD_SIZE) == 0 &&
	    tail.n == GZIP_TAIL_SIZE && memcmp(tail.p, last_block, sizeof(last_block)) == 0;
}

int
gzip_grow(struct arena *a, struct slice tail, struct slice before, struct slice text, struct slice *out,
    struct err *err)
{
	uLong crc = read_number(tail.p + TAIL_CRC);
	size_t window = (size_t)1 << WINDOW;
	struct gzip_writer *w;

	if (before.n > window)
		before = slice_of(before.p + before.n - window, window);
	w = writer_start(a, before.n + text.n, err);
	if (w == NULL)
		return -1;
	if (before.n > 0 && deflateSetDictionary(&w->z, (const Bytef *)before.p, (uInt)before.n) != Z_OK)
		return err_internal(err, 500, "gzip: cannot start where a text ends");
	if (gzip_writer_add(w, text, err) == -1)
		return -1;
	w->crc = crc32_combine(crc, w->crc, (z_off_t)text.n);
	w->taken = gzip_text_size(tail) + text.n;
	return gzip_writer_end(w, out, err);
}

/* Hands over the output, at most `max` bytes; at the end rc is Z_STREAM_END. */
static int
read_pieces(z_stream *z, size_t max, gzip_piece_fn *fn, void *arg, int *rc, struct err *err)
{
	char piece[PIECE];

	do {
		size_t n;

		z->next_out = (Bytef *)piece;
		z->avail_out = PIECE;
		*rc = inflate(z, Z_NO_FLUSH);
		n = PIECE - z->avail_out;
		if (n > max)
			return err_internal(err, 500, "gzip: the stored bytes expand beyond the limit");
		max -= n;
		if (n > 0 && fn(arg, slice_of(piece, n), err) == -1)
			return -1;
	} while (*rc == Z_OK);
	return 0;
}

int
gzip_read(struct slice in, size_t max, gzip_piece_fn *fn, void *arg, struct err *err)
{
	z_stream z = { .next_in = (const Bytef *)in.p, .avail_in = (uInt)in.n };
	int rc, done;

	if (in.n > UINT_MAX)
		return err_internal(err, 500, "gzip: %zu bytes are beyond the limit", in.n);
	if (inflateInit2(&z, WINDOW_GZIP) != Z_OK)
		return err_internal(err, 500, "gzip: cannot start");
	done = read_pieces(&z, max, fn, arg, &rc, err);
	inflateEnd(&z);
	if (done == 0 && rc != Z_STREAM_END)
		return err_internal(err, 500, "gzip: stored bytes do not expand (%d)", rc);
	return done;
}

struct expansion {
	char *p;
	size_t n, size;
};

static int
take_piece(void *arg, struct slice piece, struct err *err)
{
	struct expansion *e = arg;

	if (piece.n > e->size - e->n)
		return err_internal(err, 500, "gzip: the stored bytes expand to more than their "
		    "trailer says");
	memcpy(e->p + e->n, piece.p, piece.n);
	e->n += piece.n;
	return 0;
}

int
gzip_expand(struct arena *a, struct slice in, size_t max, struct slice *out, struct err *err)
{
	struct expansion e = { .size = gzip_text_size(in) };

	if (e.size > max)
		return err_internal(err, 500, "gzip: the stored bytes expand beyond the limit");
	e.p = arena_alloc(a, e.size);
	if (gzip_read(in, max, take_piece, &e, err) == -1)
		return -1;
	*out = slice_of(e.p, e.n);
	return 0;
}
