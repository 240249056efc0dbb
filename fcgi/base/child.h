#ifndef BASE_CHILD_H
#define BASE_CHILD_H

/* Runs another program with low priority, and limits its time and its output. */

#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"

enum { CHILD_ERRORS_MAX = 1024 };

struct child_result {
	struct slice output; /* standard output */
	struct slice errors; /* standard error, its first CHILD_ERRORS_MAX bytes; set also after -1 */
	int status; /* as of waitpid(2) */
};

/*
 * Runs argv[0] (a path) with stdin_fd as standard input, an empty
 * environment, and no other descriptor.  It runs with a lower priority than
 * other processes.  Waits for its end
 * until deadline_us of clock_us(); then kills it.
 * -1: 503 past the deadline; 500 it cannot be started or writes more than max_output bytes.
 */
int child_run(struct arena *, const char *const *argv, int stdin_fd, size_t max_output,
    int64_t deadline_us, struct child_result *, struct err *) __attribute__((warn_unused_result));

#endif
