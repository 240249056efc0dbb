#ifndef STORE_HEALTH_H
#define STORE_HEALTH_H

/* What monitoring asks of the database. */

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "store/db/db.h"

struct health {
	bool reachable;
	bool writable; /* no standby, nor made read-only */
	enum db_schema schema; /* whether the schema fits this program */
};

/*
 * Connects if need be and looks.  What is wrong is in *health, and why in err, whose status is 0
 * where nothing is.
 */
void health_look(struct db *, struct arena *, struct health *, struct err *);

/* All blobs that are known, and their bytes.  -1: 500, 503. */
int health_blobs(struct db *, struct arena *, int64_t *n, int64_t *bytes, struct err *)
    __attribute__((warn_unused_result));

/* Since when the first change of a crate waits for searches and lists to show it.  -1: 500, 503. */
int health_search(struct db *, struct arena *, int64_t *late_s, struct err *)
    __attribute__((warn_unused_result));

/* What the last complete check of the store left, and when it ended; 0: there was none.  -1: 500, 503. */
int health_check(struct db *, struct arena *, int64_t *problems, int64_t *checked_at, struct err *)
    __attribute__((warn_unused_result));

/* Background tasks of one kind and node. */
struct health_tasks {
	const char *kind;
	const char *node; /* the only one that runs them; NULL: any */
	int64_t running;
	int64_t waiting;
	int64_t failing; /* to be tried again */
	int64_t dead;
	int64_t late_s; /* since when the first of those that are due has been so */
	int64_t done_at; /* of those with a period; 0: never */
};

/* By kind and node.  -1: 500, 503. */
int health_tasks(struct db *, struct arena *, struct health_tasks **, size_t *n, struct err *)
    __attribute__((warn_unused_result));

/*
 * The worker of a node, by what it has done.  *age_s: since it was last seen to work, which it shows each
 * half minute; -1: never.  *failing: kinds of tasks that have failed, with commas between.  -1: 500, 503.
 */
int health_worker(struct db *, struct arena *, const char *node, int64_t *age_s, const char **failing,
    struct err *) __attribute__((warn_unused_result));

/* The database's server, as a host. */
struct health_server {
	int64_t now_ms; /* its clock: milliseconds since 1970 */
	bool local; /* it runs on this host, as far as the connection tells */
	const char *directory; /* of its data; NULL: this role may not know */
};

int health_server(struct db *, struct arena *, struct health_server *, struct err *)
    __attribute__((warn_unused_result));

/* Sessions of pools and workers of another version than this program's, and their names.  -1: 500, 503. */
int health_programs(struct db *, struct arena *, int64_t *sessions, const char **programs, struct err *)
    __attribute__((warn_unused_result));

#endif
