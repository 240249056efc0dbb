#ifndef STORE_BLOB_STORE_FILE_H
#define STORE_BLOB_STORE_FILE_H

/*
 * Small files of one line in the store that are no blobs: the id of its registry, its mark, and one for
 * each node.  A reader sees the old line or the new one, also after a crash.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* Names are relative to the store; their directory must exist. */

/*
 * 1: `line` has the file's first line, cut to fit.  0: there is no such file.  -1: 500, also
 * without a store.
 */
int store_file_read(const char *store, const char *name, char *line, size_t size, struct err *)
    __attribute__((warn_unused_result));

/*
 * Writes the file with this line.  A root process gives it to the owner of the store.
 * replace: overwrites a file that is there.  1: written, 0: a file is there already, -1: 503, 500.
 */
int store_file_write(const char *store, const char *name, const char *line, bool replace, struct err *)
    __attribute__((warn_unused_result));

#endif
