#include "api/gitlab/namespaces.h"

#include <inttypes.h>
#include <string.h>

#include "api/gitlab/namespace_json.h"
#include "base/words.h"
#include "call/json_response.h"
#include "call/params.h"
#include "store/namespace_page.h"

const struct route_policy namespaces_project_policy = { .action = ACTION_READ_NAMESPACE };
const struct route_policy namespaces_group_policy = { .action = ACTION_READ_NAMESPACE,
	.namespace_kind = NAMESPACE_GROUP };
const struct route_policy namespaces_user_policy = { .action = ACTION_READ_ACCOUNT,
	.namespace_kind = NAMESPACE_NONE };
const struct route_policy namespaces_list_policy = { .action = ACTION_READ_ACCOUNT,
	.namespace_kind = NAMESPACE_NONE };
const struct route_policy namespaces_version_policy = { .action = ACTION_READ_TOKEN,
	.namespace_kind = NAMESPACE_NONE };

/* The level that a user has of their own; null for nobody and for administrators as such. */
static void
put_permissions(struct json_out *o, const struct access_facts *facts)
{
	json_out_key(o, "permissions");
	json_out_open(o, '{');
	json_out_key(o, "project_access");
	if (facts->access_level == 0) {
		json_out_null(o);
	} else {
		json_out_open(o, '{');
		json_out_key_int(o, "access_level", facts->access_level);
		json_out_close(o, '}');
	}
	json_out_key(o, "group_access");
	json_out_null(o);
	json_out_close(o, '}');
}

/* From where an organisation works is nothing for everybody who may read the place. */
static void
put_networks(struct json_out *o, const struct call *call, const char *networks)
{
	struct slice network;

	if (!app_may(&call->facts, ACTION_READ_SETTINGS))
		return;
	json_out_key(o, "anonymous_networks");
	json_out_open(o, '[');
	while (words_next(&networks, &network))
		json_out_slice(o, network);
	json_out_close(o, ']');
}

/* Only for callers who may read settings, since not everybody may know of these projects. */
static void
put_registry(struct json_out *o, const struct call *call, const struct group_entry *g)
{
	const char *projects = g->registry_projects;
	struct slice path;

	if (!app_may(&call->facts, ACTION_READ_SETTINGS))
		return;
	json_out_key(o, "registry_projects");
	json_out_open(o, '[');
	while (words_next(&projects, &path))
		json_out_slice(o, path);
	json_out_close(o, ']');
	json_out_key_str(o, "default_project", g->default_project[0] != '\0' ? g->default_project : NULL);
}

int
namespaces_project(struct call *call, struct request *rq, struct response *rs)
{
	struct project_entry *p;
	struct json_response json;
	size_t n;

	if (project_entries(call->app->db, rq->arena, &call->facts.project_id, 1, &p, &n,
	        &rq->err) == -1)
		return -1;
	if (n == 0)
		return err_set(&rq->err, 404, "Project Not Found");
	json_response_init(&json, rq);
	json_out_open(&json.o, '{');
	namespace_json_project(&json.o, p, call->app->settings->external_url);
	put_permissions(&json.o, &call->facts);
	put_networks(&json.o, call, p->anonymous_networks);
	if (app_may(&call->facts, ACTION_READ_SETTINGS))
		json_out_key_bool(&json.o, "readme_images", p->readme_images);
	json_out_close(&json.o, '}');
	return json_response_send(&json, rq, rs, 200);
}

int
namespaces_group(struct call *call, struct request *rq, struct response *rs)
{
	struct group_entry *g;
	struct json_response json;
	size_t n;

	if (group_entries(call->app->db, rq->arena, &call->facts.group_id, 1, &g, &n,
	        &rq->err) == -1)
		return -1;
	if (n == 0)
		return err_set(&rq->err, 404, "Group Not Found");
	json_response_init(&json, rq);
	json_out_open(&json.o, '{');
	namespace_json_group(&json.o, g, call->app->settings->external_url);
	json_out_key_str(&json.o, "visibility", call->facts.visibility);
	put_networks(&json.o, call, g->anonymous_networks);
	put_registry(&json.o, call, g);
	json_out_close(&json.o, '}');
	return json_response_send(&json, rq, rs, 200);
}

struct query {
	struct namespace_choice choice;
	struct pagination page;
};

