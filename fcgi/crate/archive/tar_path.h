#ifndef CRATE_ARCHIVE_TAR_PATH_H
#define CRATE_ARCHIVE_TAR_PATH_H

/*
 * What a path inside a crate may look like: relative, UTF-8, and the same
 * file on every system that cargo unpacks on.
 */

#include <stdbool.h>

#include "base/err.h"
#include "base/slice.h"

enum { TAR_PATH_MAX = 1024 };

/* Only of a directory may the path end in a slash.  -1: 400 "invalid path found: ...". */
int tar_path_check(struct slice path, bool directory, struct err *)
    __attribute__((warn_unused_result));

/* What comes below the folder; empty: the path is the folder itself, or elsewhere. */
struct slice tar_path_below(struct slice path, struct slice folder);

/* How many bytes of an archive's text a sentence shows: its first line, or less. */
int tar_path_shown(struct slice);

/* Refuses a path, always returning -1: 400 "invalid path found: PATH (REASON)". */
int tar_path_refuse(struct slice path, const char *reason, struct err *);

#endif
