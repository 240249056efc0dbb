#ifndef STORE_BLOB_BLOB_STORE_H
#define STORE_BLOB_BLOB_STORE_H

/* The store as a whole: where it is, and whether it can be used. */

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "net/s3.h"
#include "store/blob/blob_kind.h"

/* What begins with this is an object store. */
#define BLOB_STORE_S3 "s3://"

/*
 * NULL, or what is wrong with the name of a store: it is an absolute path, or s3://BUCKET[/PREFIX].  The
 * rest of the sentence is the caller's.
 */
const char *blob_store_name_check(const char *name);

/*
 * The store of that name, which has passed the check.  copies: the directory of this node's copies, for an
 * object store.  conf: how to reach that; its bucket and prefix are taken from the name.  Touches nothing
 * yet.
 */
struct blob_store *blob_store_new(struct arena *, const char *name, const char *copies,
    const struct s3_conf *conf);

/* How long one request to an object store may take, with its repetitions.  Returns what it was. */
int64_t blob_store_set_patience(struct blob_store *, int64_t ms);

/* Calls watch after each request to an object store; no other kind has any. */
void blob_store_watch(struct blob_store *, s3_watch_fn *watch, void *arg);

/* For a program that nobody waits for: a transfer may take as long as it goes on. */
void blob_store_be_patient(struct blob_store *);

/* Changes nothing: is its directory writable, or can it be made, as kind->check() does?  -1: 500. */
int blob_store_test(const struct blob_store *, struct err *) __attribute__((warn_unused_result));

/*
 * Can blobs be read, and, if asked, written?  Then a staging file is made, written to and
 * removed with the arena.  Asks no object store.  -1: as blob_stage.
 */
int blob_store_probe(struct arena *, const struct blob_store *, bool write, struct err *)
    __attribute__((warn_unused_result));

/*
 * Bytes that the file system of the store's directory has left for us.  -1: 500, as where there is no
 * store.
 */
int blob_store_free(const struct blob_store *, int64_t *bytes, struct err *)
    __attribute__((warn_unused_result));

#endif