/* The lowest level, as a number or by GitLab's words for some. */
static int
read_least(struct params *p, int64_t *least)
{
	bool owned = false, member = false, all = true;

	if (params_int(p, "min_access_level", LEVEL_NONE, LEVEL_ADMIN, least) == -1 ||
	    params_bool(p, "owned", &owned) == -1 || params_bool(p, "membership", &member) == -1 ||
	    params_bool(p, "all_available", &all) == -1)
		return -1;
	if ((member || !all) && *least < LEVEL_GUEST)
		*least = LEVEL_GUEST;
	if (owned && *least < LEVEL_OWNER)
		*least = LEVEL_OWNER;
	return 0;
}

/* What the lists of projects and of groups have in common. */
static int
read_query(struct params *p, struct query *q)
{
	static const char *const directions[] = { "asc", "desc" };
	size_t direction = 0;

	if (params_str(p, "search", &q->choice.part) == -1 ||
	    params_word(p, "sort", directions, 2, &direction) == -1 ||
	    read_least(p, &q->choice.least) == -1 || pagination_read(p, &q->page) == -1)
		return -1;
	q->choice.descending = direction == 1;
	q->choice.limit = q->page.size;
	q->choice.offset = pagination_offset(&q->page);
	return 0;
}

static int
read_visibility(struct params *p, const char **out)
{
	static const char *const visibilities[] = { "private", "internal", "public" };
	size_t visibility = 3;

	if (params_word(p, "visibility", visibilities, 3, &visibility) == -1)
		return -1;
	*out = visibility < 3 ? visibilities[visibility] : NULL;
	return 0;
}

/*
 * Keeps the namespaces of the page that the one decision lets the caller see, since the statement
 * decides nothing.  *facts has as many, in their order.
 */
static int
confirm(struct call *call, struct request *rq, enum namespace_kind kind, struct namespace_page *page,
    struct access_facts **facts)
{
	size_t nfacts, n = 0;

	if (access_facts_listed(call->app->db, rq->arena, call->facts.token_id, kind, page->ids,
	        page->n, facts, &nfacts, &rq->err) == -1)
		return -1;
	for (size_t i = 0; i < nfacts; i++) {
		const struct access_facts f = (*facts)[i];

		if (!app_may(&f, ACTION_READ_NAMESPACE))
			continue;
		(*facts)[n] = f;
		page->ids[n++] = kind == NAMESPACE_GROUP ? f.group_id : f.project_id;
	}
	page->n = n;
	return 0;
}

/* Ends a list of which the page had `found`, before somebody was looked at who may not see all. */
static int
respond_list(struct call *call, struct request *rq, struct response *rs, struct json_response *json,
    const struct query *q, const struct namespace_page *page, size_t found)
{
	if (page->total <= NAMESPACES_COUNTED_MAX)
		return json_response_end_list(json, call->app, rq, rs, &q->page, (size_t)page->total);
	json_out_close(&json->o, ']');
	pagination_headers_uncounted(call->app, rq, rs, &q->page, found);
	return json_response_send(json, rq, rs, 200);
}

static int
respond_projects(struct call *call, struct request *rq, struct response *rs,
    struct params *params, struct namespace_choice choice)
{
	struct query q = { .choice = choice };
	struct access_facts *facts;
	struct project_entry *p;
	struct namespace_page page;
	struct json_response json;
	size_t found, n;

	if (read_query(params, &q) == -1 || read_visibility(params, &q.choice.visibility) == -1 ||
	    namespace_page_projects(call->app->db, rq->arena, call->facts.token_id, &q.choice, &page,
	        &rq->err) == -1)
		return -1;
	found = page.n;
	if (confirm(call, rq, NAMESPACE_PROJECT, &page, &facts) == -1 ||
	    project_entries(call->app->db, rq->arena, page.ids, page.n, &p, &n, &rq->err) == -1)
		return -1;
	json_response_begin_list(&json, rq);
	for (size_t i = 0; i < n; i++) {
		json_out_open(&json.o, '{');
		namespace_json_project(&json.o, &p[i], call->app->settings->external_url);
		json_out_close(&json.o, '}');
	}
	return respond_list(call, rq, rs, &json, &q, &page, found);
}

int
namespaces_projects(struct call *call, struct request *rq, struct response *rs)
{
	struct params params;

	if (params_read(rq, &params) == -1)
		return -1;
	return respond_projects(call, rq, rs, &params, (struct namespace_choice) { .below = true });
}

int
namespaces_group_projects(struct call *call, struct request *rq, struct response *rs)
{
	struct params params;
	struct namespace_choice choice = { .group_id = call->facts.group_id };

	if (params_read(rq, &params) == -1 ||
	    params_bool(&params, "include_subgroups", &choice.below) == -1)
		return -1;
	return respond_projects(call, rq, rs, &params, choice);
}

