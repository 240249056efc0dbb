#include "api/web/page.h"

#include <string.h>

#include "api/web/templates.h"
#include "api/web/way_back.h"
#include "base/clock.h"
#include "base/url.h"
#include "cache/cache_page.h"
#include "http/accept.h"
#include "store/web/page_crate.h"

/* The longest time that the page for a missing address waits to find its viewer. */
enum { LOST_US = CLOCK_SECOND };

void
page_init(struct page *page, const struct worker_app *app, struct request *rq, const struct web_session *v,
    const char *title)
{
	*page = (struct page) {
		.rq = rq,
		.title = title,
		.root = url_path(app->settings->external_url),
		.username = "",
		.query = "",
	};
	if (v != NULL) {
		page->user_id = v->session.user_id;
		page->username = v->session.username;
		page->has_search = flag_is_on(FLAG_WEB_PAGES, v->session.flags, 0);
		page->has_tokens = flag_is_on(FLAG_TOKEN_PAGE, v->session.flags, 0);
		if (web_session_is_open(v))
			secret_form(v->secret, v->session.user_id, page->form);
	}
	buf_init(&page->html, rq->arena, PAGE_HTML_MAX);
}

void
page_init_forms(struct page *page, const struct worker_app *app, struct request *rq,
    const struct web_session *v, const char *title)
{
	page_init(page, app, rq, v, title);
	secret_form(v->secret, v->session.user_id, page->form);
}

void
page_set_back(struct page *page, const char *to)
{
	page->back[0] = (struct html_pair) { "to", to };
}

const char *
page_sentence(struct arena *a, const char *text)
{
	size_t n = strlen(text);
	bool is_small = text[0] >= 'a' && text[0] <= 'z';

	if (n == 0)
		return text;
	return arena_printf(a, "%c%s%s", is_small ? text[0] - 'a' + 'A' : text[0], text + 1,
	    text[n - 1] != '.' ? "." : "");
}

static int
refuse_long(const struct page *page)
{
	return err_internal(&page->rq->err, 500, "the page is longer than %d bytes", PAGE_HTML_MAX);
}

int
page_respond(const struct page *page, struct response *rs, const struct web_session *v, int status)
{
	if (buf_full(&page->html))
		return refuse_long(page);
	return web_session_respond(page->rq, rs, v, status, buf_slice(&page->html));
}

/* In place of what the viewer has asked for; returns the status. */
static int
refuse(struct page *page)
{
	struct err err = page->rq->err;
	int status = err.status == 401 ? 404 : err.status;

	err_clear(&page->rq->err);
	page->title = err_status_text(status);
	page->has_images = false;
	buf_reset(&page->html);
	html_refused(&page->html, page, status == 404 ? page->missing : page_sentence(page->rq->arena, err.pub));
	return status;
}

/*
 * Keeps the page for nginx, which sends it to equal requests.  So it keeps only the one spelling of its
 * address.  nginx has one policy for all pages, so it cannot send one with images.
 */
static void
keep(const struct page *page, const struct response *rs, uint64_t begun)
{
	const struct worker_app *app = page->call->app;
	struct request *rq = page->rq;

	if (page->kept == NULL || page->has_images || page->user_id != 0 || rs->status != 200 || rq->query.n > 0 ||
	    !slice_is(rq->raw_path, arena_printf(rq->arena, "/-/%s", page->kept)) ||
	    !accept_gzip(request_header(rq, "HTTP_ACCEPT_ENCODING")))
		return;
	cache_page_keep(app->settings->cache_dir, app->board, begun, page->call->facts.project_id, page->kept,
	    rs->body);
}

/* What `show` returns.  It begins anew at the primary if the replica cannot answer. */
static int
make(struct page *page, struct call *call, struct request *rq, const struct web_session *v,
    int (*show)(struct page *))
{
	int rc;

	do {
		page_init(page, call->app, rq, v, "");
		page_set_back(page, way_back_here(rq));
		page->call = call;
		rc = page->has_search ? show(page) : 0;
	} while (replica_again(&call->replica));
	return rc;
}

