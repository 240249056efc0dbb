#ifndef BASE_SCAN_H
#define BASE_SCAN_H

/*
 * Reading text from its front, as the small parsers of names, versions and cfg
 * expressions do it.  Letters and digits are those of ASCII, whatever the locale.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"

static inline bool
scan_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool
scan_is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline bool
scan_is_alnum(char c)
{
	return scan_is_alpha(c) || scan_is_digit(c);
}

/* Drops the first n bytes, which must be there. */
static inline void
scan_skip(struct slice *in, size_t n)
{
	in->p += n;
	in->n -= n;
}

/* Takes the character if it comes next. */
static inline bool
scan_char(struct slice *in, char c)
{
	if (in->n == 0 || in->p[0] != c)
		return false;
	scan_skip(in, 1);
	return true;
}

/* Cargo's grammars know the blank alone; a tab is an error. */
static inline void
scan_blanks(struct slice *in)
{
	while (scan_char(in, ' '))
		;
}

#endif
