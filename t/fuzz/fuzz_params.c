/*
 * Input: a query, a newline, a media type, a newline, a body.  Whatever they are, what
 * api/params gives out keeps the promises of its header, and a Link can be made.
 */

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "call/pagination.h"
#include "fake_fcgi.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
text_verify(const char *text)
{
	assert(strlen(text) <= PARAMS_TEXT_MAX && utf8_valid(slice_str(text)));
}

static void
refusal_verify(struct request *rq)
{
	assert(rq->err.status >= 400 && rq->err.status <= 415 && rq->err.pub[0] != '\0');
	rq->err = (struct err) { 0 };
}

static void
params_verify(struct params *p)
{
	static const char *const words[] = { "asc", "desc" };
	const char *const *items = NULL;
	const char *text = NULL;
	int64_t number = 7;
	size_t n = 0;

	if (params_str(p, "a", &text) == -1)
		refusal_verify(p->rq);
	else if (text != NULL)
		text_verify(text);
	if (params_int(p, "a", 1, 9, &number) == -1)
		refusal_verify(p->rq);
	assert(number >= 1 && number <= 9);
	if (params_word(p, "a", words, 2, &n) == -1)
		refusal_verify(p->rq);
	assert(n < 2);
	n = 0;
	if (params_list(p, "a", &items, &n) == -1)
		refusal_verify(p->rq);
	assert(n <= PARAMS_LIST_MAX);
	for (size_t i = 0; items != NULL && i < n; i++)
		text_verify(items[i]);
	(void)params_has(p, "a");
	assert(p->rq->err.status == 0);
}

static void
page_verify(struct params *p)
{
	static const struct settings settings = { .external_url = "https://r.example" };
	const struct worker_app app = { .settings = &settings };
	struct response rs;
	struct pagination page;

	if (pagination_read(p, &page) == -1) {
		refusal_verify(p->rq);
		return;
	}
	assert(page.number >= 1 && page.size >= 1 && page.size <= PAGINATION_MAX);
	response_init(&rs, p->rq->arena);
	pagination_headers(&app, p->rq, &rs, &page, 55);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	char *query = arena_strndup(arena, (const char *)data, size);
	char *type = strchr(query, '\n');
	char *body = type == NULL ? NULL : strchr(type + 1, '\n');
	struct fcgi_conn *conn = calloc(1, sizeof(*conn));
	struct request rq;
	struct params params;

	assert(conn != NULL);
	if (body != NULL) {
		*type++ = '\0';
		*body++ = '\0';
		conn->body = body;
		conn->body_n = size - (size_t)(body - query);
		conn->params[0] = "REQUEST_URI";
		conn->params[1] = arena_printf(arena, "/x?%s", query);
		conn->params[2] = "CONTENT_LENGTH";
		conn->params[3] = arena_printf(arena, "%zu", conn->body_n);
		conn->params[4] = "CONTENT_TYPE";
		conn->params[5] = type;
		if (request_read(&rq, arena, conn, 60) == -1 || params_read(&rq, &params) == -1) {
			refusal_verify(&rq);
		} else {
			params_verify(&params);
			page_verify(&params);
		}
	}
	free(conn);
	arena_free(arena);
	return 0;
}
