#ifndef API_APP_GUARD_H
#define API_APP_GUARD_H

/*
 * The decision again, at the end of each transaction in which a caller writes.  A publish waits for
 * seconds, for its inspection and for others who publish the same crate, and any write may wait for a lock: what
 * ends a right meanwhile (a token is revoked, a user blocked, a membership lost, packages switched off, a job
 * over) ends the write as well.  The facts are read by the same statement as before, and judged by
 * access_decide().
 */

#include "access/access.h"
#include "access/token.h"
#include "store/access_facts.h"
#include "store/db.h"

struct request;
struct route_need;
struct worker_app;

struct app_guard {
	struct db_guard guard;
	enum credential kind;
	unsigned char digest[TOKEN_DIGEST_SIZE];
	const struct route_need *need;
	struct project_ref place;
};

/*
 * For the rest of a request whose caller, by this credential, was let in (app->facts).  A transaction then
 * fails with what access_decide() says, or with 503 where the caller may do it still, but no more as
 * the one they were when it was prepared.
 */
void app_guard_set(struct worker_app *, struct request *, enum credential, const unsigned char *digest);

/* After the request. */
void app_guard_clear(struct worker_app *);

#endif
