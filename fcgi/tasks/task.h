#ifndef TASKS_TASK_H
#define TASKS_TASK_H

/*
 * The kinds of task, as data.  A new one is a file here with its `run`, a declaration below, and
 * a line in kinds.c; store/task.h adds tasks of those that have no period.
 *
 * run() must bear to be run again, also by two at once: a worker may die after it and before
 * that is known, or lose its connection on the way.  It leaves no transaction open.  0: done.
 * -1: it is tried again after a while, and in the end it is dead.  A kind with a period never
 * dies.
 *
 * One worker does one task at a time.  What takes long looks at task_must_stop() now and then, and
 * where that is true calls task_again() and returns 0: others come first then, or the worker ends.
 * A kind with is_due() comes before all others: within a second after there is something to do for it, and
 * the step that another task is at.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/settings.h"
#include "store/task.h"

struct task_ctx;

enum { TASK_ATTEMPTS = 10 };

/* What a task does in the store.  Tasks that use a store do not run in one that is not the database's. */
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
	char note[160];
	/* ---- task_again(), task_begin_anew(), task_hold() and task_must_stop() use these ---- */
	int64_t until_us; /* of clock_us() */
	int64_t *look_us; /* when is_due() is to be asked again; NULL: others do not come first */
	int signal_fd; /* readable: somebody wants something of the worker */
	bool again;
	const char *progress;
	bool anew;
	int64_t hold_s;
};

/* Has this run had its time, does another kind come first, or is the worker to end? */
bool task_must_stop(const struct task_ctx *);

/*
 * There is more to do.  Called before run() returns 0; the task is run again when others have had
 * their turn, and finds this as its progress: a JSON object that lives as long as the run, or NULL.
 */
void task_again(struct task_ctx *, const char *progress);

/* Call it before run() returns -1: the next attempt begins anew and ignores the progress of this one. */
void task_begin_anew(struct task_ctx *);

/* The same for a task that waits for a person: the next attempt is in `seconds` seconds. */
void task_hold(struct task_ctx *, int64_t seconds);

/* What run() has done, for the log. */
void task_note(struct task_ctx *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* ---- one for each file ---- */

/* Bytes in the store that nothing refers to. */
int task_collect_blobs(struct task_ctx *, const struct task *, struct err *)
    __attribute__((warn_unused_result));

/* What one of those logs tells that was compressed, on its node: count_downloads adds them. */
int task_count_compressed(struct task_ctx *, const struct task *, struct err *)
    __attribute__((warn_unused_result));

/* What nginx's log of its cache tells, on each node: how much it answers by itself. */
int task_count_answers(struct task_ctx *, const struct task *, struct err *)
    __attribute__((warn_unused_result));

/* What nginx's log of downloads tells, on each node. */
int task_count_downloads(struct task_ctx *, const struct task *, struct err *)
    __attribute__((warn_unused_result));

/* Staging files of uploads that ended without an end. */
int task_sweep_staging(struct task_ctx *, const struct task *, struct err *)
    __attribute__((warn_unused_result));

/* What berth fsck looks at, without repairing anything. */
int task_check_store(struct task_ctx *, const struct task *, struct err *)
    __attribute__((warn_unused_result));

/* Checks that this node and the others have one store, and trims its copies of an object store. */
int task_probe_store(struct task_ctx *, const struct task *, struct err *)
    __attribute__((warn_unused_result));

/* What the retention policies of projects let go of. */
int task_apply_retention(struct task_ctx *, const struct task *, struct err *)
    __attribute__((warn_unused_result));

/* Versions that were deleted deletion_grace ago: their rows. */
int task_destroy_versions(struct task_ctx *, const struct task *, struct err *)
    __attribute__((warn_unused_result));

/* Digests of credentials of CI jobs that say nothing any more. */
int task_sweep_ci_tokens(struct task_ctx *, const struct task *, struct err *)
    __attribute__((warn_unused_result));

/* Buckets of rate_limits that are full. */
int task_sweep_limits(struct task_ctx *, const struct task *, struct err *)
    __attribute__((warn_unused_result));

/* Removes tokens that ended keep_ended_tokens ago. */
int task_sweep_tokens(struct task_ctx *, const struct task *, struct err *)
    __attribute__((warn_unused_result));

/* What searches and lists need of crates that have changed.  Is there one? */
int task_update_search(struct task_ctx *, const struct task *, struct err *)
    __attribute__((warn_unused_result));
int task_search_is_due(struct db *, struct arena *, bool *due, struct err *)
    __attribute__((warn_unused_result));

/* Copies of an object store that this node is likely to be asked for. */
int task_warm_copies(struct task_ctx *, const struct task *, struct err *)
    __attribute__((warn_unused_result));

/* How much crates are used, by which a search sorts them. */
int task_weigh_crates(struct task_ctx *, const struct task *, struct err *)
    __attribute__((warn_unused_result));

#endif
