#ifndef STORE_BLOB_STORE_FILE_H
#define STORE_BLOB_STORE_FILE_H

/*
 * Small files of one line in the store that are no blobs: the id of its registry, its mark, and one for
 * each node.  A reader sees the old line or the new one, also after a crash.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "store/blob/blob_kind.h"

/*
 * 1: `line` has the file's first line, cut to fit.  0: there is no such file.  -1: 500, 503, also without a
 * store.
 */
static inline int __attribute__((warn_unused_result))
store_file_read(const struct blob_store *store, const char *name, char *line, size_t size, struct err *err)
{
	return store->kind->read_line(store, name, line, size, err);
}

/*
 * Writes the file with this line.  replace: overwrites a file that is there.  1: written, 0: a file is
 * there already, -1: 503, 500.
 */
static inline int __attribute__((warn_unused_result))
store_file_write(const struct blob_store *store, const char *name, const char *line, bool replace,
    struct err *err)
{
	return store->kind->write_line(store, name, line, replace, err);
}

#endif
