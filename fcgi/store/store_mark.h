#ifndef STORE_STORE_MARK_H
#define STORE_STORE_MARK_H

/*
 * May a collection take anything?  Only where the database is sure to know all that the store is
 * needed for:
 *
 *	STORE/collection-mark has a random number that the database has, too.  Each collection moves
 *	both on before it begins, unless that was done within the last 10 minutes.  A database that was restored from a dump of before has another
 *	mark than the store, as has one that was copied and then used with a copy of the store:
 *	they are refused until `berth store adopt`.  A store that was put back has another mark,
 *	too.  What is not noticed is a dump that is younger than the last collection.
 *
 *	A database must have been with its store for as long as unused blobs are kept.
 *
 * What would take more than 1 % of the files, and more than 100, is held until an administrator
 * confirms it, once.
 */

#include <stdbool.h>
#include <stdint.h>

#include "store/audit.h"
#include "store/db.h"

#define STORE_MARK_FILE "collection-mark"

enum { STORE_TAKE_MIN = 100, STORE_TAKE_PERCENT = 1 };

struct store_leave {
	int64_t wait_s; /* nothing may be collected for so many seconds yet */
	int64_t confirmed; /* files that an administrator has let go; 0: none */
};

/*
 * Compares the marks of database and store, and, where a collection begins, moves them on.  keep: seconds
 * that unused blobs are kept.  -1: 409 where they are not the same, 500, 503.
 */
int store_mark_check(struct db *, struct arena *, const char *store, int64_t keep, bool begin,
    struct store_leave *, struct err *) __attribute__((warn_unused_result));

/* How many of so many files a collection may take without being confirmed. */
int64_t store_take_max(int64_t files);

/* Notes that a collection of `due` of `files` waits to be confirmed; 0: that none does. */
int store_hold(struct db *, struct arena *, int64_t due, int64_t files, struct err *)
    __attribute__((warn_unused_result));

/* Lets one collection take what waits, and wakes the collector.  *files: how many.  -1: 409, none waits. */
int store_confirm(struct db *, struct arena *, const struct audit_actor *, int64_t *files, struct err *)
    __attribute__((warn_unused_result));

/*
 * Store and database belong together from now on, whatever was before: the store gets the
 * database's id and a new mark, and the first period begins.  was: the id that the store had, or NULL.
 */
int store_adopt(struct db *, struct arena *, const struct audit_actor *, const char *store,
    const char *registry, const char *was, struct err *) __attribute__((warn_unused_result));

/* For administrators and monitoring. */
struct store_status {
	const char *registry;
	int64_t adopted_at; /* these in seconds since 1970; 0: never */
	const char *mark, *next_mark; /* NULL: there is none */
	int64_t held_at, held_files, held_of;
	int64_t confirmed_at;
};

int store_status_read(struct db *, struct arena *, struct store_status *, struct err *)
    __attribute__((warn_unused_result));

#endif
