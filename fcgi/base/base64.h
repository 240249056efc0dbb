#ifndef BASE_BASE64_H
#define BASE_BASE64_H

/*
 * Base 64 (RFC 4648), read strictly: one text for each sequence of bytes.  Digits of the other
 * alphabet, white space, padding where it does not belong and bits left over are refused.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"

/* Whole quanta with their padding (section 4).  out holds at least 3/4 of the input. */
bool base64_decode(struct slice in, char *out, size_t *n);

/* The alphabet for URLs, without padding (section 5), as JSON Web Tokens have it. */
bool base64url_decode(struct slice in, char *out, size_t *n);

#endif
