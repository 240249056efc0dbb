#ifndef STORE_JOB_H
#define STORE_JOB_H

/*
 * Work that nobody waits for: rows of `jobs`, which berth-worker(8) runs.  A job runs at least
 * once: where a worker dies, or its connection does, somebody else runs it again, perhaps while
 * the first is still at it.  (CI jobs are something else: they have tokens.)
 */

#include <stdbool.h>
#include <stdint.h>

#include "store/audit.h"
#include "store/db.h"

struct job_new {
	const char *kind; /* as in jobs/kinds.c */
	/*
	 * NULL, or what makes two of a kind the same: while one waits another is not added, and
	 * while it runs, it is to run once more.
	 */
	const char *key;
	const char *node; /* NULL, or the only one that may run it: for job_add_missing() alone */
	const char *args; /* a JSON object; NULL: none */
	int64_t delay; /* seconds */
};

/*
 * Adds a job, in the transaction that is open, or as one of its own.  It can be run from the
 * commit on, and a worker is woken then.
 */
int job_add(struct db *, struct arena *, const struct job_new *, struct err *)
    __attribute__((warn_unused_result));
/* The same as one of several calls of a round trip. */
void job_add_call(struct db_call *, const struct job_new *);

/* Adds a job at once that has a key, unless there is one, also a dead one: nobody is woken. */
int job_add_missing(struct db *, struct arena *, const struct job_new *, struct err *)
    __attribute__((warn_unused_result));

/* ---- for the worker ---- */

struct job {
	int64_t id;
	const char *kind;
	const char *args; /* a JSON object */
	const char *progress; /* of an earlier run that had to stop; NULL: it is at its beginning */
	int64_t run; /* which run of this job it is: what ends another one changes nothing */
	int64_t attempts; /* this one included, since the job last got on */
	bool periodic;
};

/* From now on db_notified() tells of new jobs. */
int job_listen(struct db *, struct arena *, struct err *) __attribute__((warn_unused_result));

/* There is one job of that kind with that period, or one of each node: node NULL, or ours. */
int job_schedule(struct db *, struct arena *, const char *kind, const char *node, int64_t period,
    struct err *) __attribute__((warn_unused_result));

struct job_claim {
	const char *const *kinds; /* those that the program knows */
	size_t nkinds;
	const char *node;
	const char *who; /* for people */
	int64_t seconds; /* after so many another may take the job, as when our connection ends */
};

/* Takes a job that is due.  job->id is 0 where there is none. */
int job_claim(struct db *, struct arena *, const struct job_claim *, struct job *, struct err *)
    __attribute__((warn_unused_result));

/* The job is done: it goes, or waits for its next time. */
int job_done(struct db *, const struct job *, struct err *) __attribute__((warn_unused_result));
/* There is more to do, at once; progress: JSON for the next run, or NULL. */
int job_put_back(struct db *, struct arena *, const struct job *, const char *progress, struct err *)
    __attribute__((warn_unused_result));

struct job_failure {
	const char *why;
	int64_t delay; /* seconds to the next attempt */
	bool dead; /* there is no next attempt */
	bool anew; /* the next attempt begins anew and ignores the progress */
};

/* Records that the attempt has failed. */
int job_fail(struct db *, struct arena *, const struct job *, const struct job_failure *, struct err *) __attribute__((warn_unused_result));

/* ---- for administrators ---- */

struct job_row {
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

/* All jobs, or those of one kind; in the order in which they came. */
int job_list(struct db *, struct arena *, const char *kind, bool dead, struct job_row **,
    size_t *n, struct err *) __attribute__((warn_unused_result));

/*
 * Lets it run at once, a dead one too, with all its attempts.  -1: 404; 409 where another one
 * with the same key waits in the place of a dead one.
 */
int job_retry(struct db *, struct arena *, const struct audit_actor *, int64_t id, struct err *)
    __attribute__((warn_unused_result));

/* One that runs just now goes on, and leaves nothing.  -1: 404. */
int job_remove(struct db *, struct arena *, const struct audit_actor *, int64_t id, struct err *)
    __attribute__((warn_unused_result));

#endif
