#include "api/web/asset.h"

#include <string.h>

#define ASSET(name, hash, ...) \
	{ (name), "v=" hash, (const unsigned char[]) { __VA_ARGS__ }, \
	    sizeof((const unsigned char[]) { __VA_ARGS__ }) },

static const struct asset {
	const char *name;
	const char *query; /* of the address that names these bytes */
	const unsigned char *bytes;
	size_t n;
} assets[] = {
#include "api/web/assets.inc"
};

static int
respond(struct request *rq, struct response *rs, const char *name, const char *content_type)
{
	const struct asset *a = assets;

	while (strcmp(a->name, name) != 0)
		a++;
	response_header(rs, "Cache-Control", slice_is(rq->query, a->query)
	    ? "public, max-age=31536000, immutable" : "public, max-age=3600");
	/* an SVG is a document as well, if somebody opens its address */
	response_header(rs, "Content-Security-Policy", "default-src 'none'");
	response_body(rs, 200, content_type, slice_of((const char *)a->bytes, a->n));
	return 0;
}

int
asset_style(struct call *call, struct request *rq, struct response *rs)
{
	(void)call;
	return respond(rq, rs, "style.css", "text/css; charset=utf-8");
}

int
asset_favicon(struct call *call, struct request *rq, struct response *rs)
{
	(void)call;
	return respond(rq, rs, "favicon.svg", "image/svg+xml");
}
