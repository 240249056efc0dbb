#ifndef TRANSFER_IMPORT_FILES_H
#define TRANSFER_IMPORT_FILES_H

/* Reads files, and finds all regular files in a directory and below it. */

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"

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

/* Reads a file of a directory, of up to `max` bytes.  -1: 400, it is larger, a link, or cannot be read. */
int import_files_read(struct arena *, const char *path, size_t max, struct slice *, struct err *)
    __attribute__((warn_unused_result));

/*
 * Reads a file that a person has named: as above, but it may be a symbolic link, as mounted secrets are, or a
 * pipe, as with <(command) in a shell.  A byte order mark, which editors of Windows put before the text, is
 * passed over.
 */
int import_files_read_given(struct arena *, const char *path, size_t max, struct slice *, struct err *)
    __attribute__((warn_unused_result));

/* Do the files have the same bytes?  -1: 400, one of them cannot be read. */
int import_files_compare(const char *path, const char *other, bool *same, struct err *)
    __attribute__((warn_unused_result));

#endif
