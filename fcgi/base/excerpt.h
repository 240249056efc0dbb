#ifndef BASE_EXCERPT_H
#define BASE_EXCERPT_H

/*
 * A client's text inside an error sentence: only its beginning, so that a text of
 * any length leaves room for what is wrong with it.
 */

#include <stddef.h>

#include "base/slice.h"

enum { EXCERPT_MAX = 128 };

/* How many bytes to show, never half a character: the precision of a "%.*s". */
static inline int
excerpt(struct slice text)
{
	size_t n = text.n;

	if (n > EXCERPT_MAX) {
		n = EXCERPT_MAX;
		while (n > EXCERPT_MAX - 4 && ((unsigned char)text.p[n] & 0xc0) == 0x80)
			n--;
	}
	return (int)n;
}

#endif