/* Both read rows of one page in one order; a group that went in between is in neither. */
static int
put_groups(struct call *call, struct request *rq, struct json_response *json,
    const struct namespace_page *page,
    const struct access_facts *facts)
{
	struct group_entry *g;
	size_t n;

	if (group_entries(call->app->db, rq->arena, page->ids, page->n, &g, &n, &rq->err) == -1)
		return -1;
	for (size_t i = 0, k = 0; i < n; i++) {
		while (facts[k].group_id != g[i].id)
			k++;
		json_out_open(&json->o, '{');
		namespace_json_group(&json->o, &g[i], call->app->settings->external_url);
		json_out_key_str(&json->o, "visibility", facts[k].visibility);
		json_out_close(&json->o, '}');
	}
	return 0;
}

static int
respond_groups(struct call *call, struct request *rq, struct response *rs, struct params *params,
    struct namespace_choice choice)
{
	struct query q = { .choice = choice };
	struct access_facts *facts;
	struct namespace_page page;
	struct json_response json;
	size_t found;

	if (read_query(params, &q) == -1 ||
	    params_ids(params, "skip_groups", &q.choice.skipped, &q.choice.nskipped) == -1 ||
	    namespace_page_groups(call->app->db, rq->arena, call->facts.token_id, &q.choice, &page,
	        &rq->err) == -1)
		return -1;
	found = page.n;
	if (confirm(call, rq, NAMESPACE_GROUP, &page, &facts) == -1)
		return -1;
	json_response_begin_list(&json, rq);
	if (put_groups(call, rq, &json, &page, facts) == -1)
		return -1;
	return respond_list(call, rq, rs, &json, &q, &page, found);
}

int
namespaces_groups(struct call *call, struct request *rq, struct response *rs)
{
	struct params params;
	bool top = false;

	if (params_read(rq, &params) == -1 || params_bool(&params, "top_level_only", &top) == -1)
		return -1;
	return respond_groups(call, rq, rs, &params, (struct namespace_choice) { .below = !top });
}

static int
respond_groups_of(struct call *call, struct request *rq, struct response *rs, bool below)
{
	struct params params;

	if (params_read(rq, &params) == -1)
		return -1;
	return respond_groups(call, rq, rs, &params,
	    (struct namespace_choice) { .group_id = call->facts.group_id, .below = below });
}

int
namespaces_group_subgroups(struct call *call, struct request *rq, struct response *rs)
{
	return respond_groups_of(call, rq, rs, false);
}

int
namespaces_group_descendants(struct call *call, struct request *rq, struct response *rs)
{
	return respond_groups_of(call, rq, rs, true);
}

int
namespaces_user(struct call *call, struct request *rq, struct response *rs)
{
	struct json_out *o;
	struct user_entry u;
	struct json_response json;

	if (user_entry(call->app->db, rq->arena, call->facts.user_id, &u, &rq->err) == -1)
		return -1;
	json_response_init(&json, rq);
	o = &json.o;
	json_out_open(o, '{');
	json_out_key_int(o, "id", u.id);
	json_out_key_str(o, "username", u.username);
	json_out_key_str(o, "name", u.name);
	json_out_key_str(o, "state", u.state);
	json_out_key_str(o, "avatar_url", NULL);
	json_out_key_str(o, "email", u.email);
	json_out_key_str(o, "created_at", u.created_at);
	json_out_key_bool(o, "is_admin", u.admin);
	json_out_close(o, '}');
	return json_response_send(&json, rq, rs, 200);
}

int
namespaces_version(struct call *call, struct request *rq, struct response *rs)
{
	struct json_response json;

	(void)call;
	json_response_init(&json, rq);
	json_out_open(&json.o, '{');
	json_out_key_str(&json.o, "version", BERTH_VERSION);
	/* what a client may compare; this server is told by its version alone */
	json_out_key_str(&json.o, "revision", BERTH_VERSION);
	json_out_key_bool(&json.o, "enterprise", false);
	/* the agents for Kubernetes that GitLab may have */
	json_out_key(&json.o, "kas");
	json_out_open(&json.o, '{');
	json_out_key_bool(&json.o, "enabled", false);
	json_out_key_str(&json.o, "externalUrl", NULL);
	json_out_key_str(&json.o, "externalK8sProxyUrl", NULL);
	json_out_key_str(&json.o, "version", NULL);
	json_out_close(&json.o, '}');
	json_out_close(&json.o, '}');
	return json_response_send(&json, rq, rs, 200);
}
