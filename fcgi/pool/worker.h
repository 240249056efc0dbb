#ifndef POOL_WORKER_H
#define POOL_WORKER_H

/* One process of the pool: it serves requests, one at a time. */

#include "config/settings.h"
#include "pool/listen.h"
#include "pool/metrics.h"
#include "pool/pool.h"
#include "pool/scoreboard.h"

/* The status of a worker that the application could not start. */
enum { WORKER_START_FAILED = 3 };

/*
 * Serves until SIGTERM or the number of requests after which it retires.
 * SIGTERM and SIGUSR1 must be blocked: they are taken between requests only,
 * so that they interrupt none.  Returns the exit status of the process.
 */
int worker_run(const struct pool_app *, const struct settings *, enum worker_kind, int listen_fd,
    struct slot *, const struct meter *, const struct pool_shared *);

#endif
