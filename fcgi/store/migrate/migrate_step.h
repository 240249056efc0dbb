#ifndef STORE_MIGRATE_MIGRATE_STEP_H
#define STORE_MIGRATE_MIGRATE_STEP_H

/*
 * Applies a migration while the pool serves.  Its file is one transaction, or several steps, each below a
 * line of its own.  Each step runs once, even if a run ends between two steps:
 *
 *	-- step: transaction     the text is one transaction
 *	-- step: index NAME      the text is CREATE INDEX CONCURRENTLY NAME, which blocks nobody
 *	-- step: batches TABLE   the text is one statement that runs again and again: $1 is its progress,
 *	                         0 at first, and its one row is the new progress, NULL at the end
 *
 * A request queues behind a session that waits for a conflicting lock.  So no step waits long for a
 * lock: it gives up, lets the requests pass, and tries again.
 */

#include <stddef.h>

#include <libpq-fe.h>

#include "base/arena.h"
#include "base/err.h"
#include "store/db/migrations.h"

enum migrate_step_kind { STEP_TRANSACTION, STEP_INDEX, STEP_BATCHES };

struct migrate_step {
	enum migrate_step_kind kind;
	const char *name; /* of the index or the table; NULL: a transaction */
	const char *text;
};

/* The steps of a migration in order, at least one. */
size_t migrate_steps(struct arena *, const struct migration *, struct migrate_step **);

/* The body of a transaction; it must be repeatable. */
struct migrate_body {
	int (*run)(PGconn *, void *arg, struct err *);
	void *arg;
};

/*
 * Runs BEGIN, the body and COMMIT; again and again while another session holds a lock.  `what` names it
 * in errors.  -1: 503 no lock for two minutes, else as the body; the transaction is rolled back.
 */
int migrate_transaction(PGconn *, const char *what, const struct migrate_body *, struct err *)
    __attribute__((warn_unused_result));

/*
 * Runs one step, and then `record`: in the same transaction where the step is one, else in a transaction
 * of its own.  -1: as migrate_transaction; finished batches stay.
 */
int migrate_step_run(PGconn *, const char *what, const struct migrate_step *,
    const struct migrate_body *record, struct err *) __attribute__((warn_unused_result));

#endif
