#ifndef TRANSFER_IMPORT_TIME_H
#define TRANSFER_IMPORT_TIME_H

/*
 * The time at which another registry says that a version was published.  If the text is not a time, the
 * version is imported all the same, with the time of the import, and the report quotes the text.
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
