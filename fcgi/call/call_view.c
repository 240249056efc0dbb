#include "call/call_view.h"

#include "crate/crate_name.h"
#include "store/package/view.h"

/* The name in the path of the crate that the request is about, as it stands there; empty: there is none. */
static struct slice
crate_in_path(const struct request *rq)
{
	return request_has_param(rq, "crate") ? request_param(rq, "crate") : slice_str("");
}

const char *
call_view_name(struct request *rq)
{
	struct slice name = crate_in_path(rq);
	struct err wrong;

	return crate_name_check(name, "crate", &wrong) == 0 ? crate_name_normalize(rq->arena, name) : NULL;
}

/* May the caller at least read in the project of the facts?  Then they may know why they may not do more. */
static bool
may_know(const struct call *call)
{
	struct err no = { 0 };

	return access_decide(&call->facts, call->credential.kind, ACTION_READ_PACKAGE, &no) == 0;
}

/* May the caller know that the project of the facts exists, whatever it has? */
static bool
may_see(const struct call *call)
{
	struct err no = { 0 };

	return access_decide(&call->facts, call->credential.kind, ACTION_READ_NAMESPACE, &no) == 0;
}

static int
decide(const struct call *call, struct err *err)
{
	return access_decide(&call->facts, call->credential.kind, call->policy->action, err);
}

/*
 * A caller without a token gets 401 where a token could help, as in a project.  cargo sends no header for an
 * empty token, and would call a crate missing that the token's owner may read.
 */
static int
ask_for_token(const struct call *call, struct request *rq)
{
	struct db_call config = { 0 };

	if (access_by_network(&call->facts))
		return 0;
	view_config_call(&config, call->view.group_id);
	if (db_run(call->app->db, rq->arena, &config, 1, &rq->err) == -1)
		return -1;
	return view_config_read(&config) ? 0 : err_set(&rq->err, 401, "this registry needs a token");
}

/* Decides about a crate that no project has, or only one that the caller may not read. */
static int
decide_unknown(struct call *call, struct request *rq)
{
	struct slice name = crate_in_path(rq);

	if (decide(call, &rq->err) == -1 && (call->credential.kind == CREDENTIAL_NONE || !may_know(call)))
		return -1;
	if (name.n > 0 && call->credential.kind == CREDENTIAL_NONE && ask_for_token(call, rq) == -1)
		return -1;
	/* the handlers of routes that read give this answer themselves, for project 0 */
	if (name.n == 0 || call->policy->read != NULL)
		return rq->err.status == 0 ? 0 : -1;
	err_clear(&rq->err);
	return err_set(&rq->err, 404, "crate `%.*s` does not exist", (int)name.n, name.p);
}

int
call_view_decide(struct call *call, struct request *rq)
{
	if (call->view.name == NULL)
		return decide_unknown(call, rq);
	if (decide(call, &rq->err) == 0)
		return 0;
	/* a bad token is refused whatever the name is */
	if (may_know(call) || (call->credential.kind == CREDENTIAL_TOKEN && !call->facts.token_usable))
		return -1;
	err_clear(&rq->err);
	call->view.name = NULL;
	return call_look_up(call, rq) == -1 ? -1 : decide_unknown(call, rq);
}

/*
 * A caller who may not publish to the default project learns nothing about the name, because a project that
 * they may not read may have it.
 */
static int
refuse(struct call *call, struct request *rq, const char *group, const char *name)
{
	/* no crate has this name: the facts are those of the default project */
	call->view.name = "";
	if (call_look_up(call, rq) == -1)
		return -1;
	if (call->facts.project_id == 0)
		return err_set(&rq->err, 409, "group `%s` has no project where you may publish `%s`, and no default "
		    "project for new crates; publish to the URL of a project, or ask an administrator to run: berth "
		    "group set %s default_project=GROUP/PROJECT", group, name, group);
	if (!call->facts.packages_enabled && may_see(call))
		return err_set(&rq->err, 409, "the registry of `%s`, the default project of group `%s`, is switched off; "
		    "publish to the URL of another project", call->facts.full_path, group);
	if (decide(call, &rq->err) == 0)
		return err_set(&rq->err, 403, "the name `%s` is taken in group `%s`, by a project that you may not "
		    "publish to; choose another name", name, group);
	err_clear(&rq->err);
	return err_set(&rq->err, 403, "you may not publish `%s` to group `%s`: another project may have the name, "
	    "and new crates go to a project where you may not publish", name, group);
}

int
call_view_find(struct call *call, struct request *rq, const char *normalized_name)
{
	call->view.name = normalized_name;
	call->view.creates = true;
	return call_look_up(call, rq);
}

int
call_view_enter(struct call *call, struct request *rq, const char *group)
{
	const char *name = call->view.name;

	if (call->facts.project_id != 0) {
		if (decide(call, &rq->err) == 0)
			return 0;
		if (may_know(call) && call->view.has_name)
			return -1;
		err_clear(&rq->err);
	}
	return refuse(call, rq, group, name);
}
