#ifndef BASE_BASE62_H
#define BASE_BASE62_H

/* Base 62, digits 0-9A-Za-z, most significant first, fixed width: for tokens. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

/* Width that always holds n bytes: 256 bits need 43, 32 bits need 6. */
enum { BASE62_256_WIDTH = 43, BASE62_32_WIDTH = 6 };

/* Writes `width` digits and a NUL; n is at most 64 and must fit the width. */
void base62_encode(const unsigned char *, size_t n, char *out, size_t width);

/* True where every byte is a digit of base 62. */
bool base62_valid(struct slice);

#endif
