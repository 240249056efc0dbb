#include "api/answer.h"

enum { ANSWER_MAX = 1 << 20 };

void
answer_init(struct answer *an, struct request *rq)
{
	buf_init(&an->b, rq->arena, ANSWER_MAX);
	json_out_init(&an->o, &an->b);
}

int
answer_send(const struct answer *an, struct request *rq, struct response *rs, int status)
{
	if (buf_full(&an->b))
		return err_internal(&rq->err, 500, "an answer is longer than %d bytes", ANSWER_MAX);
	return app_respond_json(rs, status, buf_slice(&an->b));
}

int
answer_nothing(struct response *rs)
{
	response_header(rs, "Cache-Control", "private, no-store");
	rs->status = 204;
	return 0;
}

void
answer_list_begin(struct answer *an, struct request *rq)
{
	answer_init(an, rq);
	json_out_open(&an->o, '[');
}

int
answer_list_end(struct answer *an, const struct worker_app *app, struct request *rq,
    struct response *rs, const struct page *page, size_t total)
{
	json_out_close(&an->o, ']');
	page_headers(app, rq, rs, page, (int64_t)total);
	return answer_send(an, rq, rs, 200);
}

void
answer_page(const struct page *page, size_t n, size_t *from, size_t *to)
{
	size_t offset = (size_t)page_offset(page), size = (size_t)page->size;

	*from = offset < n ? offset : n;
	*to = size < n - *from ? *from + size : n;
}
