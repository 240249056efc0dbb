#include "base/clock.h"

#include <stdio.h>

int64_t
clock_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

void
clock_rfc3339(time_t t, char out[CLOCK_RFC3339_SIZE])
{
	struct tm tm;

	if (gmtime_r(&t, &tm) == NULL || strftime(out, CLOCK_RFC3339_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		out[0] = '\0';
}
