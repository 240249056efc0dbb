#ifndef TASKS_DOWNLOAD_LOG_H
#define TASKS_DOWNLOAD_LOG_H

/*
 * The files that a log of nginx's is in: the one that is written, and those that a rotation has
 * put aside under its name and more, as they are or compressed by gzip.  Each is known by its
 * first line, wherever it lies.  Where two have the same, one is a copy (`copytruncate`): the
 * longer one counts, and one that is compressed only where it is alone, as it may be on the way.
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
 * All of them that have a line; none where there is no such directory.  -1: 500, as where one
 * cannot be read that is not compressed.
 */
int log_files_find(struct arena *, const char *path, struct log_file **, size_t *n, struct err *)
    __attribute__((warn_unused_result));

/*
 * Is a compressed one whole?  Reads all of it, through `room` of so many bytes, before
 * log_file_read() does.  -1: 500, and why not.
 */
int log_file_check(struct arena *, struct log_file *, char *room, size_t size, struct err *)
    __attribute__((warn_unused_result));

/*
 * Up to `max` bytes from `position`; fewer at the end.  *got: how many; none where the file was
 * truncated meanwhile, and is another one now.  Compressed ones are read forwards only.
 */
int log_file_read(struct arena *, struct log_file *, int64_t position, char *, size_t max,
    size_t *got, struct err *) __attribute__((warn_unused_result));

#endif
