#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

/* Time: monotonic microseconds for measuring, UTC text for people and for the index. */

#include <stdint.h>
#include <time.h>

/* Microseconds of CLOCK_BOOTTIME: a time that ends while the machine sleeps has ended. */
int64_t clock_us(void);
enum { CLOCK_SECOND = 1000000 }; /* of clock_us() */

/* "2026-01-31T12:34:56Z": 20 bytes and a NUL, the form of the index's pubtime. */
enum { CLOCK_RFC3339_SIZE = 21 };
void clock_rfc3339(time_t, char out[CLOCK_RFC3339_SIZE]);

#endif
