#ifndef STORE_MIGRATE_APPLIED_H
#define STORE_MIGRATE_APPLIED_H

/* What migrating and planning share: the session, and which migrations a database has already. */

#include <libpq-fe.h>

#include "base/err.h"
#include "store/migrate.h"

enum { MIGRATION_CHECKSUM_SIZE = 65 };

/* SHA-256 of the migration's text, in hexadecimal digits. */
void migration_checksum(const struct migration *, char out[MIGRATION_CHECKSUM_SIZE]);

/* The oldest program that works with the schema that this leaves, by its newest migration. */
int64_t migration_floor(const struct migration *);

/* A session for migrations, to be ended with PQfinish.  NULL: 500 malformed, 503 away. */
PGconn *migrate_connect(const char *conninfo, struct err *) __attribute__((warn_unused_result));

/*
 * How many of our migrations a database has that has a table of them, and the newest one that is not
 * ours but allows this program, 0: there is none.  -1: 409 as migrate_run, 500, 503.
 */
int migrate_applied(PGconn *, size_t *n, int64_t *newer, struct err *)
    __attribute__((warn_unused_result));

#endif
