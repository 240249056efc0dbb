#ifndef CRATE_ARCHIVE_TAR_CROSSCHECK_H
#define CRATE_ARCHIVE_TAR_CROSSCHECK_H

/*
 * libarchive's reading of the archive that crate/archive/tar_walk.h reads.  Attacks on
 * registries live on two tar readers that see two archives in the same bytes:
 * where these two disagree on a name, a type, a size or on where the next
 * header begins, the crate is refused.
 *
 * libarchive gets each header as the walk comes to it.  It would only skip the data in between, so it gets
 * none: a check makes sure that it asks to skip the right number of bytes.
 */

#include <locale.h>

#include "base/arena.h"
#include "base/err.h"
#include "crate/archive/tar_walk.h"

struct tar_crosscheck;

/* The locale must be one of UTF-8; it stays the caller's.  NULL: 500. */
struct tar_crosscheck *tar_crosscheck_new(struct arena *, locale_t, struct err *)
    __attribute__((warn_unused_result));

/* Does libarchive find the same entry next?  -1: 400. */
int tar_crosscheck_entry(struct tar_crosscheck *, const struct tar_entry *, struct err *)
    __attribute__((warn_unused_result));

/* Does libarchive see the end as well?  -1: 400. */
int tar_crosscheck_end(struct tar_crosscheck *, struct err *)
    __attribute__((warn_unused_result));

#endif
