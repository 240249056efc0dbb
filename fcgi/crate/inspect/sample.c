#include "crate/inspect/sample.h"

#include <stdio.h>
#include <string.h>

#include <zlib.h>

enum { BLOCK = 512, BLOCKS = 4, CRATE_MAX = 4096, WINDOW_GZIP = 15 + 16, MEMORY = 8 };

static const char manifest[] =
    "[package]\n"
    "name = \"sample\"\n"
    "version = \"1.0.0\"\n"
    "edition = \"2021\"\n"
    "[lib]\n"
    "path = \"Cargo.toml\"\n"
    "[features]\n"
    "default = []\n"
    "[dependencies]\n"
    "other = \"1\"\n";

/* Fields of a header of tar: where they are, what they say. */
static void
header_write(char *header)
{
	unsigned sum = 0;

	(void)snprintf(header, 100, "sample-1.0.0/Cargo.toml");
	(void)snprintf(header + 100, 8, "0000644");
	(void)snprintf(header + 124, 12, "%011zo", strlen(manifest));
	(void)snprintf(header + 136, 12, "10460700030");
	header[156] = '0';
	memcpy(header + 257, "ustar  ", 8);
	/* the checksum counts itself as spaces */
	memset(header + 148, ' ', 8);
	for (size_t i = 0; i < BLOCK; i++)
		sum += (unsigned char)header[i];
	(void)snprintf(header + 148, 7, "%06o", sum & 0777777);
}

int
sample_make(struct arena *arena, struct slice *crate, struct err *err)
{
	char *tar = arena_calloc(arena, BLOCKS, BLOCK);
	char *out = arena_alloc(arena, CRATE_MAX);
	z_stream z = { .next_in = (Bytef *)tar, .avail_in = BLOCKS * BLOCK, .next_out = (Bytef *)out,
		.avail_out = CRATE_MAX };
	int rc;

	_Static_assert(sizeof(manifest) <= BLOCK, "header, manifest, and two blocks at the end");
	header_write(tar);
	memcpy(tar + BLOCK, manifest, sizeof(manifest));
	if (deflateInit2(&z, Z_BEST_SPEED, Z_DEFLATED, WINDOW_GZIP, MEMORY, Z_DEFAULT_STRATEGY) != Z_OK)
		return err_internal(err, 500, "zlib does not start");
	rc = deflate(&z, Z_FINISH);
	*crate = slice_of(out, CRATE_MAX - z.avail_out);
	deflateEnd(&z);
	return rc == Z_STREAM_END ? 0 : err_internal(err, 500, "zlib does not end");
}
