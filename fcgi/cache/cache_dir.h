#ifndef CACHE_CACHE_DIR_H
#define CACHE_CACHE_DIR_H

/*
 * cache_dir holds the files that nginx may send by itself, and the grants that say to whom.
 *
 *	project/7/config.json             one copy of each file, for all readers
 *	project/7/index/se/rd/serde.gz
 *	project/7/index/no/ne/none.absent a mark: there is no such crate
 *	project/7/crates/Serde/1.0.0      a symbolic link to the blob
 *	group/12/...                      the same of the registry of a group: a view
 *	grant/EPOCH/WHO/7                 a grant: a symbolic link to project/7
 *	grant/EPOCH/WHO/g12               a grant: a symbolic link to group/12
 *	grant/EPOCH/page/projects/...     pages (cache/cache_page.h)
 *	now/1790000000                    the lease: a symbolic link to grant/EPOCH
 *	stale/1790000000                  the same in stale mode, after the lease (cache/cache_stale.h)
 *	extract/7/KEY                     what workers keep for pages (cache/cache_extract.h)
 *	trash/                            files that were taken away, and files that are being written
 *	node, lock, hint                  the node's name, the keeper's lock, the workers' hints
 *
 * nginx reaches a file only through now/SECOND/WHO/PLACE/..., with the second of its own clock and
 * the WHO that it has proved (access/token.h): anyone, the address that asks, or the slot and handle of
 * a token.  So a keeper that is killed, hangs or cannot reach the database takes everything away by
 * doing nothing: no name exists for the seconds after its lease.
 *
 * The keeper syncs nothing to the disk: after a crash of the machine every lease has ended, and a
 * keeper that starts begins with an empty tree.
 *
 * This module has the directory, its lease and the hints; cache/cache_tree.h has the files,
 * cache/cache_grant.h the grants, cache/cache_extract.h the extracts.
 */

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/arena.h"
#include "base/err.h"
#include "cache/cache_path.h"

/* A read that a worker has answered from the database, and whose repetition nginx could answer. */
struct cache_hint {
	struct cache_who who; /* anyone, an address, or the handle of the token */
	unsigned char digest[TOKEN_DIGEST_SIZE]; /* of the token */
	struct cache_file file;
};

struct cache_dir;

/*
 * Makes the missing parts of the directory at `path`, which must exist, and takes the lock.  Changes
 * nothing else.  *out is NULL where another keeper has the lock.  -1: 500, 503.
 */
int cache_dir_open(const char *path, struct cache_dir **out, struct err *)
    __attribute__((warn_unused_result));
/* Releases the lock. */
void cache_dir_close(struct cache_dir *);

/* The node's name: 32 hexadecimal digits, kept in the directory. */
const char *cache_dir_node(const struct cache_dir *);

/*
 * Is what is open still what the path names, and are all parts of it there?  It is not where somebody has
 * emptied, removed or replaced the directory.
 */
bool cache_dir_is_intact(const struct cache_dir *);

/* Ends the lease, then takes all files and grants away.  -1: 500, 503, nginx may still serve files. */
int cache_dir_clear(struct cache_dir *, struct err *) __attribute__((warn_unused_result));

/*
 * The names end so many seconds before what they stand for: nginx reads its clock once per event, and may use
 * a name until its second ends.
 */
enum { CACHE_NAMES_SLACK = 2 };

/* Lets nginx use the grants from now to the end of second `last`.  -1: 500, 503. */
int cache_dir_lease(struct cache_dir *, time_t now, time_t last, struct err *)
    __attribute__((warn_unused_result));

/*
 * The same after the lease, by names below stale/, where nginx looks last: what it then sends may be out of
 * date.  -1: 500, 503.
 */
int cache_dir_stale(struct cache_dir *, time_t now, time_t last, struct err *)
    __attribute__((warn_unused_result));

/* Removes all names below stale/.  -1: 500, 503, nginx may still send stale files. */
int cache_dir_end_stale(struct cache_dir *, struct err *) __attribute__((warn_unused_result));

/*
 * Ends the epoch: all its grants are gone at once, and files stay.  The keeper makes no grants until
 * the next epoch begins.  -1: 500, 503, the grants may still work.
 */
int cache_dir_end_epoch(struct cache_dir *, struct err *) __attribute__((warn_unused_result));

/* Begins an epoch, where there is none, and points the lease at its grants.  -1: 500, 503. */
int cache_dir_begin_epoch(struct cache_dir *, const char *epoch, struct err *)
    __attribute__((warn_unused_result));

/* The epoch of the grants; "": none. */
const char *cache_dir_epoch(const struct cache_dir *);

/* Moves the file or directory into the trash in one step; a missing one is no error.  -1: 500, 503. */
int cache_dir_discard(struct cache_dir *, const char *path, struct err *) __attribute__((warn_unused_result));

/* May the trash have files that can be removed?  Removes some.  A file that cannot be removed is no error. */
bool cache_dir_has_trash(const struct cache_dir *);
void cache_dir_sweep(struct cache_dir *);

/* A descriptor that is readable while there are hints, and the next hint. */
int cache_dir_hint_fd(const struct cache_dir *);
bool cache_dir_next_hint(struct cache_dir *, struct cache_hint *);

/* Any process may call it.  The hint is lost without a keeper, and while too many hints wait. */
void cache_dir_leave_hint(const char *path, const struct cache_hint *);

#endif
