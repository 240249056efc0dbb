#ifndef TASKS_TASK_H
#define TASKS_TASK_H

/*
 * The kinds of task, as data.  A new one is a file here with its `run`, a declaration below, and
 * a line in kinds.c; store/task.h adds tasks of those that have no period.
 *
 * run() must tolerate a second run, even at the same time: a worker may die after run() and before the
 * database knows, or lose its connection.  It leaves no transaction open.  0: done.  -1: it is tried again
 * after a while, and in the end it is dead.  A kind with a period never dies.
 *
 * One worker runs one task at a time.  A long task calls task_must_stop() from time to time; if it is true,
 * the task calls task_again() and returns 0, so that other tasks run, or the worker ends.  A kind with
 * is_due() comes before all others: it starts at most a second after there is work for it, when the running
 * task has finished its step.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/settings.h"
#include "store/task.h"

struct task_ctx;

enum { TASK_ATTEMPTS = 10 };

/*
 * The use that a task makes of the store.  A task that uses the store does not run if the store is not the
 * database's.
 */
enum task_store {
	TASK_STORE_NOTHING,
	TASK_STORE_READS, /* also in a store that has no id yet */
	TASK_STORE_REMOVES /* removes files, or rows that need them */
};

struct task_kind {
	const char *name; /* as in the database: it never changes */
	int64_t period; /* seconds from one run to the next; 0: only when somebody adds one */
	enum task_store store;
	bool each_node; /* with a period: each node runs its own, not one of them for all */
	/* NULL, or asked each second: is there anything to do before the period is over?  -1: 503 */
	int (*is_due)(struct db *, struct arena *, bool *due, struct err *);
	int max_attempts; /* until one that has no period is dead; 0: TASK_ATTEMPTS */
	int (*run)(struct task_ctx *, const struct task *, struct err *);
};

extern const struct task_kind task_kinds[];
extern const size_t task_nkinds;

struct task_ctx {
	const struct settings *settings;
	const char *node;
	struct db *db;
	struct arena *arena; /* of this run */
	/* for the log, where it is not empty: what was done */
	char note[320];
	/* ---- task_again(), task_begin_anew(), task_hold() and task_must_stop() use these ---- */
	int64_t until_us; /* of clock_us() */
	int64_t *look_us; /* when is_due() is to be asked again; NULL: others do not come first */
	int signal_fd; /* readable: somebody wants something of the worker */
	bool again;
	const char *progress;
	bool anew;
	int64_t hold_s;
};

/* True: the time of this run is over, another kind comes first, or the worker has to end. */
bool task_must_stop(const struct task_ctx *);

/*
 * Call it before run() returns 0 if there is more to do: the task runs again after others, with this
 * progress: a JSON object that lives as long as the run, or NULL.
 */
void task_again(struct task_ctx *, const char *progress);

/* Call it before run() returns -1: the next attempt begins anew and ignores the progress of this one. */
void task_begin_anew(struct task_ctx *);

/* The same for a task that waits for a person: the next attempt is in `seconds` seconds. */
void task_hold(struct task_ctx *, int64_t seconds);

/* Sets the note for the log: what run() has done. */
void task_note(struct task_ctx *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* ---- one for each file ---- */

/* Collects blobs that no version needs. */
int task_collect_blobs(struct task_ctx *, const struct task *, struct err *)
    __attribute__((warn_unused_result));

/* Counts the downloads of one compressed log, on its node; count_downloads adds this task. */
int task_count_compressed(struct task_ctx *, const struct task *, struct err *)
    __attribute__((warn_unused_result));

/* Counts, on each node, the answers that nginx sent from its cache, by its log. */
int task_count_answers(struct task_ctx *, const struct task *, struct err *)
    __attribute__((warn_unused_result));

/* Counts, on each node, downloads by nginx's log. */
int task_count_downloads(struct task_ctx *, const struct task *, struct err *)
    __attribute__((warn_unused_result));

/* Removes staging files of uploads that were interrupted. */
int task_sweep_staging(struct task_ctx *, const struct task *, struct err *)
    __attribute__((warn_unused_result));

/* Notes, on each node, when the certificate that clients see expires. */
int task_check_certificate(struct task_ctx *, const struct task *, struct err *)
    __attribute__((warn_unused_result));

/* Makes the checks of berth fsck, without repairs. */
int task_check_store(struct task_ctx *, const struct task *, struct err *)
    __attribute__((warn_unused_result));

/* Checks that this node and the others have one store, and trims its copies of an object store. */
int task_probe_store(struct task_ctx *, const struct task *, struct err *)
    __attribute__((warn_unused_result));

/* Deletes the versions that the retention policies of projects do not keep. */
int task_apply_retention(struct task_ctx *, const struct task *, struct err *)
    __attribute__((warn_unused_result));

/* Destroys the rows of versions that were deleted deletion_grace ago. */
int task_destroy_versions(struct task_ctx *, const struct task *, struct err *)
    __attribute__((warn_unused_result));

/* Removes digests of expired credentials of CI jobs. */
int task_sweep_ci_tokens(struct task_ctx *, const struct task *, struct err *)
    __attribute__((warn_unused_result));

/* Removes full buckets of rate_limits. */
int task_sweep_limits(struct task_ctx *, const struct task *, struct err *)
    __attribute__((warn_unused_result));

/* Removes tokens that ended keep_ended_tokens ago. */
int task_sweep_tokens(struct task_ctx *, const struct task *, struct err *)
    __attribute__((warn_unused_result));

/* Updates searches and lists for crates that have changed.  *due: there is such a crate. */
int task_update_search(struct task_ctx *, const struct task *, struct err *)
    __attribute__((warn_unused_result));
int task_search_is_due(struct db *, struct arena *, bool *due, struct err *)
    __attribute__((warn_unused_result));

/* Fetches copies from an object store of the crates that clients of this node will probably ask for. */
int task_warm_copies(struct task_ctx *, const struct task *, struct err *)
    __attribute__((warn_unused_result));

/* Computes the weights by which a search sorts crates. */
int task_weigh_crates(struct task_ctx *, const struct task *, struct err *)
    __attribute__((warn_unused_result));

#endif
