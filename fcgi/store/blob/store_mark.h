#ifndef STORE_BLOB_STORE_MARK_H
#define STORE_BLOB_STORE_MARK_H

/*
 * Decides whether a collection may remove files.  It may only while the database surely knows all
 * blobs that the registry needs:
 *
 *	Marks.  STORE/collection-mark and the database have the same random number.  Each collection
 *	changes both before it begins, at most every 10 minutes.  The marks differ when an older
 *	copy of the database or of the store comes back, or when a copy of both was used in between.
 *
 *	Dumps.  The row of store_state names the transaction that wrote it, and a row that comes out of
 *	a dump does not.  So a restored dump is noticed even when it is younger than the last
 *	collection.  A physical copy (a base backup, a snapshot) keeps rows as they were: only the
 *	marks tell that it is older.
 *
 *	First period.  The database has had its store for as long as unused blobs are kept.
 *
 * `berth store adopt` settles the first two and begins a new first period.
 *
 * A collection that would remove more than 1 % of the files, and more than 100, waits until an
 * administrator confirms it.  A confirmation holds for one collection.
 */

#include <stdbool.h>
#include <stdint.h>

#include "store/audit.h"
#include "store/blob/blob_kind.h"
#include "store/db/db.h"

#define STORE_MARK_FILE "collection-mark"

enum { STORE_TAKE_MIN = 100, STORE_TAKE_PERCENT = 1 };

struct store_leave {
	int64_t wait_s; /* seconds until the first period ends; 0: it has ended */
	int64_t confirmed; /* files whose removal an administrator has confirmed; 0: none */
};

/*
 * Compares the marks of database and store, and changes them where a collection begins.  keep: seconds
 * that unused blobs are kept.  -1: 409 where the marks differ or the database was restored from a
 * dump, 500, 503.
 */
int store_mark_check(struct db *, struct arena *, const struct blob_store *, int64_t keep, bool begin,
    struct store_leave *, struct err *) __attribute__((warn_unused_result));

/* How many of `files` files a collection may remove without a confirmation. */
int64_t store_take_max(int64_t files);

/* Notes that a collection of `due` of `files` files waits for a confirmation.  due 0: none waits. */
int store_hold(struct db *, struct arena *, int64_t due, int64_t files, struct err *)
    __attribute__((warn_unused_result));

/*
 * Confirms the collection that waits, and wakes the collector.  *files: how many it may remove.
 * -1: 409 none waits.
 */
int store_confirm(struct db *, struct arena *, const struct audit_actor *, int64_t *files, struct err *)
    __attribute__((warn_unused_result));

/*
 * Joins store and database, whatever they were before: the store gets the database's id and a new
 * mark, and the first period begins.  If the database was restored from a dump, the tasks of nodes that
 * are gone are removed.  was: the id that the store had, or NULL.
 */
int store_adopt(struct db *, struct arena *, const struct audit_actor *, const struct blob_store *,
    const char *registry, const char *was, struct err *) __attribute__((warn_unused_result));

/* For administrators and monitoring. */
struct store_status {
	const char *registry;
	int64_t adopted_at; /* times are seconds since 1970; 0: never */
	const char *mark, *next_mark; /* NULL: none */
	int64_t held_at, held_files, held_of;
	int64_t confirmed_at;
	bool restored; /* from a dump, and not adopted since */
};

int store_status_read(struct db *, struct arena *, struct store_status *, struct err *)
    __attribute__((warn_unused_result));

#endif
