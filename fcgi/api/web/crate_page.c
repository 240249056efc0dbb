#include "api/web/crate_page.h"

#include <inttypes.h>
#include <string.h>

#include "api/web/crate_html.h"
#include "api/web/templates.h"
#include "base/url.h"
#include "call/params.h"
#include "config/publish_policy.h"
#include "crate/package.h"
#include "crate/registry_config.h"
#include "crate/semver.h"
#include "crate/version_req.h"

enum {
	VERSIONS = 50,
	SORTED_MAX = 250 /* versions, which PostgreSQL sorts in 0.4 ms: 1,000 take 1.3, and 5,000 take 6 */
};

bool
crate_html_is_link(const char *url)
{
	return url != NULL && url_is_web(slice_str(url));
}

const char *
crate_html_action(const char *action)
{
	static const struct {
		const char *action, *words;
	} known[] = {
		{ "crate.publish", "published" },
		{ "crate.yank", "yanked" },
		{ "crate.unyank", "yank undone" },
		{ "crate.delete", "deleted" },
		{ "crate.undelete", "deletion undone" },
		{ "crate.status", "status changed" },
		{ "crate.repair", "repaired" },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		if (strcmp(known[i].action, action) == 0)
			return known[i].words;
	}
	return action;
}

const char *
crate_html_actor(const struct page_crate_event *e)
{
	if (e->username != NULL || e->system_user == NULL)
		return e->username;
	return strcmp(e->system_user, AUDIT_WORKER) == 0 ? "the retention policy" : "an administrator";
}

