#include "api/gitlab/openapi.h"

#include <assert.h>
#include <string.h>

#include "base/buf.h"
#include "base/url.h"

static const unsigned char text[] = {
#include "api/openapi.inc"
};

/* The description of a server below a path: its first server is at `/`, and then at the path. */
static struct slice
text_below(struct arena *a, const char *path)
{
	static const char root[] = "\"servers\": [{\"url\": \"/";
	const char *p = (const char *)text;
	const char *found = memmem(p, sizeof(text), root, strlen(root));
	size_t before = found != NULL ? (size_t)(found - p) + strlen(root) - 1 : 0;
	struct buf b;

	assert(found != NULL);
	buf_init(&b, a, sizeof(text) + strlen(path));
	buf_put(&b, p, before);
	buf_puts(&b, path);
	buf_put(&b, p + before + 1, sizeof(text) - before - 1);
	return buf_slice(&b);
}

int
openapi_handle(struct call *call, struct request *rq, struct response *rs)
{
	const char *path = url_path(call->app->settings->external_url);

	response_header(rs, "Cache-Control", "public, max-age=300");
	response_body(rs, 200, "application/json", path[0] != '\0' ? text_below(rq->arena, path)
	    : slice_of((const char *)text, sizeof(text)));
	return 0;
}
