#include "api/web/way_back.h"

#include <string.h>

#include "base/url.h"

enum { WAY_BACK_MAX = 1024 };

const char *
way_back_here(const struct request *rq)
{
	struct buf b;

	if ((rq->method & (METHOD_GET | METHOD_HEAD)) == 0)
		return NULL;
	buf_init(&b, rq->arena, WAY_BACK_MAX);
	url_put_visible(&b, rq->raw_path);
	buf_puts(&b, rq->query.n > 0 ? "?" : "");
	url_put_visible(&b, rq->query);
	return buf_full(&b) ? NULL : buf_str(&b);
}

int
way_back_read(struct params *params, const char **to)
{
	static const char root[] = "/-/";
	const char *given = "";
	struct buf b;

	*to = NULL;
	if (params_str(params, "to", &given) == -1)
		return -1;
	if (strncmp(given, root, sizeof(root) - 1) != 0 ||
	    !request_takes_raw_path(params->rq->arena, slice_of(given, strcspn(given, "?"))))
		return 0;
	buf_init(&b, params->rq->arena, WAY_BACK_MAX);
	url_put_visible(&b, slice_str(given));
	if (!buf_full(&b))
		*to = buf_str(&b);
	return 0;
}
