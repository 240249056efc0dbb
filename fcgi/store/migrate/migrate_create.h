#ifndef STORE_MIGRATE_MIGRATE_CREATE_H
#define STORE_MIGRATE_MIGRATE_CREATE_H

/* The database itself, before its first migration. */

#include "base/err.h"

/*
 * Creates the database that conninfo names and the pool's role, as far as they are missing, as the role
 * of conninfo in a session with the database postgres.  The new database has the encoding UTF8 and sorts by
 * bytes.  Then only the owner and the pool's role may connect to the database.  role may be NULL.
 * -1: 400 conninfo names no database, 500 the role of conninfo may not create, 503 away.
 */
int migrate_create(const char *conninfo, const char *role, struct err *) __attribute__((warn_unused_result));

#endif