int
page_run(struct call *call, struct request *rq, struct response *rs, int (*show)(struct page *))
{
	struct web_session *v = web_session_new(call->app, rq);
	/* before anything is read */
	uint64_t begun = cache_page_begin(call->app->board);
	struct page page;
	int status = 200, rc;

	if (call_confirm(call, rq) == -1 || web_session_find_viewer(call->app, rq, v) == -1)
		return -1;
	rc = make(&page, call, rq, v, show);
	if (!page.has_search)
		return err_set(&rq->err, 404, "Not Found");
	if (rc == -1) {
		if (rq->err.status >= 500)
			return -1;
		status = refuse(&page);
	}
	if (buf_full(&page.html))
		return refuse_long(&page);
	if (web_session_show(rq, rs, v, status, buf_slice(&page.html), page.has_images) == -1)
		return -1;
	keep(&page, rs, begun);
	return 0;
}

/*
 * Finds the viewer of an address without a route; NULL: unknown, or the address has a route.  The error
 * becomes 429 if the cookie is one bad credential too many.
 */
static struct web_session *
find_lost(struct worker_app *app, struct request *rq)
{
	const struct err missing = rq->err;
	struct web_session *v;
	bool found;

	if (rq->route != NULL || missing.status != 404)
		return NULL;
	v = web_session_new(app, rq);
	db_look(app->db);
	db_set_deadline(app->db, clock_us() + LOST_US);
	found = web_session_find_viewer(app, rq, v) == 0;
	if (rq->err.status != 429)
		rq->err = missing;
	return found ? v : NULL;
}

/* Does the path begin as that of a page?  Addresses for programs, such as /-/readiness/, do not. */
static bool
begins_as_page(const struct request *rq)
{
	static const char *const names[] = { "groups", "projects", "search", "sign-in", "tokens" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (slice_is(rq->segments[1].text, names[i]))
			return true;
	}
	return false;
}

/* How many bytes at the end of the path are too many: a slash, or `/-/crates` without a name behind it. */
static size_t
count_surplus(const struct request *rq)
{
	static const char list[] = "/-/crates";
	const struct slice path = rq->raw_path;
	const size_t n = sizeof(list) - 1;

	if (rq->trailing_slash)
		return 1;
	return rq->nsegments > 4 && slice_is(rq->segments[1].text, "projects") &&
	    memcmp(path.p + path.n - n, list, n) == 0 ? n : 0;
}

/* Is the path `/-`, the front page without its slash? */
static bool
lacks_slash(const struct request *rq)
{
	return rq->nsegments == 1 && !rq->trailing_slash;
}

/*
 * Redirects the address of a page with such an end to the one without, and `/-` to the front page.  It looks
 * nothing up, so the answer does not tell what exists.  False: no such end, or no page.
 */
static bool
mend_end(const struct worker_app *app, struct request *rq, struct response *rs)
{
	enum { MOST = 3 * (REQUEST_PATH_MAX + 1 + REQUEST_QUERY_MAX) /* if all is escaped */ };
	const char *root = app->settings->external_url;
	bool is_front = lacks_slash(rq);
	size_t surplus;
	struct buf to;

	if (rq->route != NULL || rq->err.status != 404 || !(rq->method & (METHOD_GET | METHOD_HEAD)) ||
	    (!is_front && (rq->nsegments < 2 || !begins_as_page(rq))))
		return false;
	surplus = is_front ? 0 : count_surplus(rq);
	if (surplus == 0 && !is_front)
		return false;
	buf_init(&to, rq->arena, strlen(root) + MOST);
	buf_puts(&to, root);
	url_put_visible(&to, slice_of(rq->raw_path.p, rq->raw_path.n - surplus));
	buf_puts(&to, is_front ? "/" : "");
	buf_puts(&to, rq->query.n > 0 ? "?" : "");
	url_put_visible(&to, rq->query);
	response_header(rs, "Location", buf_str(&to));
	response_error_body(rs, "text/plain; charset=utf-8", slice_str(""));
	rs->status = 308;
	return true;
}

