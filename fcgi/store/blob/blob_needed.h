#ifndef STORE_BLOB_BLOB_NEEDED_H
#define STORE_BLOB_BLOB_NEEDED_H

/* The blobs that versions need, by the database. */

#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "store/db/db.h"

/* Called for each blob; the arena lives as long as the call.  -1: stop, with err. */
typedef int blob_needed_fn(void *arg, struct arena *, const char *sha256, int64_t size, struct err *);

/* Goes over all of them in the order of their names, page by page.  -1: 503, or the error of the function. */
int blob_needed_each(struct db *, blob_needed_fn *, void *arg, struct err *)
    __attribute__((warn_unused_result));

#endif
