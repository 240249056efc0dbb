#ifndef TASKS_DOWNLOAD_LOG_H
#define TASKS_DOWNLOAD_LOG_H

/*
 * The files of one of nginx's logs: the file that nginx writes, and rotated files whose names begin with
 * its name, as they are or compressed by gzip.  The first line of a file identifies it, whatever its name.
 * If two have the same first line, one is a copy (`copytruncate`): the longer one counts, and a compressed
 * one only if it is alone, because gzip may still be writing it.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

struct packed_log;

enum { LOG_FINGERPRINT_SIZE = 65 };

struct log_file {
	const char *path; /* where it was found; it may be renamed at any time */
	int fd; /* closed with the arena; -1: of a compressed one, which is opened to be read */
	int64_t size, changed; /* bytes of the file, and its st_ctime */
	/*
	 * SHA-256 of the first line, in hexadecimal.  Of a compressed one that cannot be read so
	 * far it is another digest, which is no log's.
	 */
	char fingerprint[LOG_FINGERPRINT_SIZE];
	bool compressed;
	/* ---- log_file_read() has these, of compressed ones ---- */
	struct packed_log *packed;
	int64_t at; /* how far it was read */
};

/*
 * Finds all files of the log that have a line; none if the directory does not exist.  -1: 500, also if a
 * file that is not compressed cannot be read.
 */
int log_files_find(struct arena *, const char *path, struct log_file **, size_t *n, struct err *)
    __attribute__((warn_unused_result));

/*
 * Checks that a compressed log is complete: it reads all of it, with the buffer `room`, before
 * log_file_read() does.  -1: 500, with what is wrong.
 */
int log_file_check(struct arena *, struct log_file *, char *room, size_t size, struct err *)
    __attribute__((warn_unused_result));

/*
 * Reads up to `max` bytes from `position`, fewer at the end.  *got: how many; 0 also if the file was
 * truncated, and so is another one now.  A compressed log can only be read forwards.
 */
int log_file_read(struct arena *, struct log_file *, int64_t position, char *, size_t max,
    size_t *got, struct err *) __attribute__((warn_unused_result));

#endif
