#ifndef TASKS_LOOP_H
#define TASKS_LOOP_H

/*
 * What berth-worker(8) does all day: takes one task after the other, waits where there is none.
 * Several may run at once, on one host or many.  While the database is away it waits, longer from
 * time to time, and goes on when it is back.
 *
 * SIGTERM and SIGINT end it when the task that runs has come to a stop; SIGHUP reads the
 * configuration again, SIGUSR1 opens the log again.
 */

#include "base/err.h"
#include "config/settings.h"

/* Opens the worker's log.  0 or -1 as log_open(). */
int task_loop_log_open(const struct settings *);

/* Until a signal says so.  Returns the exit status: 1 where it cannot work at all. */
int task_loop_run(const char *config_path, const struct settings *);

#endif
