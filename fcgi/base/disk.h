#ifndef BASE_DISK_H
#define BASE_DISK_H

/*
 * Calls of the system on files: those whose failure half-way looks like a success, and what is free on a file
 * system.
 */

#include <dirent.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/slice.h"

/*
 * Writes all bytes.  A disk that is nearly full takes the first ones, and says only at the next call why it
 * takes no more.  -1: errno.
 */
int disk_write(int fd, struct slice bytes) __attribute__((warn_unused_result));

/* Reads from that place of the file until the buffer is full, or the file ends: *got bytes.  -1: errno. */
int disk_read_at(int fd, int64_t at, void *to, size_t n, size_t *got) __attribute__((warn_unused_result));

/*
 * Reads to the end of the file: read(2) may return less than there is, and a buffer that is full says nothing
 * about the rest.  The number of bytes; -1: errno, EFBIG if there are more than `size`.
 */
ssize_t disk_read_all(int fd, char *bytes, size_t size) __attribute__((warn_unused_result));

/* The bytes that are free on the file system of the path.  -1: errno. */
int disk_free(const char *path, int64_t *bytes) __attribute__((warn_unused_result));

/* n * size, but at most INT64_MAX: a file system without a limit of its own may report more. */
int64_t disk_bytes(uint64_t n, uint64_t size);

/*
 * Reads the next name in a directory, but for `.` and `..`.  1: *name, good until the next call; 0: there are
 * no more; -1: errno.  To readdir() an error looks like the end, and files that were not listed like files
 * that do not exist.
 */
int disk_next_name(DIR *, const char **name) __attribute__((warn_unused_result));

/*
 * Locks the file (flock(2)), without waiting.  1: done; 0: another process has it; -1: errno, as on a network
 * file system that has no locks.
 */
int disk_lock(int fd) __attribute__((warn_unused_result));

#endif
