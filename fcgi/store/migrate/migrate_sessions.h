#ifndef STORE_MIGRATE_MIGRATE_SESSIONS_H
#define STORE_MIGRATE_MIGRATE_SESSIONS_H

/* Sessions of pools and workers of older builds, which must have ended before their schema goes. */

#include <stddef.h>

#include <libpq-fe.h>

#include "base/err.h"

/*
 * Checks that no berth-fcgi and no berth-worker is connected that the migrations from the `done`-th on
 * leave behind.  A program looks at the schema only when it connects, so an old one would go on, and would
 * no longer hear what ends the rights that it remembers.  A session's application_name tells its newest
 * migration (db_open); one that does not tell it works with the schema as it is now.
 * -1: 409 an old program is connected, 500, 503.
 */
int migrate_check_sessions(PGconn *, size_t done, struct err *) __attribute__((warn_unused_result));

#endif
