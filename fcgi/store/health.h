#ifndef STORE_HEALTH_H
#define STORE_HEALTH_H

/* Questions of monitoring to the database. */

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "store/db/db.h"

struct health {
	bool reachable;
	bool writable; /* neither a standby nor read-only */
	enum db_schema schema; /* whether the schema fits this program */
};

/*
 * Connects if necessary, and fills *health.  If something is wrong, err says why; otherwise its status is
 * 0.
 */
void health_look(struct db *, struct arena *, struct health *, struct err *);

/* All blobs that are known, and their bytes.  -1: 500, 503. */
int health_blobs(struct db *, struct arena *, int64_t *n, int64_t *bytes, struct err *)
    __attribute__((warn_unused_result));

/*
 * *late_s: how long the oldest change of a crate has waited to appear in searches and lists.  -1: 500, 503.
 */
int health_search(struct db *, struct arena *, int64_t *late_s, struct err *)
    __attribute__((warn_unused_result));

/*
 * When the certificate of external_url expires, as the worker of that node has seen; 0: it has seen none.
 * -1: 500, 503.
 */
int health_certificate(struct db *, struct arena *, const char *node, int64_t *expires_at, struct err *)
    __attribute__((warn_unused_result));
int health_note_certificate(struct db *, struct arena *, const char *node, int64_t expires_at, struct err *)
    __attribute__((warn_unused_result));

/* The problems that the last complete check of the store left, and the time of its end; 0: there was none. */
struct health_check {
	int64_t problems, checked_at;
	int64_t damaged; /* blobs that a check has found damaged, and that no later check has found sound */
};

/* -1: 500, 503. */
int health_check(struct db *, struct arena *, struct health_check *, struct err *)
    __attribute__((warn_unused_result));

/* Background tasks of one kind and node. */
struct health_tasks {
	const char *kind;
	const char *node; /* the only one that runs them; NULL: any */
	int64_t running;
	int64_t waiting;
	int64_t failing; /* to be tried again */
	int64_t dead;
	int64_t late_s; /* how long the oldest task that is due has been due */
	int64_t done_at; /* of those with a period; 0: never */
};

/* By kind and node.  -1: 500, 503. */
int health_tasks(struct db *, struct arena *, struct health_tasks **, size_t *n, struct err *)
    __attribute__((warn_unused_result));

/*
 * The state of the worker of a node.  *age_s: seconds since its last sign of work, which it gives each half
 * minute; -1: there was none.  *failing: kinds of tasks that have failed, with commas between.  -1: 500,
 * 503.
 */
int health_worker(struct db *, struct arena *, const char *node, int64_t *age_s, const char **failing,
    struct err *) __attribute__((warn_unused_result));

/* The database's server, as a host. */
struct health_server {
	int64_t now_ms; /* its clock: milliseconds since 1970 */
	bool local; /* it runs on this host, as far as the connection tells */
	const char *directory; /* of its data; NULL: this role may not read it */
};

int health_server(struct db *, struct arena *, struct health_server *, struct err *)
    __attribute__((warn_unused_result));

/*
 * How many of the rights of sql/grants.sql the session's role lacks, the first of them, such as "INSERT on
 * audit_events", and the name of the role.  -1: 500, 503.
 */
struct health_rights {
	int64_t lacking;
	const char *first, *role;
};

int health_rights(struct db *, struct arena *, struct health_rights *, struct err *)
    __attribute__((warn_unused_result));

/* What can hold a lock. */
enum health_holder {
	HOLDER_SESSION,
	HOLDER_PREPARED, /* a prepared transaction, which has no session */
	HOLDER_VACUUM, /* autovacuum */
	HOLDER__KINDS
};

/* A holder of locks for which sessions wait. */
struct health_lock {
	enum health_holder holder;
	int64_t pid; /* of the server's process; 0 for HOLDER_PREPARED */
	const char *role, *program; /* of a session; "": it has told none */
	const char *gid; /* the oldest prepared transaction of the database; NULL: there is none */
	int64_t sessions; /* how many wait */
	int64_t age_s; /* how long the first of them has waited, to whole seconds */
};

/*
 * Finds the holder for which the most sessions wait, among those that wait for nothing themselves.
 * *any false: no session waits.  -1: 500, 503.
 */
int health_lock(struct db *, struct arena *, bool *any, struct health_lock *, struct err *)
    __attribute__((warn_unused_result));

/* Sessions of pools and workers of another version than this program's, and their names.  -1: 500, 503. */
int health_programs(struct db *, struct arena *, int64_t *sessions, const char **programs, struct err *)
    __attribute__((warn_unused_result));

#endif
