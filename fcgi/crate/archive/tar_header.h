#ifndef CRATE_ARCHIVE_TAR_HEADER_H
#define CRATE_ARCHIVE_TAR_HEADER_H

/*
 * One header block of a tar archive, decoded strictly: a known magic, a right checksum, numbers in octal.
 * It refuses forms that tar readers understand in different ways (signed checksums, base-256 sizes, bytes
 * after a name's end).
 */

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"

enum { TAR_BLOCK = 512, TAR_NAME_SIZE = 100, TAR_PREFIX_SIZE = 155 };

/* The type flags that have a meaning here; any other is an "unexpected tar entry type". */
enum tar_type {
	TAR_FILE = '0', /* also written as NUL */
	TAR_DIRECTORY = '5',
	TAR_LONG_NAME = 'L', /* GNU: the name of the entry that follows */
	TAR_PAX = 'x', /* POSIX: records about the entry that follows */
};

/* The slices point into the block. */
struct tar_header {
	unsigned char type;
	uint64_t size;
	unsigned mode;
	struct slice prefix; /* folder to put before the name; mostly empty */
	struct slice name;
};

/* `at` is the block's place in the archive, for the sentence.  -1: 400. */
int tar_header_parse(const unsigned char block[TAR_BLOCK], uint64_t at, struct tar_header *,
    struct err *) __attribute__((warn_unused_result));

/* "Symlink", "Fifo", ...; NULL where the flag has no name. */
const char *tar_header_type_name(unsigned char type);

#endif
