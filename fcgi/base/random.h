#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

/* Random bytes that nobody can guess. */

#include <stddef.h>

#include "base/err.h"

enum { RANDOM_MAX = 256 /* bytes; so many come whole or not at all */ };

/* Fills the buffer with n random bytes, at most RANDOM_MAX.  -1: 500. */
int random_bytes(void *, size_t n, struct err *) __attribute__((warn_unused_result));

#endif
