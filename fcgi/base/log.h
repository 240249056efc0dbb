#ifndef BASE_LOG_H
#define BASE_LOG_H

/*
 * One line an event, `key=value` pairs, to standard error or a file that can
 * be reopened.  Bytes that a client sent are quoted and escaped.  A line is
 * written by one write(2), so that processes may share the file.  A full disk may take only a part of a line;
 * the next one of the process then begins on a line of its own.
 * Never logged: tokens, headers, bodies, statement parameters.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG, LOG__MAX };

/* "error", "warn", "info" or "debug".  false: none of them. */
bool log_level_named(const char *, enum log_level *);

/* path NULL or "": standard error.  Returns 0, or -1 with errno set (nothing changes). */
int log_open(const char *program, const char *path, enum log_level);

/*
 * Opens the path again, as after a rotation.  If that fails, the old file stays the log, and gets a line that
 * says so.
 */
void log_reopen(void);

/* The target of the log, for another process that writes to the same file; path as in log_open(). */
struct log_target {
	const char *path;
	int fd;
	enum log_level level;
};
struct log_target log_target(void);
/* Takes the descriptor over, unless it is standard error. */
void log_take(const char *program, const struct log_target *);

/* A message for people: time=… level=… pid=… msg="…". */
void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A line of pairs: begin, add, end.  At most 4 kB; what is longer is cut. */
struct log_line {
	char p[4096];
	size_t n;
	enum log_level level;
};

void log_begin(struct log_line *, enum log_level, const char *event);
void log_str(struct log_line *, const char *key, struct slice value);
void log_int(struct log_line *, const char *key, int64_t value);
void log_ms(struct log_line *, const char *key, int64_t microseconds); /* not negative */
void log_end(struct log_line *);

#endif
