#ifndef CRATE_ARCHIVE_FILE_TWICE_H
#define CRATE_ARCHIVE_FILE_TWICE_H

/*
 * The files of an archive, each as a hash of its path and its bytes.  A path may come a second time if it has
 * the same bytes, because every reader then gets the same file.
 */

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"

struct file_twice;

/* Loads all that it needs from the system.  NULL: err, 500. */
struct file_twice *file_twice_new(struct arena *, struct err *);

/* Before the first file: a process that was forked since has a key of its own.  -1: 500. */
int file_twice_start(struct file_twice *, struct err *) __attribute__((warn_unused_result));

/* A file begins.  again: its path came before, perhaps in other case.  -1: 400, it came too often. */
int file_twice_begin(struct file_twice *, struct slice path, bool again, struct err *)
    __attribute__((warn_unused_result));
void file_twice_data(struct file_twice *, struct slice);
/* The file has ended.  -1: 400 "invalid path found: ...", the earlier file of that path has other bytes. */
int file_twice_end(struct file_twice *, struct err *) __attribute__((warn_unused_result));

#endif
