#ifndef CRATE_ARCHIVE_PATH_SET_H
#define CRATE_ARCHIVE_PATH_SET_H

/*
 * The paths that an archive has had so far, so that no entry can replace
 * another when it is unpacked, also where the file system does not tell upper
 * from lower case.  A path is kept as a hash of its folded form: 8 bytes each.
 * Two paths that are equal are always found; two that differ are taken for
 * equal with a chance of some 2^-35 in a crate of 10 000 files, and whoever makes
 * such a pair on purpose gets his own crate refused.
 */

#include <locale.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"

struct path_set;

/* At most `max` folders, given or implied by what lies in them.  The locale folds case. */
struct path_set *path_set_new(struct arena *, uint64_t max_folders, locale_t);

/*
 * Adds a checked path without a slash at its end.  *again: it is a file, and the set has a file of that
 * path already, perhaps in other case; the caller must check that they are equal
 * (crate/archive/file_twice.h).  -1: 400 "invalid path found: ...".
 */
int path_set_add(struct path_set *, struct slice path, bool directory, bool *again, struct err *)
    __attribute__((warn_unused_result));

/* Is a file of that path there?  Case is not told apart. */
bool path_set_has_file(const struct path_set *, struct slice path);

#endif
