#include "cache/cache_state.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"

enum {
	SECOND = 1000000,
	QUIET = 60 * SECOND, /* between two warnings of one text, */
	QUIET_OTHER = 10 * SECOND /* and of two texts */
};

const char *const cache_states[CACHE__STATES] = {
	[CACHE_SERVES] = "serves",
	[CACHE_STARTS] = "starts",
	[CACHE_NO_DIR] = "directory",
	[CACHE_LOCKED] = "locked",
	[CACHE_NO_DATABASE] = "database",
	[CACHE_DEAF] = "deaf",
};

void
cache_warn(struct cache_warning *w, const struct err *err)
{
	const char *text = err->detail[0] != '\0' ? err->detail : err->pub;
	int64_t at = clock_us();

	if (w->at_us != 0 && at - w->at_us < (strcmp(text, w->text) == 0 ? QUIET : QUIET_OTHER))
		return;
	w->at_us = at;
	snprintf(w->text, sizeof(w->text), "%s", text);
	log_warn("cache: %s", text);
}
