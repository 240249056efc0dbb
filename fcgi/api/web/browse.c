#include "api/web/browse.h"

#include "api/web/browse_html.h"
#include "api/web/templates.h"
#include "config/publish_policy.h"
#include "crate/registry_config.h"

enum {
	FRONT_GROUPS = 12, /* the statement finds one more */
	PLACE_ROWS = 100, /* projects */
	CRATE_ROWS = 50
};

/* One statement at the primary finds the groups and what the viewer may do there. */
static int
read_groups(const struct page *page, struct front_page *front)
{
	struct access_facts *groups;
	size_t n;

	if (access_facts_viewer_registries(page->call->app->db, page->rq->arena, page->user_id, &groups, &n,
	        &page->rq->err) == -1)
		return -1;
	front->groups = groups;
	for (size_t i = 0; i < n; i++) {
		if (app_may(&groups[i], ACTION_READ_NAMESPACE))
			groups[front->ngroups++] = groups[i];
	}
	front->has_more_groups = front->ngroups > FRONT_GROUPS;
	if (front->has_more_groups)
		front->ngroups = FRONT_GROUPS;
	return 0;
}

static int
show_front(struct page *page)
{
	struct page_rows rows;
	struct front_page front;

	if (page_rows_front(page_db(page), page->rq->arena, page->user_id, page->call->app->settings->mirror_url,
	        &rows, &page->rq->err) == -1 ||
	    page_find_facts(page, &rows) == -1)
		return -1;
	page->title = "Crates";
	front = (struct front_page) {
		.projects = page_rows_judged(page, &rows, "project", page_may_know),
		.newest = page_rows_judged(page, &rows, "new", page_may_read),
		.used = page_rows_judged(page, &rows, "used", page_may_read),
	};
	if (read_groups(page, &front) == -1)
		return -1;
	html_front(&page->html, page, &front);
	return 0;
}

int
browse_front(struct call *call, struct request *rq, struct response *rs)
{
	return page_run(call, rq, rs, show_front);
}

static int
show_projects(struct page *page)
{
	struct projects_page projects;
	struct page_rows rows;

	if (page_turn_read(page, PLACE_ROWS, &projects.turn) == -1 ||
	    page_rows_projects(page_db(page), page->rq->arena, page->user_id, page_turn_range(&projects.turn),
	        &rows, &page->rq->err) == -1 ||
	    page_find_facts(page, &rows) == -1)
		return -1;
	page->title = "Projects";
	projects.projects = page_rows_judged(page, &rows, "project", page_may_know);
	projects.turn.total = page_rows_number(&rows, "total");
	html_projects(&page->html, page, &projects);
	return 0;
}

int
browse_projects(struct call *call, struct request *rq, struct response *rs)
{
	return page_run(call, rq, rs, show_projects);
}

/* The address of the registry of a group, for cargo. */
static const char *
group_index(const struct page *page, int64_t id)
{
	struct arena *a = page->rq->arena;

	return arena_printf(a, "sparse+%s/", registry_group_url(a, page->call->app->settings->external_url, id));
}

static int
show_group(struct page *page)
{
	const struct access_facts *facts = &page->call->facts;
	struct group_page group = { 0 };
	struct page_rows rows, known;

	if (page_turn_read(page, PLACE_ROWS, &group.turn) == -1 ||
	    page_decide(page, NAMESPACE_GROUP, ACTION_READ_NAMESPACE, FLAG_NONE) == -1)
		return -1;
	group.sees_members = page_may(page, ACTION_READ_MEMBERS);
	group.sees_settings = page_may(page, ACTION_READ_SETTINGS);
	if (page_rows_group(page_db(page), page->rq->arena, page->user_id, facts->group_id, group.sees_members,
	        page_turn_range(&group.turn), &rows, &page->rq->err) == -1 ||
	    page_find_facts(page, &rows) == -1)
		return -1;
	group.path = page->title = facts->full_path;
	group.crumbs = page_crumbs(page->rq->arena, group.path);
	group.index = group_index(page, facts->group_id);
	group.registry = registry_alias(group.path);
	group.projects = page_rows_judged(page, &rows, "project", page_may_know);
	group.members = page_rows_of(&rows, "member");
	group.takes_new = page_rows_of(&rows, "default").n > 0;
	known = page_rows_judged(page, &rows, "default", page_may_know);
	if (known.n > 0)
		group.default_path = known.v[0].facts.full_path;
	group.turn.total = page_rows_number(&rows, "total");
	html_group(&page->html, page, &group);
	return 0;
}

