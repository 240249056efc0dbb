#ifndef CRATE_ARCHIVE_TAR_PATH_H
#define CRATE_ARCHIVE_TAR_PATH_H

/*
 * Checks a path inside a crate: it must be relative, UTF-8, and the same file on every system on which
 * cargo unpacks it.
 */

#include <stdbool.h>

#include "base/err.h"
#include "base/slice.h"

enum { TAR_PATH_MAX = 1024 };

/* Only the path of a directory may end in a slash.  -1: 400 "invalid path found: ...". */
int tar_path_check(struct slice path, bool directory, struct err *)
    __attribute__((warn_unused_result));

/* The part of the path below the folder; empty: the path is the folder itself, or not in it. */
struct slice tar_path_below(struct slice path, struct slice folder);

/* The number of bytes of an archive's text that an error shows: its first line, or less. */
int tar_path_shown(struct slice);

/* Refuses a path, always returning -1: 400 "invalid path found: PATH (REASON)". */
int tar_path_refuse(struct slice path, const char *reason, struct err *);

#endif
