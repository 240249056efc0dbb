#ifndef BASE_DISK_H
#define BASE_DISK_H

/* Writes to a disk. */

#include "base/slice.h"

/*
 * Writes all bytes.  A disk that is nearly full takes the first ones, and says only at the next call why it
 * takes no more.  -1: errno.
 */
int disk_write(int fd, struct slice bytes) __attribute__((warn_unused_result));

#endif
