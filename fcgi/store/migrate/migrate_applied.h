#ifndef STORE_MIGRATE_MIGRATE_APPLIED_H
#define STORE_MIGRATE_MIGRATE_APPLIED_H

/* Shared by migrating and planning: the session, and the migrations that a database has. */

#include <stddef.h>
#include <stdint.h>

#include <libpq-fe.h>

#include "base/err.h"

/*
 * Opens a session for migrations; end it with PQfinish.  database NULL: that of conninfo.  NULL: 500
 * malformed, 503 away.
 */
PGconn *migrate_connect(const char *conninfo, const char *database, struct err *)
    __attribute__((warn_unused_result));

/*
 * Counts our migrations in a database that has a table of them.  *newer: the newest migration that
 * this program does not have and that allows it, 0: none.  -1: 409 as migrate_run, 500, 503.
 */
int migrate_applied(PGconn *, size_t *n, int64_t *newer, struct err *)
    __attribute__((warn_unused_result));

#endif
