#ifndef STORE_BLOB_BLOB_STORE_H
#define STORE_BLOB_BLOB_STORE_H

/* The store as a whole: its place, and checks whether it can be used. */

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "net/s3.h"
#include "store/blob/blob_kind.h"

/* The beginning of the name of an object store. */
#define BLOB_STORE_S3 "s3://"

/*
 * Checks the name of a store: an absolute path, or s3://BUCKET[/PREFIX].  Returns NULL, or what is wrong,
 * as the end of a sentence that the caller begins ("must be ...").
 */
const char *blob_store_name_check(const char *name);

/*
 * Makes the store of that name, which must have passed the check.  copies: the directory of this node's
 * copies, for an object store.  conf: how to reach the object store; the name has its bucket and prefix.  It
 * does not use the store yet.
 */
struct blob_store *blob_store_new(struct arena *, const char *name, const char *copies,
    const struct s3_conf *conf);

/*
 * Sets how long one request to an object store may take, with its repetitions.  Returns the previous value.
 */
int64_t blob_store_set_patience(struct blob_store *, int64_t ms);

/*
 * Sets when all further requests to an object store give up: a time of clock_us(), 0 for none.
 */
void blob_store_set_deadline(struct blob_store *, int64_t us);

/* Calls watch after each request to an object store; other kinds of store make none. */
void blob_store_watch(struct blob_store *, s3_watch_fn *watch, void *arg);

/* For a program that nobody waits for: a transfer may take any time as long as bytes arrive. */
void blob_store_be_patient(struct blob_store *);

/*
 * Checks that its directory is writable, or that kind->check() could make it, and changes nothing.  -1:
 * 500.
 */
int blob_store_test(const struct blob_store *, struct err *) __attribute__((warn_unused_result));

/*
 * Checks that blobs can be read.  write: also that they can be written, by a staging file that the arena
 * removes.  It does not ask an object store.  -1: as blob_stage.
 */
int blob_store_probe(struct arena *, const struct blob_store *, bool write, struct err *)
    __attribute__((warn_unused_result));

/*
 * Asks an object store for its registry's id by GET, as reads do, and by HEAD, as checks and repeated
 * publishes do.  Does not ask the other kinds.  -1: 503; *refused: the store has answered.
 */
int blob_store_ask(struct arena *, const struct blob_store *, bool *refused, struct err *)
    __attribute__((warn_unused_result));

/*
 * For a process that stores many blobs: makes the 256 directories that have the directories of blobs, and
 * syncs their names to the disk once, so that not every blob has to.  The store must be the registry's.  -1:
 * as blob_stage; blobs can be stored nevertheless.
 */
int blob_store_prepare(struct blob_store *, struct err *) __attribute__((warn_unused_result));

/* The free bytes of the file system of the store's directory.  -1: 500, also if there is no store. */
int blob_store_free(const struct blob_store *, int64_t *bytes, struct err *)
    __attribute__((warn_unused_result));

#endif
