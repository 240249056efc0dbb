#ifndef T_TARBALL_H
#define T_TARBALL_H

/* Archives for tests and fuzz targets, sound ones and others, made block by block. */

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <zlib.h>

#include "base/arena.h"
#include "base/buf.h"

enum { TARBALL_BLOCK = 512, TARBALL_MAX = 64 << 20 };

/* Puts the right checksum into a header. */
static inline void
tarball_seal(char *block)
{
	unsigned sum = 0;
	char digits[8];

	memset(block + 148, ' ', 8);
	for (size_t i = 0; i < TARBALL_BLOCK; i++)
		sum += (unsigned char)block[i];
	snprintf(digits, sizeof(digits), "%06o", sum & 0777777);
	memcpy(block + 148, digits, 7);
}

/* A header as cargo writes it; returns it, to be changed and sealed again. */
static inline char *
tarball_header(struct buf *tar, char type, const char *name, uint64_t size)
{
	static const char zeros[TARBALL_BLOCK];
	char digits[32];
	char *block;

	buf_put(tar, zeros, sizeof(zeros));
	block = tar->p + tar->n - TARBALL_BLOCK;
	memcpy(block, name, strnlen(name, 100));
	memcpy(block + 100, "0000644", 7);
	snprintf(digits, sizeof(digits), "%011llo", (unsigned long long)size);
	memcpy(block + 124, digits, 11);
	memcpy(block + 136, "10460700030", 11);
	block[156] = type;
	memcpy(block + 257, "ustar  ", 8);
	tarball_seal(block);
	return block;
}

/* Data and its padding. */
static inline void
tarball_data(struct buf *tar, const void *data, size_t n)
{
	static const char zeros[TARBALL_BLOCK];

	buf_put(tar, data, n);
	buf_put(tar, zeros, (TARBALL_BLOCK - n % TARBALL_BLOCK) % TARBALL_BLOCK);
}

static inline void
tarball_entry(struct buf *tar, char type, const char *name, const char *text)
{
	tarball_header(tar, type, name, strlen(text));
	tarball_data(tar, text, strlen(text));
}

static inline void
tarball_end(struct buf *tar)
{
	static const char zeros[2 * TARBALL_BLOCK];

	buf_put(tar, zeros, sizeof(zeros));
}

/*
 * A copy with right checksums in all blocks that look like a header: without
 * them a fuzzer would find nothing but wrong checksums.
 */
static inline struct slice
tarball_sealed(struct arena *a, struct slice tar)
{
	char *p = arena_slicedup(a, tar);

	for (size_t i = 0; i + TARBALL_BLOCK <= tar.n; i += TARBALL_BLOCK) {
		if (memcmp(p + i + 257, "ustar", 5) == 0)
			tarball_seal(p + i);
	}
	return slice_of(p, tar.n);
}

/* One gzip member around the bytes. */
static inline struct slice
tarball_gzip(struct arena *a, struct slice in, int level)
{
	z_stream z = { 0 };
	uLong bound;
	unsigned char *out;

	if (deflateInit2(&z, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		abort();
	bound = deflateBound(&z, in.n) + 64;
	out = arena_alloc(a, bound);
	z.next_in = (Bytef *)(uintptr_t)in.p;
	z.avail_in = (uInt)in.n;
	z.next_out = out;
	z.avail_out = (uInt)bound;
	if (deflate(&z, Z_FINISH) != Z_STREAM_END)
		abort();
	deflateEnd(&z);
	return slice_of((const char *)out, z.total_out);
}

#endif
