#ifndef STORE_PACKAGE_CRATE_DUE_H
#define STORE_PACKAGE_CRATE_DUE_H

/*
 * What searches and lists by name need of a crate (crate_search, crate_names): it is brought up to date after
 * the transaction that changes its versions, which leaves a row of crates_due.  The task update_search
 * does that for all, and who asks for a crate by its exact name for that one.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/db/db.h"

/* Is there anything to do for crate_due_update()?  -1: 503. */
int crate_due_any(struct db *, struct arena *, bool *due, struct err *) __attribute__((warn_unused_result));

/*
 * Brings some crates up to date, in a transaction of its own.  *n: how many changes that were; 0: there
 * are no more.  -1: 503, and nothing is done.
 */
int crate_due_update(struct db *, struct arena *, int64_t *n, struct err *)
    __attribute__((warn_unused_result));

/* One more call of a round trip that reads crates of that name, in normal form, in these projects. */
void crate_due_look_call(struct db_call *, struct arena *, const int64_t *projects, size_t n,
    const char *normalized_name);

/*
 * After that round trip: brings the crates that are due up to date.  True: there were some, and what the
 * other calls have read is to be read again; at a replica, nothing is done (db_defer_to_primary()).  Where
 * that is impossible, as while the database only
 * reads, the log has it, and what was read is as good as there is.
 */
bool crate_due_update_looked(struct db *, struct arena *, const struct db_call *);

#endif
