#include "cache/cache_state.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"

enum {
	QUIET = 60 * CLOCK_SECOND, /* between two warnings of one text, */
	QUIET_OTHER = 10 * CLOCK_SECOND /* and of two texts */
};

const char *const cache_states[CACHE__STATES] = {
	[CACHE_SERVES] = "serves",
	[CACHE_STARTS] = "starts",
	[CACHE_NO_DIR] = "directory",
	[CACHE_LOCKED] = "locked",
	[CACHE_NO_DATABASE] = "database",
	[CACHE_STALE] = "stale",
	[CACHE_DEAF] = "deaf",
};

const char *const cache_state_reasons[CACHE__STATES] = {
	[CACHE_SERVES] = "its keeper hangs, or has just died",
	[CACHE_STARTS] = "its keeper is starting, or keeps dying",
	[CACHE_NO_DIR] = "its keeper cannot use the directory",
	[CACHE_LOCKED] = "another process has locked the directory: a pool that is stopping, or one with the same "
			 "cache_dir",
	[CACHE_NO_DATABASE] = "its keeper gets no answer from the database",
	[CACHE_STALE] = "its keeper gets no answer from the database; nginx is in stale mode "
			"(cache_stale_max)",
	[CACHE_DEAF] = "its keeper gets no notifications from the database: connect `database` to "
		       "PostgreSQL itself, or set pool_mode = session in the pooler",
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
