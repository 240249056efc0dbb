#ifndef STORE_TASK_H
#define STORE_TASK_H

/*
 * Background tasks: rows of `tasks`, which berth-worker(8) runs.  A task runs at least once: if a worker or
 * its connection dies, another worker runs it again, perhaps while the first one still runs. (CI jobs are
 * something else: they have tokens.)
 */

#include <stdbool.h>
#include <stdint.h>

#include "store/audit.h"
#include "store/db/db.h"

struct task_new {
	const char *kind; /* a kind of tasks/kinds.c that has no period */
	const char *key; /* what makes two of a kind the same */
	const char *node; /* the only one that may run it; NULL: any */
	const char *args; /* a JSON object */
};

/* Adds a task, unless there is one with that key, even a dead one.  It is due at once, but wakes nobody. */
int task_add_missing(struct db *, struct arena *, const struct task_new *, struct err *)
    __attribute__((warn_unused_result));

/* ---- for the worker ---- */

struct task {
	int64_t id;
	const char *kind;
	const char *args; /* a JSON object */
	const char *progress; /* of an earlier run that had to stop; NULL: it is at its beginning */
	int64_t run; /* which run of this task it is: what ends another one changes nothing */
	int64_t attempts; /* this one included, since the task last got on */
	bool periodic;
};

/* From now on db_notified() tells of new tasks. */
int task_listen(struct db *, struct arena *, struct err *) __attribute__((warn_unused_result));

/*
 * Makes sure that there is one task of that kind with that period.  node: NULL, or this node, for a task
 * that each node runs.
 */
int task_schedule(struct db *, struct arena *, const char *kind, const char *node, int64_t period,
    struct err *) __attribute__((warn_unused_result));

/*
 * The task of that kind, one with a period and no node, is due now, unless it runs or has failed and waits
 * for its next attempt.
 */
int task_hasten(struct db *, struct arena *, const char *kind, struct err *)
    __attribute__((warn_unused_result));

struct task_claim {
	const char *const *kinds; /* those that the program knows */
	size_t nkinds;
	const char *const *first; /* those of them that come before the others */
	size_t nfirst;
	const char *node;
	const char *who; /* for people */
	int64_t seconds; /* after so many another may take the task, as when our connection ends */
};

/* Takes a task that is due.  task->id is 0 where there is none. */
int task_claim(struct db *, struct arena *, const struct task_claim *, struct task *, struct err *)
    __attribute__((warn_unused_result));

/* The task is done: it goes, or waits for its next time. */
int task_done(struct db *, struct arena *, const struct task *, struct err *)
    __attribute__((warn_unused_result));
/* There is more to do, at once; progress: JSON for the next run, or NULL. */
int task_put_back(struct db *, struct arena *, const struct task *, const char *progress, struct err *)
    __attribute__((warn_unused_result));

struct task_failure {
	const char *why;
	int64_t delay; /* seconds to the next attempt */
	bool dead; /* there is no next attempt */
	bool anew; /* the next attempt begins anew and ignores the progress */
};

/* Records that the attempt has failed. */
int task_fail(struct db *, struct arena *, const struct task *, const struct task_failure *,
    struct err *) __attribute__((warn_unused_result));

/* ---- for administrators ---- */

struct task_row {
	int64_t id;
	const char *kind;
	const char *state; /* waiting, running, failing, dead */
	int64_t attempts;
	int64_t run_at; /* these three in seconds since 1970 */
	int64_t done_at; /* 0: never */
	int64_t created_at;
	int64_t period; /* 0: it runs once */
	const char *node; /* NULL: any */
	const char *worker; /* who has it, or had; NULL: nobody */
	const char *error;
	const char *args;
};

/* All tasks, or those of one kind; in the order in which they came. */
int task_list(struct db *, struct arena *, const char *kind, bool dead, struct task_row **,
    size_t *n, struct err *) __attribute__((warn_unused_result));

/*
 * Runs a task at once, even a dead one, with all its attempts again.  -1: 404; 409 another task with the
 * key of this dead one waits already.
 */
int task_retry(struct db *, struct arena *, const struct audit_actor *, int64_t id, struct err *)
    __attribute__((warn_unused_result));

/* Removes a task; if it is running, it goes on to its end.  -1: 404. */
int task_remove(struct db *, struct arena *, const struct audit_actor *, int64_t id, struct err *)
    __attribute__((warn_unused_result));

#endif
