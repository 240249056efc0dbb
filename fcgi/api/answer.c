#include "api/answer.h"

#include <string.h>

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
answer_page(const struct page *page, size_t n, size_t *from, size_t *to)
{
	size_t offset = (size_t)page_offset(page), size = (size_t)page->size;

	*from = offset < n ? offset : n;
	*to = size < n - *from ? *from + size : n;
}

void
answer_words(struct answer *an, const char *key, const char *list)
{
	struct json_out *o = &an->o;

	json_out_key(o, key);
	if (list == NULL) {
		json_out_null(o);
		return;
	}
	json_out_open(o, '[');
	while (*list != '\0') {
		size_t n = strcspn(list, ",");

		json_out_slice(o, slice_of(list, n));
		list += n + (list[n] == ',');
	}
	json_out_close(o, ']');
}
