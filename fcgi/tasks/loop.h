#ifndef TASKS_LOOP_H
#define TASKS_LOOP_H

/*
 * The main loop of berth-worker(8): takes one task after the other, and waits if there is none.  Several
 * workers may run at once, on one host or many.  While the database is away the worker waits, longer each
 * time, and continues when the database is back.
 *
 * SIGTERM and SIGINT end it when the task that runs has come to a stop; SIGHUP reads the
 * configuration again, SIGUSR1 opens the log again.
 */

#include "base/err.h"
#include "config/settings.h"

/* Opens the worker's log.  0 or -1 as log_open(). */
int task_loop_log_open(const struct settings *);

/* Runs until a signal ends it.  Returns the exit status; 1: it cannot work at all. */
int task_loop_run(const char *config_path, const struct settings *);

#endif
