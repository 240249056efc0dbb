#ifndef CACHE_CACHE_DIR_H
#define CACHE_CACHE_DIR_H

/*
 * cache_dir: what nginx may send by itself, and to whom.
 *
 *	project/7/config.json             one copy of each file, whoever may read it
 *	project/7/index/se/rd/serde.gz
 *	project/7/crates/Serde/1.0.0      a symbolic link to the blob
 *	grant/EPOCH/WHO/7                 a grant: a symbolic link to project/7
 *	now/1790000000                    the lease: a symbolic link to grant/EPOCH
 *	trash/                            what was taken away and what is being written
 *	node, lock, hint                  the node's name, the keeper's lock, what workers ask for
 *
 * nginx reaches a file only through now/SECOND/WHO/PROJECT/..., with the second of its own clock and
 * the WHO that it has proved (access/token.h): anyone, or the slot and handle of a token.  So a keeper
 * that is killed, hangs or cannot reach the database takes everything away by doing nothing: there is
 * no name for the seconds after its lease.
 *
 * Nothing is synced to the disk: after a crash of the machine no lease is left, and a keeper that
 * starts begins with an empty tree.
 *
 * Here are the directory, its lease and the hints of workers; files are in cache/cache_tree.h, grants
 * in cache/cache_grant.h.
 */

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/arena.h"
#include "base/err.h"
#include "cache/cache_path.h"

/* A worker has answered this read from the database; nginx could answer the next one. */
struct cache_hint {
	struct cache_who who; /* anyone, or the handle of the token */
	unsigned char digest[TOKEN_DIGEST_SIZE]; /* of the token */
	struct cache_file file;
};

struct cache_dir;

/*
 * Makes what is missing below `path`, which must be there, and takes the lock; nothing in it
 * changes otherwise.  *out is NULL where another keeper has the lock.  -1: 500, 503.
 */
int cache_dir_open(const char *path, struct cache_dir **out, struct err *)
    __attribute__((warn_unused_result));
/* Gives the lock back. */
void cache_dir_close(struct cache_dir *);

/* 32 hexadecimal digits, which the directory keeps. */
const char *cache_dir_node(const struct cache_dir *);

/* Ends the lease, then takes all files and grants away.  -1: 500, 503, files may still be served. */
int cache_dir_clear(struct cache_dir *, struct err *) __attribute__((warn_unused_result));

/* Lets nginx look into the grants from now to the end of second `last`.  -1: 500, 503. */
int cache_dir_lease(struct cache_dir *, time_t now, time_t last, struct err *)
    __attribute__((warn_unused_result));

/*
 * Ends the epoch: its grants are gone at once, all of them; files stay.  Until the next one begins
 * nothing is granted.  -1: 500, 503, they may still hold.
 */
int cache_dir_end_epoch(struct cache_dir *, struct err *) __attribute__((warn_unused_result));

/* Begins an epoch, where there is none: the lease leads to its grants.  -1: 500, 503. */
int cache_dir_begin_epoch(struct cache_dir *, const char *epoch, struct err *)
    __attribute__((warn_unused_result));

/* That of the grants; "": there is none. */
const char *cache_dir_epoch(const struct cache_dir *);

/* Removes some of the trash; *more: there is more of it.  What cannot be removed is no error. */
void cache_dir_sweep(struct cache_dir *, bool *more);

/* A descriptor that can be read while there are hints, and the next of them. */
int cache_dir_hint_fd(const struct cache_dir *);
bool cache_dir_next_hint(struct cache_dir *, struct cache_hint *);

/* By any process.  Where there is no keeper, or there are too many hints already, it is lost. */
void cache_dir_leave_hint(const char *path, const struct cache_hint *);

#endif
