#ifndef STORE_BLOB_BLOB_STORE_H
#define STORE_BLOB_BLOB_STORE_H

/* The store as a whole: its directories, and whether they can be used. */

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

/*
 * Makes STORE and its staging, trash and nodes where they are missing.  Checks that they are writable
 * and on one file system.
 */
int blob_store_check(const char *store, struct err *) __attribute__((warn_unused_result));

/* Changes nothing: is STORE writable, or can it be made, as blob_store_check() does?  -1: 500. */
int blob_store_test(const char *store, struct err *) __attribute__((warn_unused_result));

/*
 * Can blobs be read, and, if asked, written?  Then a staging file is made, written to and
 * removed with the arena.  -1: as blob_stage.
 */
int blob_store_probe(struct arena *, const char *store, bool write, struct err *)
    __attribute__((warn_unused_result));

/* Bytes that the store's file system has left for us.  -1: 500, as where there is no store. */
int blob_store_free(const char *store, int64_t *bytes, struct err *)
    __attribute__((warn_unused_result));

#endif