void
page_refuse(struct worker_app *app, struct request *rq, struct response *rs)
{
	const struct web_session *v;
	struct page page;

	if (rq->nsegments == 0 || !slice_is(rq->segments[0].text, "-") || mend_end(app, rq, rs) ||
	    !accept_html(request_header(rq, "HTTP_ACCEPT")))
		return;
	v = find_lost(app, rq);
	if (rq->err.status != rs->status)
		response_error(rs, ERROR_FORMAT_TEXT, &rq->err, NULL);
	/* a page to read answers 429 only to the cookie of no session; without it the next request is answered */
	if (rs->status == 429 && (rq->method & (METHOD_GET | METHOD_HEAD)) != 0 && rq->authorization == NULL)
		web_session_forget(app, rq, rs);
	page_init(&page, app, rq, v, err_status_text(rs->status));
	page_set_back(&page, way_back_here(rq));
	html_refused(&page.html, &page, rs->status == 404 ? NULL : page_sentence(rq->arena, rq->err.pub));
	if (buf_full(&page.html))
		return;
	response_error_body(rs, "text/html; charset=utf-8", buf_slice(&page.html));
	web_session_put_policy(rs, false);
}

static int
read_facts(struct page *page, enum namespace_kind kind)
{
	const struct namespace_ref namespace = { .path = request_param(page->rq, "path") };
	struct request *rq = page->rq;
	struct db_call call = { 0 };

	access_facts_viewer_call(&call, rq->arena, kind, page->user_id, &namespace);
	if (replica_decide(&page->call->replica, &call) == -1)
		return -1;
	access_facts_read(&call, kind, &page->call->facts);
	return 0;
}

int
page_decide(struct page *page, enum namespace_kind kind, enum action action, enum flag flag)
{
	struct access_facts *facts = &page->call->facts;

	if (read_facts(page, kind) == -1)
		return -1;
	access_facts_switch(facts, flag);
	return access_decide(facts, facts->token_id != 0 ? CREDENTIAL_TOKEN : CREDENTIAL_NONE, action,
	    &page->rq->err);
}

int
page_know_project(struct page *page)
{
	if (read_facts(page, NAMESPACE_PROJECT) == -1)
		return -1;
	return page_may_know(&page->call->facts) ? 0 : err_set(&page->rq->err, 404, "Not Found");
}

/*
 * A crate of a group may have moved to another project: points to the page there.  False: the viewer may not
 * see one, or the database does not say.
 */
static bool
point_elsewhere(struct page *page, struct slice crate)
{
	struct arena *a = page->rq->arena;
	struct db *db = page->call->app->db;
	struct access_facts *facts;
	struct err err = { 0 };
	const char *name = NULL;
	int64_t id;
	size_t n;

	if (page_crate_elsewhere(db, a, page->call->facts.project_id, crate, &id, &name, &err) == -1 || id == 0 ||
	    access_facts_viewer_listed(db, a, page->user_id, &id, 1, &facts, &n, &err) == -1 || n == 0 ||
	    !page_may_read(&facts[0]))
		return false;
	page->missing = arena_printf(a, "%s has no crate %s, and %s has it.", page->call->facts.full_path, name,
	    facts[0].full_path);
	page->above = arena_printf(a, "%s in %s", name, facts[0].full_path);
	page->above_path = arena_printf(a, "projects/%s/-/crates/%s", facts[0].full_path, name);
	return true;
}

int
page_refuse_version(struct page *page, const char *crate)
{
	struct request *rq = page->rq;
	struct arena *a = rq->arena;
	const char *project = page->call->facts.full_path;

	if (rq->err.status != 404)
		return -1;
	if (crate != NULL) {
		page->missing = arena_printf(a, "%s.", rq->err.pub);
		page->above = crate;
		page->above_path = arena_printf(a, "projects/%s/-/crates/%s", project, crate);
	} else if (!point_elsewhere(page, request_param(rq, "crate"))) {
		page->missing = arena_printf(a, "%s has no crate %s.", project,
		    arena_slicedup(a, request_param(rq, "crate")));
		page->above = project;
		page->above_path = arena_printf(a, "projects/%s", project);
	}
	return -1;
}

