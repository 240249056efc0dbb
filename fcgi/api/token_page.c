#include "api/token_page.h"

static const char page[] =
    "Tokens for this registry are made by its administrators:\n"
    "\n"
    "    berth token add --user YOUR-NAME --scopes api\n"
    "\n"
    "Scope `api` publishes, yanks and reads; `read_api` only reads.\n"
    "Give the token to `cargo login --registry NAME`, or set the environment variable\n"
    "CARGO_REGISTRIES_NAME_TOKEN to it.\n";

int
token_page_redirect(struct worker_app *app, struct request *rq, struct response *rs)
{
	response_body(rs, 302, "text/plain; charset=utf-8", slice_str(page));
	response_header(rs, "Location",
	    arena_printf(rq->arena, "%s/-/tokens", app->settings->external_url));
	return 0;
}

int
token_page_handle(struct worker_app *app, struct request *rq, struct response *rs)
{
	(void)app;
	(void)rq;
	response_body(rs, 200, "text/plain; charset=utf-8", slice_str(page));
	return 0;
}
