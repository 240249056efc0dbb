#include "api/gitlab/protection_rules.h"

#include "call/json_response.h"
#include "call/params.h"
#include "store/package/protection.h"

const struct route_policy protection_rules_policy = { .action = ACTION_READ_SETTINGS,
	.flag = FLAG_SETTINGS_API };
const struct route_policy protection_rules_change_policy = { .action = ACTION_CHANGE_SETTINGS,
	.flag = FLAG_SETTINGS_API };

static void
put_rule(struct json_response *json, const struct call *call, const struct protection_rule *rule)
{
	struct json_out *o = &json->o;

	json_out_open(o, '{');
	json_out_key_int(o, "id", rule->id);
	json_out_key_int(o, "project_id", call->facts.project_id);
	json_out_key_str(o, "package_name_pattern", rule->pattern);
	json_out_key_str(o, "package_type", "cargo");
	json_out_key_str(
	    o, "minimum_access_level_for_delete", protection_level_name(rule->delete));
	json_out_key_str(o, "minimum_access_level_for_push", protection_level_name(rule->push));
	json_out_close(o, '}');
}

int
protection_rules_list(struct call *call, struct request *rq, struct response *rs)
{
	struct protection_rule *rules;
	struct params params;
	struct json_response json;
	struct pagination page;
	size_t n, from, to;

	if (params_read(rq, &params) == -1 || pagination_read(&params, &page) == -1 ||
	    protection_list(call->app->db, rq->arena, call->facts.full_path, &rules, &n,
	        &rq->err) == -1)
		return -1;
	json_response_page(&page, n, &from, &to);
	json_response_begin_list(&json, rq);
	for (size_t i = from; i < to; i++)
		put_rule(&json, call, &rules[i]);
	return json_response_end_list(&json, call->app, rq, rs, &page, n);
}

/* A level by its name; none, null and the empty text are PROTECTION_NONE. */
static int
read_level(struct params *p, const char *name, enum protection_level least, int64_t *level)
{
	const char *word = NULL;

	*level = PROTECTION_NONE;
	if (params_str(p, name, &word) == -1)
		return -1;
	if (word == NULL || word[0] == '\0')
		return 0;
	return protection_level_parse(word, least, level, &p->rq->err);
}

/* All packages are of one type, which may be said. */
static int
check_type(struct params *p)
{
	static const char *const types[] = { "cargo" };
	size_t type = 0;

	return params_word(p, "package_type", types, 1, &type);
}

static int
read_levels(struct params *p, struct protection_rule *rule)
{
	if (check_type(p) == -1 ||
	    read_level(p, "minimum_access_level_for_push", PROTECTION_MAINTAINER, &rule->push) == -1)
		return -1;
	return read_level(p, "minimum_access_level_for_delete", PROTECTION_OWNER, &rule->delete);
}

/* What a rule would be but for the other ones has GitLab's status. */
static int
refuse(struct request *rq)
{
	if (rq->err.status == 409)
		rq->err.status = 422;
	return -1;
}

static int
respond(struct call *call, struct request *rq, struct response *rs, int status,
    const struct protection_rule *rule)
{
	struct json_response json;

	json_response_init(&json, rq);
	put_rule(&json, call, rule);
	return json_response_send(&json, rq, rs, status);
}

int
protection_rules_create(struct call *call, struct request *rq, struct response *rs)
{
	struct audit_actor actor = call_actor(call, rq);
	struct protection_rule rule = { 0 };
	struct params params;

	if (params_read(rq, &params) == -1 ||
	    params_required(&params, "package_name_pattern", &rule.pattern) == -1 ||
	    read_levels(&params, &rule) == -1)
		return -1;
	if (protection_add(call->app->db, rq->arena, &actor, call->facts.full_path, &rule, &rule.id,
	        &rq->err) == -1)
		return refuse(rq);
	return respond(call, rq, rs, 201, &rule);
}

int
protection_rules_change(struct call *call, struct request *rq, struct response *rs)
{
	struct audit_actor actor = call_actor(call, rq);
	struct protection_change change = { .by = access_push_level(&call->facts) };
	struct protection_rule given = { 0 }, rule;
	struct params params;
	int64_t id;

	if (params_path_id(rq, "rule_id", &id) == -1 || params_read(rq, &params) == -1 ||
	    params_str(&params, "package_name_pattern", &change.pattern) == -1 ||
	    read_levels(&params, &given) == -1)
		return -1;
	if (params_has(&params, "minimum_access_level_for_push"))
		change.push = &given.push;
	if (params_has(&params, "minimum_access_level_for_delete"))
		change.delete = &given.delete;
	if (protection_change(call->app->db, rq->arena, &actor, call->facts.full_path, id, &change,
	        &rule, &rq->err) == -1)
		return refuse(rq);
	return respond(call, rq, rs, 200, &rule);
}

int
protection_rules_delete(struct call *call, struct request *rq, struct response *rs)
{
	struct audit_actor actor = call_actor(call, rq);
	int64_t id;

	if (params_path_id(rq, "rule_id", &id) == -1 ||
	    protection_remove(call->app->db, rq->arena, &actor, call->facts.full_path, id,
	        access_push_level(&call->facts), &rq->err) == -1)
		return -1;
	return json_response_empty(rs);
}
