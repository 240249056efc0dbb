#ifndef STORE_BLOB_BLOB_LINE_H
#define STORE_BLOB_BLOB_LINE_H

/*
 * Files of one line in a store that is a directory.  store_file.h has those of any store, and what they
 * mean.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* Names are relative to the store; their directory must exist. */

/*
 * 1: `line` has the file's first line, cut to fit.  0: there is no such file.  -1: 500, also without a
 * store.
 */
int blob_line_read(const char *store, const char *name, char *line, size_t size, struct err *)
    __attribute__((warn_unused_result));

/*
 * Writes the file with this line.  A root process gives it to the owner of the store.
 * replace: overwrites a file that is there.  1: written, 0: a file is there already, -1: 503, 500.
 */
int blob_line_write(const char *store, const char *name, const char *line, bool replace, struct err *)
    __attribute__((warn_unused_result));

#endif
