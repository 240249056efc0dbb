#ifndef T_TAP_H
#define T_TAP_H

/*
 * TAP for unit tests in C.  A test is a program: call the checks, return
 * tap_done() from main.  The plan is printed at the end.
 */

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static int tap_count, tap_failed;

static inline bool __attribute__((format(printf, 4, 5)))
tap_ok(bool good, const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	tap_count++;
	printf("%sok %d - ", good ? "" : "not ", tap_count);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	if (!good) {
		tap_failed++;
		printf("#   failed at %s:%d\n", file, line);
	}
	return good;
}

static inline void
tap_is_str(const char *got, const char *want, const char *file, int line, const char *name)
{
	bool same = got == want || (got != NULL && want != NULL && strcmp(got, want) == 0);

	if (!tap_ok(same, file, line, "%s", name))
		printf("#   got:  %s\n#   want: %s\n", got ? got : "(null)", want ? want : "(null)");
}

static inline void
tap_is_int(long long got, long long want, const char *file, int line, const char *name)
{
	if (!tap_ok(got == want, file, line, "%s", name))
		printf("#   got:  %lld\n#   want: %lld\n", got, want);
}

#define ok(good, ...)           tap_ok((good), __FILE__, __LINE__, __VA_ARGS__)
#define is_str(got, want, name) tap_is_str((got), (want), __FILE__, __LINE__, (name))
#define is_int(got, want, name) tap_is_int((long long)(got), (long long)(want), __FILE__, __LINE__, (name))

static inline int
tap_done(void)
{
	printf("1..%d\n", tap_count);
	return tap_failed != 0;
}

#endif
