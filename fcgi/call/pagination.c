#include "call/pagination.h"

#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/url.h"

enum {
	URL_MAX = 2048, /* nginx takes no head of any size */
	LINKS_MAX = 4 * (URL_MAX + 32),
	PER_PAGE_ANY = 1000000000
};

int
pagination_read(struct params *p, struct pagination *page)
{
	*page = (struct pagination) { .number = 1, .size = PAGINATION_DEFAULT };
	if (params_int(p, "page", 1, PAGINATION_NUMBER_MAX, &page->number) == -1 ||
	    params_int(p, "per_page", 1, PER_PAGE_ANY, &page->size) == -1)
		return -1;
	if (page->size > PAGINATION_MAX)
		page->size = PAGINATION_MAX;
	return 0;
}

int64_t
pagination_offset(const struct pagination *page)
{
	return (page->number - 1) * page->size;
}

/* Is this part of a query the page?  A client may encode any letter of the name. */
static bool
is_page(struct request *rq, struct slice part)
{
	const char *value;
	struct err saved = rq->err;
	bool is = request_form(rq, part, "page", 0, &value) == -1 || value != NULL;

	rq->err = saved;
	return is;
}

/* The URL of another page: the other parameters stay, in their order.  NULL: it is too long. */
static const char *
url_of(const struct worker_app *app, struct request *rq, int64_t page)
{
	struct slice left = rq->query;
	char separator = '?';
	struct buf b;

	buf_init(&b, rq->arena, URL_MAX);
	buf_puts(&b, app->settings->external_url);
	url_put_visible(&b, rq->raw_path);
	while (left.n > 0) {
		const char *end = memchr(left.p, '&', left.n);
		struct slice part =
		    slice_of(left.p, end == NULL ? left.n : (size_t)(end - left.p));

		left = slice_of(left.p + part.n, left.n - part.n);
		if (left.n > 0)
			left = slice_of(left.p + 1, left.n - 1);
		if (part.n == 0 || is_page(rq, part))
			continue;
		buf_putc(&b, separator);
		url_put_visible(&b, part);
		separator = '&';
	}
	buf_printf(&b, "%cpage=%" PRId64, separator, page);
	return buf_full(&b) ? NULL : buf_str(&b);
}

static const char *
number(struct request *rq, int64_t n)
{
	return arena_printf(rq->arena, "%" PRId64, n);
}

struct links {
	const struct worker_app *app;
	struct request *rq;
	struct buf b;
	bool omitted;
};

static void
put_link(struct links *l, const char *rel, int64_t page)
{
	const char *url = url_of(l->app, l->rq, page);

	if (url == NULL)
		l->omitted = true;
	else
		buf_printf(&l->b, "%s<%s>; rel=\"%s\"", l->b.n > 0 ? ", " : "", url, rel);
}

/* pages 0: so many that they were not counted. */
static void
put_headers(const struct worker_app *app, struct request *rq, struct response *rs,
    const struct pagination *page, int64_t pages, bool has_next)
{
	bool has_prev = page->number > 1 && (pages == 0 || page->number <= pages + 1);
	struct links links = { .app = app, .rq = rq, .omitted = rq->body_read > 0 };

	buf_init(&links.b, rq->arena, LINKS_MAX);
	if (has_prev)
		put_link(&links, "prev", page->number - 1);
	if (has_next)
		put_link(&links, "next", page->number + 1);
	put_link(&links, "first", 1);
	if (pages != 0)
		put_link(&links, "last", pages);
	if (!links.omitted)
		response_header(rs, "Link", buf_str(&links.b));
	response_header(rs, "X-Page", number(rq, page->number));
	response_header(rs, "X-Per-Page", number(rq, page->size));
	response_header(rs, "X-Next-Page", has_next ? number(rq, page->number + 1) : "");
	response_header(rs, "X-Prev-Page", has_prev ? number(rq, page->number - 1) : "");
}

void
pagination_headers(const struct worker_app *app, struct request *rq, struct response *rs,
    const struct pagination *page, int64_t total)
{
	int64_t pages = total == 0 ? 1 : (total + page->size - 1) / page->size;

	put_headers(app, rq, rs, page, pages, page->number < pages);
	response_header(rs, "X-Total", number(rq, total));
	response_header(rs, "X-Total-Pages", number(rq, pages));
}

void
pagination_headers_uncounted(const struct worker_app *app, struct request *rq, struct response *rs,
    const struct pagination *page, size_t n)
{
	put_headers(app, rq, rs, page, 0, (int64_t)n == page->size);
}