/* The registry of each dependency; an address that is not ours is REGISTRY_ELSEWHERE. */
static const struct registry_url *
registries_of(const struct page *page, const struct page_crate *crate)
{
	size_t n = page_crate_dependencies(crate);
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

/* The other projects that the page mentions. */
struct others {
	struct access_facts *facts;
	size_t n;
};

static size_t
add_id(int64_t *ids, size_t n, int64_t id)
{
	size_t i = 0;

	while (i < n && ids[i] != id)
		i++;
	if (i < n || id == 0)
		return n;
	ids[n] = id;
	return n + 1;
}

/* Costs no statement if the page mentions no other project. */
static int
find_others(const struct page *page, const struct crate_html *html, struct others *others)
{
	const struct page_crate *crate = html->crate;
	struct request *rq = page->rq;
	size_t ndependencies = page_crate_dependencies(crate), n = 0;
	int64_t *ids = arena_calloc(rq->arena, ndependencies + crate->ndependents, sizeof(*ids));

	*others = (struct others) { NULL, 0 };
	for (size_t i = 0; i < ndependencies; i++)
		n = add_id(ids, n, html->registries[i].kind == REGISTRY_HERE ? html->registries[i].project_id : 0);
	for (size_t i = 0; i < crate->ndependents; i++)
		n = add_id(ids, n, crate->dependents[i].project_id);
	if (n == 0)
		return 0;
	return access_facts_viewer_listed(page->call->app->db, rq->arena, page->user_id, ids, n, &others->facts,
	    &others->n, &rq->err);
}

/* The path of a project; NULL: the viewer may not read it. */
static const char *
path_of(const struct others *others, int64_t project_id)
{
	for (size_t i = 0; i < others->n; i++) {
		if (others->facts[i].project_id == project_id && page_may_read(&others->facts[i]))
			return others->facts[i].full_path;
	}
	return NULL;
}

static void
link_dependencies(struct arena *a, const struct others *others, struct crate_html *html)
{
	size_t n = page_crate_dependencies(html->crate);
	const char **paths = arena_calloc(a, n, sizeof(*paths));

	for (size_t i = 0; i < n; i++) {
		if (html->registries[i].kind != REGISTRY_HERE)
			continue;
		html->has_others = true;
		paths[i] = path_of(others, html->registries[i].project_id);
	}
	html->paths = paths;
}

static void
list_users(struct arena *a, const struct others *others, struct crate_html *html)
{
	const struct page_crate *crate = html->crate;
	struct semver shown;
	struct err wrong;
	bool is_version = semver_parse(slice_str(crate->shown.version), &shown, &wrong) == 0;

	html->users = arena_calloc(a, crate->ndependents, sizeof(*html->users));
	for (size_t i = 0; i < crate->ndependents; i++) {
		const struct page_crate_dependent *d = &crate->dependents[i];
		const char *path = d->project_id == 0 ? html->path : path_of(others, d->project_id);

		if (path != NULL)
			html->users[html->nusers++] = (struct crate_html_user) { d, path,
				is_version && version_req_matches(a, d->req, &shown) };
	}
}

/* Links of the README lead to the files of the version that is shown. */
static void
show_readme(struct page *page, struct crate_html *html)
{
	const struct page_crate *crate = html->crate;
	struct readme_source source = { .file = crate->readme_file, .images = crate->readme_images };
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
	page->has_images = html->readme.has_images;
}

/*
 * Makes the warnings that cargo got with the publish again: they depend only on the metadata of the version.
 */
static void
warn(struct arena *a, const struct page_crate *c, struct strings *warnings)
{
	const struct package pkg = {
		.name = c->name,
		.description = c->description,
		.homepage = c->homepage,
		.documentation = c->documentation,
		.repository = c->repository,
		.license = c->shown.license,
		.license_file = c->shown.license_file,
	};

	package_warnings(a, &pkg, warnings);
}

static bool
is_prerelease(const char *version)
{
	struct semver semver;
	struct err ignored = { 0 };

	return semver_parse(slice_str(version), &semver, &ignored) == 0 && semver.pre.n > 0;
}

/* Reads the order of the versions.  -1: 400. */
static int
read_order(struct page *page, struct crate_html *html, int64_t *sorted_max)
{
	enum { NEITHER = 2 };
	static const char *const words[] = { "date", "version", NULL };
	static const int64_t most[] = { 0, INT64_MAX, SORTED_MAX };
	struct params params = { .rq = page->rq, .form = slice_str("") };
	size_t word = NEITHER;

	if (params_word(&params, "sort", words, NEITHER, &word) == -1)
		return -1;
	html->order = words[word];
	*sorted_max = most[word];
	return 0;
}

/* The query of another page of versions, in the same order. */
static const struct html_pair *
turn_to(struct arena *a, const struct crate_html *html, int64_t number)
{
	struct html_pair *query = arena_calloc(a, 3, sizeof(*query));

	query[0] = (struct html_pair) { "page", arena_printf(a, "%" PRId64, number) };
	query[1] = (struct html_pair) { "sort", html->order };
	return query;
}

static void
list_versions(struct arena *a, int64_t sorted_max, struct crate_html *html)
{
	html->turn.total = html->crate->total;
	html->is_sorted = html->turn.total <= sorted_max;
	html->previous = turn_to(a, html, page_turn_before(&html->turn));
	html->next = turn_to(a, html, html->turn.number + 1);
}

/* The registry in the lines to copy: the one address that people use for all, if a group is set up as one. */
static void
name_registry(const struct page *page, struct crate_html *html, const char *index)
{
	const struct page_crate *crate = html->crate;
	struct arena *a = page->rq->arena;

	html->of_group = crate->mirror_url == NULL && crate->group_id != 0 && crate->group_serves;
	html->registry = crate->mirror_url != NULL ? "mirror" :
	    registry_alias(html->of_group ? crate->group_path : html->path);
	html->index = !html->of_group ? index : arena_printf(a, "sparse+%s/",
	    registry_group_url(a, page->call->app->settings->external_url, crate->group_id));
}

static int
show(struct page *page, struct slice version)
{
	struct request *rq = page->rq;
	struct page_crate crate;
	struct others others;
	struct crate_html html = { .is_version = version.n > 0 };
	struct page_crate_ask ask = { .name = request_param(rq, "crate"), .version = version };

	if (page_turn_read(page, VERSIONS, &html.turn) == -1 || read_order(page, &html, &ask.sorted_max) == -1 ||
	    page_decide(page, NAMESPACE_PROJECT, ACTION_READ_PACKAGE, FLAG_CARGO) == -1)
		return -1;
	ask.user_id = page->user_id;
	ask.project_id = page->call->facts.project_id;
	ask.index = registry_url_index(rq->arena, page->call->app->settings->external_url, ask.project_id);
	ask.range = page_turn_range(&html.turn);
	ask.owners = html.sees_owners = page_may(page, ACTION_READ_OWNERS);
	ask.publishers = html.sees_publishers = page_may(page, ACTION_READ_PIPELINES);
	if (page_crate_read(page_db(page), rq->arena, &ask, &crate, &rq->err) == -1)
		return version.n > 0 ? page_miss_version(page, ask.name, version) : page_refuse_version(page, NULL);
	crate.mirror_url = publish_policy_mirror(rq->arena, page->call->app->settings, crate.mirror_url);
	html.path = page->call->facts.full_path;
	html.crumbs = page_crumbs(rq->arena, html.path);
	html.crumbs.is_inside = true;
	html.crumbs.crate = html.is_version ? crate.name : NULL;
	html.crate = &crate;
	name_registry(page, &html, ask.index);
	html.project_id = ask.project_id;
	html.is_public = access_is_public(&page->call->facts);
	html.is_prerelease = is_prerelease(crate.shown.version);
	html.registries = registries_of(page, &crate);
	if (find_others(page, &html, &others) == -1)
		return -1;
	link_dependencies(rq->arena, &others, &html);
	list_users(rq->arena, &others, &html);
	list_versions(rq->arena, ask.sorted_max, &html);
	if (html.is_version && html.sees_publishers)
		warn(rq->arena, &crate, &html.warnings);
	show_readme(page, &html);
	crate_plot_draw(rq->arena, &crate, &html.plot);
	page->title = arena_printf(rq->arena, "%s %s - %s", crate.name, crate.shown.version, html.path);
	page->feed = arena_printf(rq->arena, "projects/%s/-/crates/%s/feed.atom", html.path, crate.name);
	page->kept = arena_printf(rq->arena, "projects/%s/-/crates/%s%s%s", html.path, crate.name,
	    html.is_version ? "/" : "", html.is_version ? crate.shown.version : "");
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
