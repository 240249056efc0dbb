#include "api/gitlab/job_token_scope.h"

#include "access/token_words.h"
#include "api/gitlab/namespace_json.h"
#include "call/json_response.h"
#include "call/params.h"
#include "store/token/job_allow.h"

const struct route_policy job_token_scope_policy = { .action = ACTION_READ_SETTINGS,
	.flag = FLAG_SETTINGS_API };
const struct route_policy job_token_scope_change_policy = { .action = ACTION_CHANGE_SETTINGS,
	.flag = FLAG_SETTINGS_API };

int
job_token_scope_show(struct call *call, struct request *rq, struct response *rs)
{
	struct json_response json;
	bool limited;

	if (job_allow_limited(call->app->db, rq->arena, call->facts.project_id, &limited,
	        &rq->err) == -1)
		return -1;
	json_response_init(&json, rq);
	json_out_open(&json.o, '{');
	json_out_key_bool(&json.o, "inbound_enabled", limited);
	json_out_key_bool(&json.o, "outbound_enabled", false);
	json_out_close(&json.o, '}');
	return json_response_send(&json, rq, rs, 200);
}

int
job_token_scope_change(struct call *call, struct request *rq, struct response *rs)
{
	struct audit_actor actor = call_actor(call, rq);
	const char *text;
	struct params params;
	bool enabled = false;

	if (params_read(rq, &params) == -1 || params_required(&params, "enabled", &text) == -1 ||
	    params_bool(&params, "enabled", &enabled) == -1 ||
	    job_allow_limit(call->app->db, rq->arena, &actor, call->facts.project_id, enabled,
	        &rq->err) == -1)
		return -1;
	return json_response_empty(rs);
}

/* The entries of one kind, in place of all. */
static size_t
of_kind(struct job_allow *entries, size_t n, bool groups)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		if ((entries[i].from_group_id != 0) == groups)
			entries[kept++] = entries[i];
	}
	return kept;
}

/* The policies of the entry for that project or group. */
static void
put_policies(struct json_response *json, const struct job_allow *entries, size_t n, int64_t id)
{
	for (size_t i = 0; i < n; i++) {
		if (entries[i].from_project_id == id || entries[i].from_group_id == id)
			json_out_key_words(&json->o, "job_token_policies",
			    entries[i].admin ? "read_packages,admin_packages" : "read_packages");
	}
}

static int
put_projects(struct worker_app *app, struct request *rq, struct json_response *json,
    const struct job_allow *entries, size_t n)
{
	int64_t *ids = arena_calloc(rq->arena, n, sizeof(*ids));
	struct project_entry *p;
	size_t found;

	for (size_t i = 0; i < n; i++)
		ids[i] = entries[i].from_project_id;
	if (project_entries(app->db, rq->arena, ids, n, &p, &found, &rq->err) == -1)
		return -1;
	for (size_t i = 0; i < found; i++) {
		json_out_open(&json->o, '{');
		namespace_json_project(&json->o, &p[i], app->settings->external_url);
		put_policies(json, entries, n, p[i].id);
		json_out_close(&json->o, '}');
	}
	return 0;
}

static int
put_groups(struct worker_app *app, struct request *rq, struct json_response *json,
    const struct job_allow *entries, size_t n)
{
	int64_t *ids = arena_calloc(rq->arena, n, sizeof(*ids));
	struct group_entry *g;
	size_t found;

	for (size_t i = 0; i < n; i++)
		ids[i] = entries[i].from_group_id;
	if (group_entries(app->db, rq->arena, ids, n, &g, &found, &rq->err) == -1)
		return -1;
	for (size_t i = 0; i < found; i++) {
		json_out_open(&json->o, '{');
		namespace_json_group(&json->o, &g[i], app->settings->external_url);
		put_policies(json, entries, n, g[i].id);
		json_out_close(&json->o, '}');
	}
	return 0;
}

