#ifndef TASKS_LOG_COUNT_H
#define TASKS_LOG_COUNT_H

/* Counts what a log of nginx's has new, piece by piece, for the kinds of task that do. */

#include <stdbool.h>
#include <stdint.h>

#include "store/package/download.h"
#include "tasks/download_log.h"
#include "tasks/task.h"

enum { LOG_PIECE = 1 << 20 }; /* bytes of log that are counted by one statement */

struct log_count;

/*
 * Counts whole lines, each with its end; none where part->garbage says that what was read is no line.  It
 * fills the rest of the part, which has log, path, from and to, and counts and moves the position in one
 * statement.  *counted: how many; -1: nothing, as another has read on from there.  -1: err.
 */
typedef int log_count_lines(struct log_count *, struct arena *, struct download_part *, struct slice lines,
    int64_t *counted, struct err *);

struct log_count {
	struct task_ctx *ctx;
	log_count_lines *lines;
	char *piece; /* LOG_PIECE bytes */
	int64_t counted, garbage;
	bool more; /* time was up */
	bool lost; /* somebody else reads on in the last log */
};

void log_count_init(struct log_count *, struct task_ctx *, log_count_lines *);

/* Of the log of downloads. */
log_count_lines log_count_downloads;

/*
 * From where it was read to, to its end, or to the end of some piece.  A last line that has no
 * end yet waits for it; in a compressed log it never gets one, and is garbage.  -1: err.
 */
int log_count_file(struct log_count *, struct log_file *, struct err *)
    __attribute__((warn_unused_result));

/* What was done, for the log; of: what was counted. */
void log_count_note(const struct log_count *, const char *of);

#endif
