#ifndef STORE_MIGRATE_STEP_H
#define STORE_MIGRATE_STEP_H

/*
 * How a migration is applied while the pool serves.  Its file is one transaction, or several steps,
 * each below a line of its own, of which each is done once, also when a run ends in between:
 *
 *	-- step: transaction     the text is one transaction
 *	-- step: index NAME      the text is CREATE INDEX CONCURRENTLY NAME, which locks nobody out
 *	-- step: batches TABLE   the text is one statement, run again and again: $1 is how far it has
 *	                         come, 0 at first, and its one row says how far it is now, NULL at the end
 *
 * A request waits behind whoever waits for a lock that excludes it.  So no step waits long for a
 * lock: it gives up, lets the requests pass, and tries again.
 */

#include <stddef.h>

#include <libpq-fe.h>

#include "base/arena.h"
#include "base/err.h"
#include "store/migrate.h"

enum migrate_step_kind { STEP_TRANSACTION, STEP_INDEX, STEP_BATCHES };

struct migrate_step {
	enum migrate_step_kind kind;
	const char *name; /* of the index or the table; NULL: a transaction */
	const char *text;
};

/* The steps of a migration, one at least, in order. */
size_t migrate_steps(struct arena *, const struct migration *, struct migrate_step **);

/* What runs inside a transaction; it must bear to be run again. */
struct migrate_body {
	int (*run)(PGconn *, void *arg, struct err *);
	void *arg;
};

/*
 * BEGIN, the body, COMMIT; again and again where a lock cannot be had at once.  `what` names it in
 * errors.  -1: 503 where there was no lock for two minutes; else as the body.  Nothing is done then.
 */
int migrate_transaction(PGconn *, const char *what, const struct migrate_body *, struct err *)
    __attribute__((warn_unused_result));

/*
 * Runs one step, and `record` in the same transaction where the step is one, else in one of its own
 * when the step is done.  -1: as migrate_transaction; batches that were done, stay.
 */
int migrate_step_run(PGconn *, const char *what, const struct migrate_step *,
    const struct migrate_body *record, struct err *) __attribute__((warn_unused_result));

#endif
