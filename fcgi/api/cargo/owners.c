#include "api/cargo/owners.h"

#include <string.h>

#include "call/json_response.h"
#include "call/params.h"
#include "crate/crate_name.h"
#include "store/package/owner.h"

/* The crate of the path.  NULL: rq->err is 404, as no crate is called so. */
static const char *
crate_of(struct request *rq)
{
	struct slice name = request_param(rq, "crate");
	const char *crate = arena_slicedup(rq->arena, name);
	struct err wrong;

	if (crate_name_check(name, "crate", &wrong) == 0)
		return crate;
	err_set(&rq->err, 404, "crate `%s` does not exist", crate);
	return NULL;
}

/* Nothing goes along with the decision: its time would tell others which crates there are. */
const struct route_policy owners_list_policy = { .action = ACTION_READ_OWNERS, .flag = FLAG_OWNERS };
const struct route_policy owners_change_policy = { .action = ACTION_CHANGE_OWNERS,
	.flag = FLAG_OWNERS };

static void
write_owner(struct json_out *o, const struct owner *owner, bool with_email)
{
	json_out_open(o, '{');
	json_out_key_int(o, "id", owner->user_id);
	json_out_key_str(o, "login", owner->username);
	json_out_key_str(o, "name", owner->name);
	if (with_email)
		json_out_key_str(o, "email", owner->email);
	json_out_key_str(o, "kind", "user");
	json_out_close(o, '}');
}

int
owners_handle_list(struct call *call, struct request *rq, struct response *rs)
{
	const char *crate = crate_of(rq);
	bool sees_emails = app_may(&call->facts, ACTION_READ_EMAILS);
	/* a job that somebody has started is not that person */
	int64_t self = strcmp(call->facts.token_kind, "personal") == 0 ? call->facts.user_id : 0;
	struct owner *owners;
	struct json_response json;
	struct json_out *o = &json.o;
	size_t n;

	if (crate == NULL ||
	    owner_list(call->app->db, rq->arena, call->facts.project_id, crate, &owners, &n,
	    &rq->err) == -1)
		return -1;
	json_response_init(&json, rq);
	json_out_open(o, '{');
	json_out_key(o, "users");
	json_out_open(o, '[');
	for (size_t i = 0; i < n; i++)
		write_owner(o, &owners[i], sees_emails || owners[i].user_id == self);
	json_out_close(o, ']');
	json_out_close(o, '}');
	return json_response_send(&json, rq, rs, 200);
}

/* {"users":[...]}, or what older clients say in its place. */
static int
read_names(struct request *rq, struct owner_change *change)
{
	struct params params;
	const char *const *names = NULL;

	if (params_read(rq, &params) == -1 ||
	    params_list(&params, "users", &names, &change->n) == -1 ||
	    (change->n == 0 && params_list(&params, "owners", &names, &change->n) == -1))
		return -1;
	change->usernames = names;
	return 0;
}

static int
respond(struct request *rq, struct response *rs, const char *message)
{
	struct json_response json;
	struct json_out *o = &json.o;

	json_response_init(&json, rq);
	json_out_open(o, '{');
	json_out_key_bool(o, "ok", true);
	json_out_key_str(o, "msg", message);
	json_out_close(o, '}');
	return json_response_send(&json, rq, rs, 200);
}

static int
change_owners(struct call *call, struct request *rq, struct response *rs, bool add)
{
	struct owner_change change = {
		.actor = call_actor(call, rq),
		.limits = call->facts.limits,
		.project_id = call->facts.project_id,
		.crate = crate_of(rq),
		.add = add,
	};
	const char *message;

	if (change.crate == NULL || read_names(rq, &change) == -1 ||
	    owner_change(call->app->db, rq->arena, &change, &message, &rq->err) == -1)
		return -1;
	return respond(rq, rs, message);
}

int
owners_handle_add(struct call *call, struct request *rq, struct response *rs)
{
	return change_owners(call, rq, rs, true);
}

int
owners_handle_remove(struct call *call, struct request *rq, struct response *rs)
{
	return change_owners(call, rq, rs, false);
}
