#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "tasks/download_line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
is_inside(struct slice part, struct slice whole)
{
	assert(part.n == 0 || (part.p >= whole.p && part.p + part.n <= whole.p + whole.n));
}

/* A line of nginx's log: what is understood says the same when it is written again. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice line = slice_of((const char *)data, size);
	struct download d, again;
	char text[1024], who[64] = "", what[320];
	int n;

	if (download_line_parse(line, &d) != DOWNLOAD_LINE_WHOLE)
		return 0;
	is_inside(d.crate, line);
	is_inside(d.version, line);
	is_inside(d.handle, line);
	assert(d.at >= 0 && d.bytes >= 0 && d.project_id >= 0 && d.actor_id >= 0);
	assert((d.version_id > 0) == (d.crate.n == 0) && (d.crate.n > 0) == (d.version.n > 0));
	if (d.actor != DOWNLOAD_ANYBODY)
		snprintf(who, sizeof(who), " %s:%lld", download_actor_names[d.actor],
		    (long long)d.actor_id);
	else if (d.handle.n > 0)
		snprintf(who, sizeof(who), " %.*s", (int)d.handle.n, d.handle.p);
	if (d.version_id > 0)
		snprintf(what, sizeof(what), "1/%lld", (long long)d.version_id);
	else
		snprintf(what, sizeof(what), "%.*s/%.*s", (int)d.crate.n, d.crate.p, (int)d.version.n,
		    d.version.p);
	assert(d.group_id == 0 || (d.project_id == 0 && d.version_id == 0));
	n = snprintf(text, sizeof(text),
	    "%lld.0 id= method=GET status=200 complete=OK bytes=%lld ids=\"%s%lld/%s%s\"",
	    (long long)d.at, (long long)d.bytes, d.group_id > 0 ? "g" : "",
	    (long long)(d.group_id > 0 ? d.group_id : d.project_id), what, who);
	assert(n > 0 && (size_t)n < sizeof(text));
	assert(download_line_parse(slice_of(text, (size_t)n), &again) == DOWNLOAD_LINE_WHOLE);
	assert(again.at == d.at && again.bytes == d.bytes && again.project_id == d.project_id &&
	    again.group_id == d.group_id &&
	    again.version_id == d.version_id && again.actor == d.actor &&
	    again.actor_id == d.actor_id && slice_equal(again.crate, d.crate) &&
	    slice_equal(again.version, d.version) && slice_equal(again.handle, d.handle));
	return 0;
}
