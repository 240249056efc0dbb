#ifndef TRANSFER_EXPORT_GONE_H
#define TRANSFER_EXPORT_GONE_H

/*
 * Removes from an export what it no longer serves.  An index that an export has replaced lies in
 * DIR/index.replaced until this is done; it says which crates exports have written, and nothing else is
 * removed: a file with another name, or with other bytes than its line says, belongs to somebody else.  Each
 * file of that index goes after its crates, so that the next export goes on where one was killed.
 */

#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"

#define EXPORT_INDEX "index"
#define EXPORT_REPLACED "index.replaced"

/*
 * Removes the crates of DIR/index.replaced that neither DIR/index nor DIR/unfinished has, and then that
 * index.  Other people's files in it move to DIR/index.  root: DIR, open.  unfinished: an index that an
 * export was writing when it was killed, so that its crates need not be copied again; NULL: there is none.
 * *removed grows by the number of crates.  -1: 400, a file or directory cannot be read or removed.
 */
int export_gone_remove(struct arena *, int root, const char *dir, const char *unfinished, size_t *removed,
    struct err *) __attribute__((warn_unused_result));

#endif
