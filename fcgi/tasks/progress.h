#ifndef TASKS_PROGRESS_H
#define TASKS_PROGRESS_H

/*
 * The progress of a task that had to stop, from which its next run goes on: named numbers and texts, as
 * JSON in the task's row.
 */

#include <stddef.h>
#include <stdint.h>

#include "tasks/task.h"

/* One value: a number, or (number NULL) a text with its NUL in `size` bytes. */
struct progress_value {
	const char *name;
	int64_t *number;
	char *text;
	size_t size;
};

/*
 * Fills in all values; what the task does not have, as at its first run, is 0 or "".  -1: 400 the row
 * holds something else.
 */
int progress_read(const struct task_ctx *, const struct task *, const struct progress_value *, size_t n,
    struct err *) __attribute__((warn_unused_result));

/* Calls task_again() with all values. */
void progress_again(struct task_ctx *, const struct progress_value *, size_t n);

#endif
