#ifndef BASE_HEX_H
#define BASE_HEX_H

/* Lower-case hexadecimal, as cargo wants checksums. */

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"

/* Writes 2 * n digits and a NUL. */
void hex_encode(const unsigned char *, size_t n, char *out);

/* 0..15, or -1 for what is no digit. */
int hex_digit(char);

/* Exactly 2 * n hexadecimal digits, of either case, into n bytes; false for anything else. */
bool hex_decode(struct slice, unsigned char *out, size_t n);

#endif
