#ifndef STORE_MIGRATE_MIGRATE_H
#define STORE_MIGRATE_MIGRATE_H

/*
 * Applies the schema's migrations (store/db/migrations.h).  This is
 * the one place that runs SQL which is not prepared, on a connection of its
 * own, by a role that owns the tables; it belongs to the admin command and
 * never to a request.
 */

#include <stdint.h>

#include "base/err.h"
#include "store/audit.h"
#include "store/db/migrations.h"

/* The target of a migration. */
struct migrate_task {
	const char *conninfo; /* of a role that owns the tables, or may create them */
	const struct audit_actor *actor;
	const char *grant_to; /* the pool's role, or NULL; it must not own the schema */
	void (*applied)(void *arg, const struct migration *); /* called after each migration */
	void *arg;
};

/*
 * Brings the database to migrations_newest(), each migration in its own
 * transaction with its audit row, or in several steps, while the pool serves.  A new run skips the steps
 * that an interrupted one has done.  Several runs at once take turns.  The pool's role gets exactly the
 * rights that the pool needs, in the transaction of the last migration, so that no program finds its
 * schema without rights to it.  *newer: 0, or the newest migration of a database that is newer than this
 * program and whose floor allows it; such a database stays as it is, rights included.
 * -1: 409 the database is newer and its floor is above this program, or it has migrations with other
 * text, or the role could create or drop, or programs are connected that the new schema leaves behind
 * (store/migrate/migrate_sessions.h); 503 it is away, or another session holds a lock all the time; 500
 * else, with the server's message in `detail`.
 */
int migrate_run(const struct migrate_task *, int64_t *newer, struct err *)
    __attribute__((warn_unused_result));

#endif
