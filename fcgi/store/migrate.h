#ifndef STORE_MIGRATE_H
#define STORE_MIGRATE_H

/*
 * The schema's migrations, compiled in from sql/migrations/.  Applying them is
 * the one place that runs SQL which is not prepared, on a connection of its
 * own, by a role that owns the tables; it belongs to the admin command and
 * never to a request.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "store/audit.h"

struct migration {
	int64_t version;
	const char *topic;
	const char *const *lines; /* ends with NULL */
};

/* In the order of their versions. */
extern const struct migration migrations[];
extern const size_t nmigrations;

/* The version of the schema that this program works with. */
int64_t migrate_newest(void);

/*
 * Brings the database to migrate_newest(), each migration in its own
 * transaction with its audit row, and calls `applied` after each.  Several may run at once: they
 * go one after the other.  grant_to, if given, is the pool's role, which gets
 * what the pool needs and loses everything else; it must not own the schema.
 * -1: 409 for a database that is newer than this program or was made by
 * migrations with other text, or for a role that could create or drop; 503 where it is
 * away; 500 else, with the server's message in `detail`.
 */
int migrate_run(const char *conninfo, const struct audit_actor *, const char *grant_to,
    void (*applied)(void *, const struct migration *), void *arg, struct err *)
    __attribute__((warn_unused_result));

#endif
