#ifndef TRANSFER_IMPORT_FILES_H
#define TRANSFER_IMPORT_FILES_H

/* All regular files in a directory and below it. */

#include "base/arena.h"
#include "base/err.h"

enum { IMPORT_DEPTH_MAX = 16 }; /* directories below one another */

/*
 * Calls take(arg, path, name) for each file, where `name` is the last part of `path`, which lives in the
 * arena.  It ignores links, names that begin with a dot, and what goes away meanwhile, as a server may still
 * use the directory.  -1: 400, a directory cannot be read; or what
 * take returns.
 */
int import_files_walk(struct arena *, const char *directory,
    int (*take)(void *arg, const char *path, const char *name, struct err *), void *arg, struct err *)
    __attribute__((warn_unused_result));

#endif
