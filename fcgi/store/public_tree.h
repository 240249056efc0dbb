#ifndef STORE_PUBLIC_TREE_H
#define STORE_PUBLIC_TREE_H

/*
 * The files in the tree of a public_dir (store/public_dir.h has their places), written and taken
 * away by its keeper: each at once, whole or not at all.  What was taken away is in the trash, and
 * is removed from there at leisure.
 */

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/slice.h"
#include "store/public_dir.h"

/*
 * Takes away an index file, by the crate's name in any case; all that can be downloaded of a crate,
 * by its very name, by anyone and in all generations; all of a project that anyone may read; all
 * that is for one generation; everything.  At once: whoever opens a file later does not find it.
 * *was_there: there was something.  -1: 500, 503, it may still be served.
 */
int public_tree_remove_index(struct public_dir *, int64_t project_id, const char *name,
    bool *was_there, struct err *) __attribute__((warn_unused_result));
int public_tree_remove_crate(struct public_dir *, int64_t project_id, const char *name,
    struct err *) __attribute__((warn_unused_result));
int public_tree_remove_project(struct public_dir *, int64_t project_id, struct err *)
    __attribute__((warn_unused_result));
int public_tree_remove_generations(struct public_dir *, struct err *)
    __attribute__((warn_unused_result));
int public_tree_remove_all(struct public_dir *, struct err *) __attribute__((warn_unused_result));

/*
 * An index file that is kept for the pool; generation becomes that for which it was there, ""
 * where it was not.  -1: 500, 503, it may still be read.
 */
int public_tree_remove_kept(struct public_dir *, int64_t project_id, const char *name,
    char generation[ACCESS_GENERATION_SIZE], struct err *) __attribute__((warn_unused_result));

/* Is it there? */
bool public_tree_has(struct public_dir *, const struct public_want *);

/*
 * Writes what was wanted, whole or not at all: the bytes of a file (`time` is its modification
 * time), or of a version a link to its blob.  -1: 500, 503.
 */
int public_tree_put(struct public_dir *, const struct public_want *, struct slice bytes,
    time_t time, struct err *) __attribute__((warn_unused_result));
int public_tree_put_link(struct public_dir *, const struct public_want *, const char *blob,
    struct err *) __attribute__((warn_unused_result));

/* Removes some of the trash; *more: there is more of it.  What cannot be removed is no error. */
void public_tree_sweep(struct public_dir *, bool *more);

#endif
