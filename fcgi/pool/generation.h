#ifndef POOL_GENERATION_H
#define POOL_GENERATION_H

/*
 * The workers that were started with one and the same configuration.  The
 * pool has one generation that serves; during a reload one more that starts, and
 * any number that are draining.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "config/settings.h"
#include "pool/listen.h"
#include "pool/metrics.h"
#include "pool/scoreboard.h"

struct child {
	pid_t pid; /* 0: none */
	int64_t started_us;
	int64_t restart_us; /* not to be started again before */
	int64_t backoff_us; /* of the last crash */
	bool killed; /* by us: it took too long */
};

struct generation {
	struct generation *next;
	unsigned number;
	struct arena *arena; /* of the settings, freed with the generation; may be NULL */
	const struct settings *settings;
	size_t nreaders;
	size_t nworkers; /* the readers, and behind them the writers */
	size_t n; /* of children: the workers, and the keeper, if there is one, as the last */
	struct child *children; /* n of each */
	struct slot *slots;
	int scoreboard_fd; /* of these */
	int settings_fd; /* settings_save() */
	bool draining; /* no child is started any more */
	int64_t deadline_us; /* while starting: to be ready; while draining: to be gone */
};

/*
 * Takes over the arena, also where it returns NULL: err.  writers: there is a socket
 * for write workers.
 */
struct generation *generation_new(unsigned number, struct arena *, const struct settings *,
    bool writers, bool keeper, struct err *);
void generation_free(struct generation *);

/* Starts one of the children.  0, or -1 with errno set. */
struct generation_start {
	int (*fn)(void *arg, const struct generation *, size_t child, pid_t *);
	void *arg;
};

/* Starts the workers that are missing and whose time has come. */
void generation_spawn(struct generation *, const struct generation_start *);

/* Starts no more, lets those that run finish their request. */
void generation_drain(struct generation *);

void generation_signal(const struct generation *, int sig);

/* Kills the workers whose request, or whose draining, is past its time. */
void generation_watch(struct generation *);

/* What became of a child of this generation. */
enum child_end { CHILD_NOT_MINE, CHILD_RETIRED, CHILD_CRASHED, CHILD_KILLED };

/*
 * A process ended with this status of waitpid(2).  Logs a crash, and says when
 * the successor may start.  *child: which it was.  *was_ready: it did begin to serve.
 */
enum child_end generation_reap(struct generation *, pid_t, int status, size_t *child, bool *was_ready);

/* The child after the workers, if there is one; and what the log calls it. */
#define GENERATION_KEEPER "the cache's keeper"
bool generation_is_keeper(const struct generation *, size_t child);

/* The slot of the worker with this number. */
enum worker_kind generation_kind(const struct generation *, size_t worker);

/* Adds its workers to the counts by kind and state, and the requests that they have deferred. */
void generation_count(const struct generation *, int64_t n[WORKER__KINDS][WORKER__STATES],
    int64_t deferred[WORKER__KINDS]);

/* Do all of its workers serve? */
bool generation_is_ready(const struct generation *);

/* Has it no worker left? */
bool generation_is_empty(const struct generation *);

/* When the next worker is due to be started; INT64_MAX: none is. */
int64_t generation_due_us(const struct generation *);

#endif
