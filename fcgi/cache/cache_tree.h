#ifndef CACHE_CACHE_TREE_H
#define CACHE_CACHE_TREE_H

/*
 * The files of projects in cache_dir (cache/cache_dir.h has their places), written and taken away by
 * the keeper: each at once, whole or not at all.  A file says what the project holds, not who may
 * read it: that is what grants are for.
 */

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/slice.h"
#include "cache/cache_dir.h"

/*
 * Takes away the index file of a crate, by its name in any case; what can be downloaded of a crate,
 * by its very name; all of a project.  At once: whoever opens a file later does not find it.
 * *was_there: there was one.  -1: 500, 503, it may still be served.
 */
int cache_tree_remove_index(struct cache_dir *, int64_t project_id, const char *name,
    bool *was_there, struct err *) __attribute__((warn_unused_result));
int cache_tree_remove_crate(struct cache_dir *, int64_t project_id, const char *name,
    struct err *) __attribute__((warn_unused_result));
int cache_tree_remove_project(struct cache_dir *, int64_t project_id, struct err *)
    __attribute__((warn_unused_result));

/* Is it there? */
bool cache_tree_has(struct cache_dir *, const struct cache_file *);

/*
 * Writes a file, whole or not at all: its bytes (`time` is its modification time), or of a crate a
 * symbolic link to its blob.  -1: 500, 503.
 */
int cache_tree_put(struct cache_dir *, const struct cache_file *, struct slice bytes, time_t time,
    struct err *) __attribute__((warn_unused_result));
int cache_tree_put_link(struct cache_dir *, const struct cache_file *, const char *blob,
    struct err *) __attribute__((warn_unused_result));

/*
 * Gives what is `from` below cache_dir its place, and makes the directories that are missing; it
 * takes the place of what is there.  -1: 500, 503.
 */
int cache_tree_place(struct cache_dir *, const char *from, char path[CACHE_PATH_SIZE], struct err *)
    __attribute__((warn_unused_result));

#endif
