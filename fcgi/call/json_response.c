#include "call/json_response.h"

enum { RESPONSE_MAX = 4 << 20 };

void
json_response_init(struct json_response *json, struct request *rq)
{
	buf_init(&json->b, rq->arena, RESPONSE_MAX);
	json_out_init(&json->o, &json->b);
}

int
json_response_send(const struct json_response *json, struct request *rq, struct response *rs, int status)
{
	if (buf_full(&json->b))
		return err_internal(&rq->err, 500, "the answer is longer than %d bytes", RESPONSE_MAX);
	return app_respond_json(rs, status, buf_slice(&json->b));
}

int
json_response_empty(struct response *rs)
{
	response_header(rs, "Cache-Control", "private, no-store");
	rs->status = 204;
	return 0;
}

void
json_response_begin_list(struct json_response *json, struct request *rq)
{
	json_response_init(json, rq);
	json_out_open(&json->o, '[');
}

int
json_response_end_list(struct json_response *json, const struct worker_app *app, struct request *rq,
    struct response *rs, const struct pagination *page, size_t total)
{
	json_out_close(&json->o, ']');
	pagination_headers(app, rq, rs, page, (int64_t)total);
	return json_response_send(json, rq, rs, 200);
}

void
json_response_page(const struct pagination *page, size_t n, size_t *from, size_t *to)
{
	size_t offset = (size_t)pagination_offset(page), size = (size_t)page->size;

	*from = offset < n ? offset : n;
	*to = size < n - *from ? *from + size : n;
}
