#ifndef TASKS_PACKED_LOG_H
#define TASKS_PACKED_LOG_H

/*
 * A log that gzip has compressed, read from its beginning to its end.  Only a window of it is in
 * memory.  Several members, one after the other, are one log (RFC 1952).
 *
 * Checksum and length are checked at the end of each member, so bytes before that may be wrong: read all of
 * the log once before you trust any of it.
 */

#include "base/arena.h"
#include "base/err.h"

struct packed_log;

/* Begins to read the file, which the caller closes.  NULL: 500. */
struct packed_log *packed_log_new(struct arena *, int fd, struct err *)
    __attribute__((warn_unused_result));

/*
 * Reads the next bytes: `max` of them, fewer only at the end.  -1: 500, the log is damaged, not complete, or
 * cannot be read; *got then says how many bytes came before that.
 */
int packed_log_read(struct packed_log *, char *, size_t max, size_t *got, struct err *)
    __attribute__((warn_unused_result));

/* Goes back to the beginning.  -1: 500. */
int packed_log_rewind(struct packed_log *, struct err *) __attribute__((warn_unused_result));

#endif
