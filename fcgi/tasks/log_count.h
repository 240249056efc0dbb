#ifndef TASKS_LOG_COUNT_H
#define TASKS_LOG_COUNT_H

/* Reads the new lines of one of nginx's logs, piece by piece, for the kinds of task that count them. */

#include <stdbool.h>
#include <stdint.h>

#include "store/package/download.h"
#include "tasks/download_log.h"
#include "tasks/task.h"

enum { LOG_PIECE = 1 << 20 }; /* bytes of log that are counted by one statement */

struct log_count;

/*
 * Counts whole lines, each with its end, and none if part->garbage says that the piece has no line.  It
 * fills in the part, which has log, path, from and to; one statement then counts and moves the position.
 * *counted: how many; -1: none, since another process has read these lines.  -1: err.
 */
typedef int log_count_lines(struct log_count *, struct arena *, struct download_part *, struct slice lines,
    int64_t *counted, struct err *);

struct log_count {
	struct task_ctx *ctx;
	log_count_lines *lines;
	char *piece; /* LOG_PIECE bytes */
	int64_t counted, garbage;
	const char *garbage_path; /* the last log with garbage */
	bool more; /* time was up */
	bool lost; /* another process reads on in the last log */
};

void log_count_init(struct log_count *, struct task_ctx *, log_count_lines *);

/* Counts lines of the log of downloads. */
log_count_lines log_count_downloads;

/*
 * Counts from the stored position to the end of the log, or to the end of a piece if the time is up.  A
 * last line without an end is left for the next run; in a compressed log it is garbage.  -1: err.
 */
int log_count_file(struct log_count *, struct log_file *, struct err *)
    __attribute__((warn_unused_result));

/*
 * Counts all logs of that path that are not compressed, until the time is up: the task then runs again.  It
 * sets the task's note, as log_count_note().  *files: all n logs, also the compressed ones.  -1: err.
 */
int log_count_all(struct log_count *, const char *path, const char *of, const char *format,
    struct log_file **files, size_t *n, struct err *) __attribute__((warn_unused_result));

/*
 * Sets the task's note for the log.  of: the name of what was counted; format: the log_format of nginx that
 * writes these lines.
 */
void log_count_note(const struct log_count *, const char *of, const char *format);

#endif
