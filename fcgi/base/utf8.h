#ifndef BASE_UTF8_H
#define BASE_UTF8_H

/* UTF-8 as RFC 3629 has it: no surrogates, nothing overlong, nothing past U+10FFFF. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

/*
 * Decodes the character at p (n >= 1 bytes left) into *cp.  Returns its
 * length in bytes, 0 where the bytes are not valid UTF-8.
 */
size_t utf8_decode(const char *p, size_t n, uint32_t *cp);

/* Encodes cp (a valid scalar value) into out; returns 1..4. */
size_t utf8_encode(uint32_t cp, char out[4]);

bool utf8_valid(struct slice);

/*
 * If the character at p (n bytes left) changes the order in which a text is shown, returns how many bytes it
 * has, and sets *cp.  These characters embed, override or isolate (Unicode UAX #9, 2.1 to 2.4).  Else returns
 * 0.
 */
size_t utf8_reorders(const char *p, size_t n, uint32_t *cp);

/* Characters in a valid string. */
size_t utf8_length(struct slice);

#endif