int
browse_group(struct call *call, struct request *rq, struct response *rs)
{
	return page_run(call, rq, rs, show_group);
}

/*
 * The group that is set up as a registry, or else the one that the project is in.  As on the page of a crate,
 * only viewers who are signed in are told to use its registry.
 */
static void
set_group(const struct page *page, const struct page_rows *rows, struct project_page *project)
{
	const struct page_rows group = page_rows_of(rows, "group");
	const struct page_crumbs *crumbs = &project->crumbs;

	if (group.n == 0) {
		project->group = crumbs->n > 1 ? crumbs->v[crumbs->n - 2].path : NULL;
		return;
	}
	project->group = group.v[0].name;
	if (page->user_id == 0)
		return;
	project->group_index = group_index(page, group.v[0].number);
	project->group_registry = registry_alias(project->group);
	project->group_publishes = group.v[0].facts.project_id != 0;
	project->group_takes_new = group.v[0].facts.project_id == page->call->facts.project_id;
}

/* own: the row of the project's own mirror_url, or none. */
static void
set_mirror(const struct page *page, struct page_rows own, struct project_page *project)
{
	project->mirror_url = publish_policy_mirror(page->rq->arena, page->call->app->settings,
	    own.n > 0 ? own.v[0].name : NULL);
	if (project->mirror_url == NULL)
		return;
	project->registry = "mirror"; /* as in berth-mirror(7) */
	/* it would be that of an import */
	for (size_t i = 0; i < project->crates.n; i++)
		project->crates.v[i].at = 0;
}

static int
show_project(struct page *page)
{
	const struct access_facts *facts = &page->call->facts;
	struct arena *a = page->rq->arena;
	struct project_page project = { 0 };
	struct page_rows rows;

	if (page_turn_read(page, CRATE_ROWS, &project.turn) == -1 || page_know_project(page) == -1)
		return -1;
	project.sees_crates = page_may_read(facts);
	project.sees_members = page_may(page, ACTION_READ_MEMBERS);
	if (page_rows_project(page_db(page), a, facts->project_id, project.sees_crates, project.sees_members,
	        page_turn_range(&project.turn), &rows, &page->rq->err) == -1)
		return -1;
	project.path = page->title = facts->full_path;
	project.crumbs = page_crumbs(a, project.path);
	project.visibility = facts->visibility;
	project.is_public = access_is_public(facts);
	project.index = arena_printf(a, "sparse+%s/", call_registry_url(page->call, a));
	project.registry = registry_alias(project.path);
	project.is_off = !facts->packages_enabled || !flag_is_on(FLAG_CARGO, facts->flags, facts->project_id);
	set_group(page, &rows, &project);
	project.crates = page_rows_of(&rows, "crate");
	set_mirror(page, page_rows_of(&rows, "mirror"), &project);
	project.members = page_rows_of(&rows, "member");
	project.turn.total = page_rows_number(&rows, "total");
	if (project.sees_crates)
		page->feed = arena_printf(a, "projects/%s/-/feed.atom", project.path);
	project.ci = ci_texts(a, page->call->app->settings->external_url, facts->project_id, facts->full_path,
	    project.registry);
	html_project(&page->html, page, &project);
	return 0;
}

int
browse_project(struct call *call, struct request *rq, struct response *rs)
{
	return page_run(call, rq, rs, show_project);
}
