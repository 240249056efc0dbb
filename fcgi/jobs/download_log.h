#ifndef JOBS_DOWNLOAD_LOG_H
#define JOBS_DOWNLOAD_LOG_H

/*
 * The files that a log of nginx's is in: the one that is written, and those that a rotation has
 * put aside under its name and more.  Each is known by its first line.  Where two have the same,
 * one is a copy (`copytruncate`): the longer one counts.  Compressed ones are not looked at.
 */

#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

enum { LOG_FINGERPRINT_SIZE = 65 };

struct log_file {
	const char *path; /* where it was found; it may be renamed at any time */
	int fd; /* closed with the arena */
	int64_t size;
	char fingerprint[LOG_FINGERPRINT_SIZE]; /* SHA-256 of the first line, in hexadecimal */
};

/*
 * All of them that have a line; none where there is no such directory.  -1: 500, as where one
 * cannot be read.
 */
int log_files_find(struct arena *, const char *path, struct log_file **, size_t *n, struct err *)
    __attribute__((warn_unused_result));

/*
 * Up to `max` bytes from `position`; fewer at the end.  *got: how many; none where the file was
 * truncated meanwhile, and is another one now.
 */
int log_file_read(const struct log_file *, int64_t position, char *, size_t max, size_t *got,
    struct err *) __attribute__((warn_unused_result));

#endif
