#ifndef STORE_PUBLIC_DIR_H
#define STORE_PUBLIC_DIR_H

/*
 * The directory of `public_dir`: what anyone may read, and what who shows a signature, as files that
 * nginx sends without asking the application, and what the pool sends to whom it has let in.  One
 * process of a node writes there, its keeper (jobs/public_keeper.h), which also says why none of
 * these files is ever stale; workers only leave word there of what was asked for and is not there.
 *
 *	tree/index/7/se/rd/serde.gz       an index file, compressed
 *	tree/index/7/config.json
 *	tree/crates/7/Serde/1.0.0         a symbolic link to the blob
 *	tree/signed/GENERATION/7/Serde/1.0.0  the same, for whom the pool has signed the address in
 *	                                  that generation (access/signed_download.h)
 *	tree/kept/GENERATION/7/se/rd/serde    an index file for the pool (store/kept_index.h)
 *	now/1790000000                    a symbolic link to ../tree: the lease of that second
 *	trash/                            what was taken away and what is being written
 *	node, lock, want                  the node's name, the keeper's lock, what workers ask for
 *
 * nginx looks for tree/... by way of now/<seconds since 1970>/..., with its own clock.  So a
 * keeper that is killed, hangs or cannot reach the database takes the files away by doing
 * nothing: no name is there for the seconds after its lease.
 *
 * Nothing is synced to the disk: after a crash of the machine no lease is left, and a keeper that
 * starts begins with an empty tree.
 *
 * Here are the directory, its lease and what is wanted of it; its files are in store/public_tree.h.
 */

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/arena.h"
#include "base/err.h"
#include "crate/crate_name.h"
#include "crate/semver.h"
#include "store/access_generation.h"

/* What was asked for and was not there. */
struct public_want {
	int64_t project_id;
	char name[CRATE_NAME_MAX + 1]; /* "": config.json */
	char version[SEMVER_MAX + 1]; /* "": the index file */
	/* for whom a decision of that generation has let in: a crate, an index file; "": for anyone */
	char generation[ACCESS_GENERATION_SIZE];
};

struct public_dir;

/*
 * Makes what is missing below `path`, which must be there, and takes the lock; nothing in it
 * changes otherwise.  *out is NULL where another keeper has the lock.  -1: 500, 503.
 */
int public_dir_open(const char *path, struct public_dir **out, struct err *)
    __attribute__((warn_unused_result));
/* Gives the lock back. */
void public_dir_close(struct public_dir *);

/* 32 hexadecimal digits, which the directory keeps. */
const char *public_dir_node(const struct public_dir *);

/* Ends the lease, then empties the tree.  -1: 500, 503, files may still be served. */
int public_dir_clear(struct public_dir *, struct err *) __attribute__((warn_unused_result));

/* Lets nginx look into the tree from now to the end of second `last`.  -1: 500, 503. */
int public_dir_lease(struct public_dir *, time_t now, time_t last, struct err *)
    __attribute__((warn_unused_result));

/* A descriptor that can be read while something is wanted, and the next of it. */
int public_dir_want_fd(const struct public_dir *);
bool public_dir_next_want(struct public_dir *, struct public_want *);

/*
 * By any process, which closes it: an index file that is kept for the pool, by the lease of that
 * second.  -1: it is not there.
 */
int public_dir_open_kept(struct arena *, const char *path, time_t now, const struct public_want *);

/* By any process: leaves word.  Where there is no keeper, or too much is wanted already, none. */
void public_dir_leave_want(const char *path, const struct public_want *);

#endif
