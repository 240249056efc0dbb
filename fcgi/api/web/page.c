#include "api/web/page.h"

#include "base/url.h"

void
page_init(struct page *page, const struct worker_app *app, const struct web_session *v, const char *title)
{
	*page = (struct page) {
		.title = title,
		.root = url_path(app->settings->external_url),
		.username = v != NULL ? v->session.username : "",
	};
}

void
page_init_forms(struct page *page, const struct worker_app *app, const struct web_session *v,
    const char *title)
{
	page_init(page, app, v, title);
	secret_form(v->secret, v->session.user_id, page->form);
}

int
page_respond(struct request *rq, struct response *rs, const struct web_session *v, int status,
    const struct buf *b)
{
	if (buf_full(b))
		return err_internal(&rq->err, 500, "the page is too long");
	return web_session_respond(rq, rs, v, status, buf_slice(b));
}
