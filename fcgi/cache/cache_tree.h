#ifndef CACHE_CACHE_TREE_H
#define CACHE_CACHE_TREE_H

/*
 * The files of projects and groups in cache_dir (cache/cache_dir.h has their places).  The keeper writes
 * and removes each in one step, whole or not at all.  A file says what the registry holds; grants say who
 * may read it.
 */

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/slice.h"
#include "cache/cache_dir.h"

/*
 * Removes the index file of a crate, or the mark that there is none, by its name in any case; the downloads
 * of a crate, by its exact name; all files of a namespace, and of a project its extracts.  Nobody can open
 * them any more when it returns.
 * *was_there: the file, or the mark, existed.  -1: 500, 503, nginx may still serve it.
 */
int cache_tree_remove_index(struct cache_dir *, const struct cache_file *, bool *was_there, struct err *)
    __attribute__((warn_unused_result));
int cache_tree_remove_crate(struct cache_dir *, int64_t namespace, const char *name,
    struct err *) __attribute__((warn_unused_result));
int cache_tree_remove_namespace(struct cache_dir *, int64_t namespace, struct err *)
    __attribute__((warn_unused_result));

/* Does the file exist? */
bool cache_tree_has(const struct cache_dir *, const struct cache_file *);

/*
 * Writes a file, whole or not at all: its bytes, with `time` as modification time; for a crate a
 * symbolic link to its blob.  -1: 500, 503.
 */
int cache_tree_put(struct cache_dir *, const struct cache_file *, struct slice bytes, time_t time,
    struct err *) __attribute__((warn_unused_result));
int cache_tree_put_link(struct cache_dir *, const struct cache_file *, const char *blob,
    struct err *) __attribute__((warn_unused_result));

/*
 * Puts a mark for a crate that does not exist, by its name in any case.  It keeps a mark that is already
 * there.  If a caller with a grant asks for the crate, nginx finds the mark and answers 404 by itself.
 * Readers choose the names, so the number of marks is limited: a new one replaces the oldest, and folders
 * that are then empty are removed.  -1: 400: the name cannot be that of a crate; 500, 503.
 */
enum { CACHE_ABSENT_MAX = 10000 };
int cache_tree_mark_absent(struct cache_dir *, int64_t namespace, const char *name, struct err *)
    __attribute__((warn_unused_result));

#endif
