#ifndef TRANSFER_IMPORT_TIME_H
#define TRANSFER_IMPORT_TIME_H

/*
 * When a version was published, as another registry says it.  A time that nobody can read is no reason to
 * leave a crate behind: its version gets the time of the import, and the report names the text.
 */

#include <stdint.h>

#include "base/arena.h"
#include "base/json.h"

struct import_time {
	int64_t seconds; /* since 1970; 0: unknown */
	const char *why; /* what is wrong with the text; NULL: there is none, or `seconds` is its time */
};

/*
 * Takes the member `key` of the object: a date, or a moment of RFC 3339 in any zone, cut to whole seconds.
 * Years 1971 to 9999.  Strings live in the arena.
 */
struct import_time import_time_take(struct arena *, struct json_object *, const char *key);

#endif
