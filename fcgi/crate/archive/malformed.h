#ifndef CRATE_ARCHIVE_MALFORMED_H
#define CRATE_ARCHIVE_MALFORMED_H

#include <inttypes.h>

/*
 * The first words of every refusal of a crate whose bytes are no sound
 * archive.  Cargo users and tests know a broken upload by them; the readers
 * of gzip and tar add the reason.
 */
#define MALFORMED "uploaded tarball is malformed or too large when decompressed"

/* The refusal of an archive that is only too large.  Its argument is the limit, a uint64_t. */
#define MALFORMED_SIZE MALFORMED ": it has %" PRIu64 \
	" bytes or more; an administrator can raise max_unpacked_size for the project"

#endif
