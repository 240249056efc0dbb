#ifndef BASE_DECIMAL_H
#define BASE_DECIMAL_H

/* Numbers as decimal text, for what is written with each request: printf takes ten times as long. */

#include <stddef.h>
#include <stdint.h>

/* The longest there is, with its sign and a NUL. */
enum { DECIMAL_SIZE = 21 };

/* Returns its length; a NUL follows. */
size_t decimal_write(int64_t, char out[DECIMAL_SIZE]);

/* Its last n digits, with zeroes before it where it has fewer.  No NUL follows. */
void decimal_write_digits(uint64_t, char *out, size_t n);

#endif