int
page_miss_version(struct page *page, struct slice crate, struct slice version)
{
	struct page_crate_pair pair = { page->call->facts.project_id, crate, version, version };
	struct request *rq = page->rq;
	struct page_crate versions[2];

	if (rq->err.status != 404)
		return -1;
	err_clear(&rq->err);
	/* the source of a version has no page at another spelling of its crate */
	if (page_crate_read_pair(page_db(page), rq->arena, &pair, &versions[0], &versions[1], &rq->err) == 0)
		return err_set(&rq->err, 404, "Not Found");
	return page_refuse_version(page, versions[1].name);
}

struct db *
page_db(const struct page *page)
{
	return replica_choose(&page->call->replica);
}

int
page_find_facts(const struct page *page, struct page_rows *rows)
{
	return page_rows_facts(page->call->app->db, page->rq->arena, page->user_id, rows, &page->rq->err);
}

bool
page_may(const struct page *page, enum action action)
{
	return app_may(&page->call->facts, action);
}

bool
page_may_read(const struct access_facts *facts)
{
	struct access_facts f = *facts;

	access_facts_switch(&f, FLAG_CARGO);
	return app_may(&f, ACTION_READ_PACKAGE);
}

bool
page_may_know(const struct access_facts *facts)
{
	struct access_facts f = *facts;

	/* what the flag switches off is what is in a project */
	f.switched_off = false;
	return app_may(&f, ACTION_READ_NAMESPACE) || page_may_read(facts);
}

struct page_rows
page_rows_judged(const struct page *page, const struct page_rows *rows, const char *part,
    bool (*may)(const struct access_facts *))
{
	struct page_rows found = page_rows_of(rows, part);
	struct page_rows kept = { arena_calloc(page->rq->arena, found.n, sizeof(*kept.v)), 0 };

	for (size_t i = 0; i < found.n; i++) {
		if (may(&found.v[i].facts))
			kept.v[kept.n++] = found.v[i];
	}
	return kept;
}

struct page_crumbs
page_crumbs(struct arena *a, const char *path)
{
	struct page_crumbs crumbs = { .v = arena_calloc(a, REQUEST_SEGMENTS_MAX, sizeof(*crumbs.v)) };
	const char *name = path;

	while (crumbs.n < REQUEST_SEGMENTS_MAX) {
		const char *end = name + strcspn(name, "/");

		crumbs.v[crumbs.n++] = (struct page_crumb) {
			.name = arena_strndup(a, name, (size_t)(end - name)),
			.path = arena_strndup(a, path, (size_t)(end - path)),
		};
		if (*end == '\0')
			break;
		name = end + 1;
	}
	return crumbs;
}

int
page_turn_read(struct page *page, int64_t size, struct page_turn *turn)
{
	struct params params = { .rq = page->rq, .form = slice_str("") };

	*turn = (struct page_turn) { .number = 1, .size = size };
	return params_int(&params, "page", 1, PAGE_NUMBER_MAX, &turn->number);
}

struct page_range
page_turn_range(const struct page_turn *turn)
{
	return (struct page_range) { turn->size, (turn->number - 1) * turn->size };
}

int64_t
page_turn_last(const struct page_turn *turn)
{
	int64_t pages = (turn->total + turn->size - 1) / turn->size;

	return pages > 0 ? pages : 1;
}

int64_t
page_turn_before(const struct page_turn *turn)
{
	int64_t last = page_turn_last(turn);

	return turn->number > last ? last : turn->number - 1;
}

bool
page_turn_goes_on(const struct page_turn *turn)
{
	return turn->number < page_turn_last(turn) && turn->number < PAGE_NUMBER_MAX;
}