static int
list(struct call *call, struct request *rq, struct response *rs, bool groups)
{
	struct job_allow *entries;
	struct params params;
	struct json_response json;
	struct pagination page;
	size_t n, from, to;

	if (params_read(rq, &params) == -1 || pagination_read(&params, &page) == -1 ||
	    job_allow_list(call->app->db, rq->arena, call->facts.full_path, &entries, &n,
	        &rq->err) == -1)
		return -1;
	n = of_kind(entries, n, groups);
	json_response_page(&page, n, &from, &to);
	json_response_begin_list(&json, rq);
	if ((groups ? put_groups : put_projects)(call->app, rq, &json, entries + from,
	        to - from) == -1)
		return -1;
	return json_response_end_list(&json, call->app, rq, rs, &page, n);
}

int
job_token_scope_projects(struct call *call, struct request *rq, struct response *rs)
{
	return list(call, rq, rs, false);
}

int
job_token_scope_groups(struct call *call, struct request *rq, struct response *rs)
{
	return list(call, rq, rs, true);
}

static int
add(struct call *call, struct request *rq, struct response *rs, enum namespace_kind kind,
    const char *key)
{
	struct audit_actor actor = call_actor(call, rq);
	struct access_facts target;
	struct params params;
	const char *words = "read_packages", *policies;
	int64_t id = 0, project_id;
	struct json_response json;

	if (params_read(rq, &params) == -1 || params_int(&params, key, 1, INT64_MAX, &id) == -1 ||
	    params_words(&params, "job_token_policies", &words) == -1 ||
	    token_words_parse(rq->arena, &token_words_policies, words, &policies, &rq->err) == -1)
		return -1;
	if (id == 0)
		return err_set(&rq->err, 400, "%s is missing", key);
	if (call_look(call, rq, kind, id, ACTION_READ_NAMESPACE, &target) == -1 ||
	    job_allow_set(call->app->db, rq->arena, &actor, call->facts.full_path, target.full_path,
	        policies, &project_id, &rq->err) == -1)
		return -1;
	json_response_init(&json, rq);
	json_out_open(&json.o, '{');
	json_out_key_int(&json.o, "source_project_id", project_id);
	json_out_key_int(&json.o, key, id);
	json_out_key_words(&json.o, "job_token_policies", policies);
	json_out_close(&json.o, '}');
	return json_response_send(&json, rq, rs, 201);
}

int
job_token_scope_add_project(struct call *call, struct request *rq, struct response *rs)
{
	return add(call, rq, rs, NAMESPACE_PROJECT, "target_project_id");
}

int
job_token_scope_add_group(struct call *call, struct request *rq, struct response *rs)
{
	return add(call, rq, rs, NAMESPACE_GROUP, "target_group_id");
}

/* By the list, so that one who may not know of that project any more can take it out. */
static int
remove_entry(struct call *call, struct request *rq, struct response *rs, bool group)
{
	struct audit_actor actor = call_actor(call, rq);
	struct job_allow *entries;
	int64_t id, project_id;
	size_t n;

	if (params_path_id(rq, "target_id", &id) == -1 ||
	    job_allow_list(call->app->db, rq->arena, call->facts.full_path, &entries, &n,
	        &rq->err) == -1)
		return -1;
	n = of_kind(entries, n, group);
	for (size_t i = 0; i < n; i++) {
		if ((group ? entries[i].from_group_id : entries[i].from_project_id) != id)
			continue;
		if (job_allow_set(call->app->db, rq->arena, &actor, call->facts.full_path,
		        entries[i].from, NULL, &project_id, &rq->err) == -1)
			return -1;
		return json_response_empty(rs);
	}
	return err_set(&rq->err, 404, "Target %s Not Found", group ? "Group" : "Project");
}

int
job_token_scope_remove_project(struct call *call, struct request *rq, struct response *rs)
{
	return remove_entry(call, rq, rs, false);
}

int
job_token_scope_remove_group(struct call *call, struct request *rq, struct response *rs)
{
	return remove_entry(call, rq, rs, true);
}
