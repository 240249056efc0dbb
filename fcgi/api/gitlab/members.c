#include "api/gitlab/members.h"

#include "call/json_response.h"
#include "call/params.h"
#include "store/namespace_member.h"

const struct route_policy members_policy = { .action = ACTION_READ_MEMBERS,
	.flag = FLAG_SETTINGS_API };
const struct route_policy members_change_policy = { .action = ACTION_CHANGE_MEMBERS,
	.flag = FLAG_SETTINGS_API };
const struct route_policy members_group_policy = { .action = ACTION_READ_MEMBERS,
	.flag = FLAG_SETTINGS_API, .namespace_kind = NAMESPACE_GROUP };
const struct route_policy members_group_change_policy = { .action = ACTION_CHANGE_MEMBERS,
	.flag = FLAG_SETTINGS_API, .namespace_kind = NAMESPACE_GROUP };

static struct member_namespace
namespace_of(const struct call *call)
{
	return (struct member_namespace) { call->facts.project_id, call->facts.group_id,
		call->facts.full_path };
}

static void
put_member(struct json_response *json, const struct namespace_member *m)
{
	struct json_out *o = &json->o;

	json_out_open(o, '{');
	json_out_key_int(o, "id", m->user_id);
	json_out_key_str(o, "username", m->username);
	json_out_key_str(o, "name", m->name);
	json_out_key_str(o, "state", m->state);
	json_out_key_str(o, "avatar_url", NULL);
	json_out_key_int(o, "access_level", m->level);
	json_out_key_str(o, "created_at", m->created_at);
	json_out_key_str(o, "expires_at", m->expires_at);
	json_out_key_str(o, "membership_state", "active");
	json_out_close(o, '}');
}

static int
list(struct call *call, struct request *rq, struct response *rs, bool inherited)
{
	struct namespace_member_filter filter = { inherited, NULL };
	struct member_namespace namespace = namespace_of(call);
	struct namespace_member *members;
	struct params params;
	struct json_response json;
	struct pagination page;
	size_t n, from, to;

	if (params_read(rq, &params) == -1 || pagination_read(&params, &page) == -1 ||
	    params_str(&params, "query", &filter.query) == -1 ||
	    namespace_member_list(call->app->db, rq->arena, &namespace, &filter, &members, &n,
	        &rq->err) == -1)
		return -1;
	json_response_page(&page, n, &from, &to);
	json_response_begin_list(&json, rq);
	for (size_t i = from; i < to; i++)
		put_member(&json, &members[i]);
	return json_response_end_list(&json, call->app, rq, rs, &page, n);
}

int
members_list(struct call *call, struct request *rq, struct response *rs)
{
	return list(call, rq, rs, false);
}

int
members_list_all(struct call *call, struct request *rq, struct response *rs)
{
	return list(call, rq, rs, true);
}

static int
respond_member(struct call *call, struct request *rq, struct response *rs, int status,
    bool inherited, int64_t user_id)
{
	struct member_namespace namespace = namespace_of(call);
	struct namespace_member member;
	struct json_response json;

	if (namespace_member_find(call->app->db, rq->arena, &namespace, inherited, user_id, &member,
	        &rq->err) == -1)
		return -1;
	json_response_init(&json, rq);
	put_member(&json, &member);
	return json_response_send(&json, rq, rs, status);
}

static int
show(struct call *call, struct request *rq, struct response *rs, bool inherited)
{
	int64_t user_id;

	if (params_path_id(rq, "user_id", &user_id) == -1)
		return -1;
	return respond_member(call, rq, rs, 200, inherited, user_id);
}

int
members_show(struct call *call, struct request *rq, struct response *rs)
{
	return show(call, rq, rs, false);
}

int
members_show_all(struct call *call, struct request *rq, struct response *rs)
{
	return show(call, rq, rs, true);
}

/* Level and end, which must be still to come; null and the empty text are none. */
static int
read_grant(struct params *p, struct namespace_member_set *set)
{
	static const char *const levels[] = { "10", "20", "30", "40", "50" };
	static const int64_t numbers[] = { LEVEL_GUEST, LEVEL_REPORTER, LEVEL_DEVELOPER,
		LEVEL_MAINTAINER, LEVEL_OWNER };
	const char *word;
	size_t level = 0;

	if (params_required(p, "access_level", &word) == -1 ||
	    params_word(p, "access_level", levels, 5, &level) == -1 ||
	    params_date_end(p, "expires_at", &set->expires_at) == -1)
		return -1;
	set->level = numbers[level];
	/* a change of the level alone makes nobody a member for longer */
	set->keeps_end = set->change == NAMESPACE_MEMBER_EDIT && !params_has(p, "expires_at");
	return 0;
}

static int
set_member(struct call *call, struct request *rq, struct namespace_member_set *set,
    int64_t *user_id)
{
	struct audit_actor actor = call_actor(call, rq);
	struct member_namespace namespace = namespace_of(call);

	set->granter = call->facts.is_admin ? LEVEL_ADMIN : call->facts.access_level;
	return namespace_member_set(call->app->db, rq->arena, &actor, &namespace, set, user_id, &rq->err);
}

int
members_add(struct call *call, struct request *rq, struct response *rs)
{
	struct namespace_member_set set = { .change = NAMESPACE_MEMBER_ADD };
	struct params params;
	int64_t user_id;

	if (params_read(rq, &params) == -1 ||
	    params_int(&params, "user_id", 1, INT64_MAX, &set.user_id) == -1 ||
	    params_str(&params, "username", &set.username) == -1 ||
	    read_grant(&params, &set) == -1)
		return -1;
	if ((set.user_id == 0) == (set.username == NULL))
		return err_set(&rq->err, 400, "user_id or username is missing");
	if (set_member(call, rq, &set, &user_id) == -1)
		return -1;
	return respond_member(call, rq, rs, 201, false, user_id);
}

int
members_edit(struct call *call, struct request *rq, struct response *rs)
{
	struct namespace_member_set set = { .change = NAMESPACE_MEMBER_EDIT };
	struct params params;
	int64_t user_id;

	if (params_path_id(rq, "user_id", &set.user_id) == -1 || params_read(rq, &params) == -1 ||
	    read_grant(&params, &set) == -1 || set_member(call, rq, &set, &user_id) == -1)
		return -1;
	return respond_member(call, rq, rs, 200, false, user_id);
}

int
members_remove(struct call *call, struct request *rq, struct response *rs)
{
	struct namespace_member_set set = { .change = NAMESPACE_MEMBER_REMOVE };
	int64_t user_id;

	if (params_path_id(rq, "user_id", &set.user_id) == -1 ||
	    set_member(call, rq, &set, &user_id) == -1)
		return -1;
	return json_response_empty(rs);
}
