#ifndef STORE_PACKAGE_CRATE_DUE_H
#define STORE_PACKAGE_CRATE_DUE_H

/*
 * Updates the tables that searches and lists by name read (crate_search, crate_names).  A transaction that
 * changes a crate's versions leaves a row in crates_due, and the update follows it: the task update_search
 * does it for all crates, and a reader that asks for a crate by its exact name does it for that one.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/db/db.h"

/* *due: there is work for crate_due_update().  -1: 503. */
int crate_due_any(struct db *, struct arena *, bool *due, struct err *) __attribute__((warn_unused_result));

/*
 * Updates some crates, in a transaction of its own.  *n: how many changes it has handled; 0: there are no
 * more.  -1: 503, and nothing has changed.
 */
int crate_due_update(struct db *, struct arena *, int64_t *n, struct err *)
    __attribute__((warn_unused_result));

/*
 * Fills in a call to add to a round trip that reads crates of that name (in normal form) in these projects.
 */
void crate_due_look_call(struct db_call *, struct arena *, const int64_t *projects, size_t n,
    const char *normalized_name);

/*
 * Call it after that round trip: it updates the crates that are due.  True: there were some, so read again
 * what the other calls have read.  At a replica it changes nothing (db_defer_to_primary()).  If the update
 * fails, for example because the database is read-only, it logs the error and returns false, and the caller
 * uses what it has read.
 */
bool crate_due_update_looked(struct db *, struct arena *, const struct db_call *);

#endif
