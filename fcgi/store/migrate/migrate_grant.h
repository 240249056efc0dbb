#ifndef STORE_MIGRATE_MIGRATE_GRANT_H
#define STORE_MIGRATE_MIGRATE_GRANT_H

/* What the pool's role may do; and the helpers that migrating and granting share. */

#include <libpq-fe.h>

#include "base/err.h"
#include "store/audit.h"

/*
 * Lets `role` use, as it uses all others, the tables that are made before migrate_grant().  -1: 404 no
 * such role.
 */
int migrate_grant_begin(PGconn *, const char *role, struct err *)
    __attribute__((warn_unused_result));

/*
 * Gives `role` exactly what sql/grants.sql has, and leaves an audit row, inside the open transaction.
 * -1: 404 no such role; 409 it could create or drop.
 */
int migrate_grant(PGconn *, const struct audit_actor *, const char *role, struct err *)
    __attribute__((warn_unused_result));

/* Runs SQL as it is, several statements if need be.  -1: as migrate_failed. */
int migrate_sql(PGconn *, const char *what, const char *sql, struct err *)
    __attribute__((warn_unused_result));

/* Runs one statement.  NULL: as migrate_failed. */
PGresult *migrate_query(PGconn *, const char *what, const char *sql, const char *const *values, int n,
    struct err *) __attribute__((warn_unused_result));

/* The same, where no row of it is read.  -1: as migrate_failed. */
int migrate_run_with(PGconn *, const char *what, const char *sql, const char *const *values, int n,
    struct err *) __attribute__((warn_unused_result));

/* Adds an audit row, inside the open transaction. */
int migrate_audit(PGconn *, const struct audit_actor *, const struct audit_event *, struct err *)
    __attribute__((warn_unused_result));

/*
 * 503 for a lost connection or a lock that is taken, else 500, both with the server's message. 
 * Returns -1.
 */
int migrate_failed(const PGconn *, const char *what, const PGresult *, struct err *);

#endif
