#include "api/web/crate_page.h"

#include "api/web/crate_html.h"
#include "api/web/templates.h"
#include "base/url.h"
#include "crate/semver.h"
#include "crate/version_req.h"

enum { VERSIONS = 100, DAYS_OF_WEEK = 7 };

bool
crate_html_is_link(const char *url)
{
	return url != NULL && url_is_web(slice_str(url));
}

int64_t
crate_html_bar(const struct page_crate *crate, size_t day)
{
	int64_t most = 1;

	for (size_t i = 0; i < PAGE_CRATE_DAYS; i++)
		most = crate->days[i] > most ? crate->days[i] : most;
	/* what is not 0 is seen */
	return (crate->days[day] * PLOT_HEIGHT + most - 1) / most;
}

int64_t
crate_html_week(const struct page_crate *crate, size_t week)
{
	int64_t sum = 0;

	for (size_t ago = week * DAYS_OF_WEEK; ago < (week + 1) * DAYS_OF_WEEK && ago < PAGE_CRATE_DAYS; ago++)
		sum += crate->days[PAGE_CRATE_DAYS - 1 - ago];
	return sum;
}

/* What the registry of each dependency is; an address that is none of ours is elsewhere. */
static const struct registry_url *
registries_of(const struct page *page, const struct page_crate *crate)
{
	size_t n = crate->ndependencies < PAGE_CRATE_DEPENDENCIES ? crate->ndependencies : PAGE_CRATE_DEPENDENCIES;
	struct arena *a = page->rq->arena;
	struct registry_url *urls = arena_calloc(a, n, sizeof(*urls));

	for (size_t i = 0; i < n; i++) {
		struct err wrong;

		if (crate->dependencies[i].registry == NULL ||
		    registry_url_read(a, page->call->app->settings->external_url, crate->dependencies[i].registry, &urls[i],
		        &wrong) == -1)
			urls[i] = (struct registry_url) { .kind = REGISTRY_ELSEWHERE };
	}
	return urls;
}

/* Which dependents take the version that is shown. */
static const bool *
takes(struct arena *a, const struct page_crate *crate)
{
	bool *list = arena_calloc(a, crate->ndependents, sizeof(*list));
	struct semver shown;
	struct err wrong;

	if (semver_parse(slice_str(crate->shown.version), &shown, &wrong) == -1)
		return list;
	for (size_t i = 0; i < crate->ndependents; i++)
		list[i] = version_req_matches(a, crate->dependents[i].req, &shown);
	return list;
}

/* Links of the README lead to the files of the version that is shown. */
static void
show_readme(const struct page *page, struct crate_html *html)
{
	const struct page_crate *crate = html->crate;
	struct readme_source source = { .file = crate->readme_file };
	struct buf list;

	if (crate->readme == NULL)
		return;
	buf_init(&list, page->rq->arena, REQUEST_PATH_MAX);
	buf_printf(&list, "%s/-/projects/", page->root);
	html_path(&list, html->path);
	buf_puts(&list, "/-/crates/");
	html_part(&list, crate->name);
	buf_putc(&list, '/');
	html_part(&list, crate->shown.version);
	buf_puts(&list, "/source");
	source.list = buf_str(&list);
	readme_render(page->rq->arena, crate->readme, &source, &html->readme);
}

static int
show(struct page *page, struct slice version)
{
	struct request *rq = page->rq;
	struct page_crate crate;
	struct crate_html html = { .is_version = version.n > 0 };
	struct page_crate_ask ask = { .name = request_param(rq, "crate"), .version = version };

	if (page_turn_read(page, VERSIONS, &html.turn) == -1 ||
	    page_decide(page, NAMESPACE_PROJECT, ACTION_READ_PACKAGE, FLAG_CARGO) == -1)
		return -1;
	ask.project_id = page->call->facts.project_id;
	ask.range = page_turn_range(&html.turn);
	ask.owners = html.sees_owners = page_may(page, ACTION_READ_OWNERS);
	ask.publishers = html.sees_publishers = page_may(page, ACTION_READ_PIPELINES);
	if (page_crate_read(page->call->app->db, rq->arena, &ask, &crate, &rq->err) == -1)
		return -1;
	html.path = page->call->facts.full_path;
	html.crumbs = page_crumbs(rq->arena, html.path);
	html.crate = &crate;
	html.registries = registries_of(page, &crate);
	html.takes = takes(rq->arena, &crate);
	html.turn.total = crate.total;
	show_readme(page, &html);
	page->title = arena_printf(rq->arena, "%s %s - %s", crate.name, crate.shown.version, html.path);
	html_crate(&page->html, page, &html);
	return 0;
}

static int
show_crate(struct page *page)
{
	return show(page, slice_str(""));
}

static int
show_version(struct page *page)
{
	return show(page, request_param(page->rq, "version"));
}

int
crate_page_crate(struct call *call, struct request *rq, struct response *rs)
{
	return page_run(call, rq, rs, show_crate);
}

int
crate_page_version(struct call *call, struct request *rq, struct response *rs)
{
	return page_run(call, rq, rs, show_version);
}
