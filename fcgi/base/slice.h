#ifndef BASE_SLICE_H
#define BASE_SLICE_H

/*
 * Bytes that came from outside: a pointer and a length, never a bare char *.
 * The bytes may hold NUL and need not end in one.  A slice owns nothing.
 */

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct slice {
	const char *p;
	size_t n;
};

static inline struct slice
slice_of(const char *p, size_t n)
{
	return (struct slice) { p, n };
}

static inline struct slice
slice_str(const char *s)
{
	return (struct slice) { s, strlen(s) };
}

static inline bool
slice_is(struct slice s, const char *str)
{
	return s.n == strlen(str) && memcmp(s.p, str, s.n) == 0;
}

static inline bool
slice_equal(struct slice a, struct slice b)
{
	return a.n == b.n && memcmp(a.p, b.p, a.n) == 0;
}

static inline bool
slice_has_prefix(struct slice s, const char *prefix)
{
	size_t n = strlen(prefix);

	return s.n >= n && memcmp(s.p, prefix, n) == 0;
}

#endif
