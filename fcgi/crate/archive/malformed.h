#ifndef CRATE_ARCHIVE_MALFORMED_H
#define CRATE_ARCHIVE_MALFORMED_H

/*
 * The first words of every refusal of a crate whose bytes are no sound
 * archive.  Cargo users and tests know a broken upload by them; the readers
 * of gzip and tar add the reason.
 */
#define MALFORMED "uploaded tarball is malformed or too large when decompressed"

#endif
