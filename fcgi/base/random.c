#include "base/random.h"

#include <assert.h>
#include <errno.h>
#include <sys/random.h>
#include <unistd.h>

int
random_bytes(void *p, size_t n, struct err *err)
{
	assert(n <= RANDOM_MAX);
	/* a signal interrupts it before the system's pool is ready */
	return TEMP_FAILURE_RETRY(getrandom(p, n, 0)) == (ssize_t)n ? 0 : err_sys(err, "getrandom");
}
