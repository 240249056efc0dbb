#include "call/call_view.h"

#include "crate/crate_name.h"

const char *
call_view_name(struct request *rq)
{
	struct slice name = request_has_param(rq, "crate") ? request_param(rq, "crate") : slice_str("");
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

static int
decide(const struct call *call, struct err *err)
{
	return access_decide(&call->facts, call->credential.kind, call->policy->action, err);
}

int
call_view_decide(struct call *call, struct request *rq)
{
	if (call->view.name == NULL)
		return decide(call, &rq->err);
	if (decide(call, &rq->err) == 0)
		return 0;
	/* a token that is bad is so whatever the name */
	if (may_know(call) || (call->credential.kind == CREDENTIAL_TOKEN && !call->facts.token_usable))
		return -1;
	err_clear(&rq->err);
	call->view.name = NULL;
	return call_look_up(call, rq) == -1 ? -1 : decide(call, &rq->err);
}

static int
refuse_new(const char *group, const char *name, struct err *err)
{
	return err_set(err, 409, "no project of group `%s` that you may read has a crate `%s`, and the "
	    "group has no default project for new crates; publish to the URL of a project, or ask an administrator "
	    "to run: berth group set %s default_project=GROUP/PROJECT", group, name, group);
}

/* No crate has this name in normal form. */
static const char no_name[] = "";

/*
 * The name is that of a project that the caller may not read: the answer is that for a new name, unless this
 * would have been published.
 */
static int
refuse_taken(struct call *call, struct request *rq, const char *group, const char *name)
{
	call->view.name = no_name;
	if (call_look_up(call, rq) == -1)
		return -1;
	if (call->facts.project_id == 0)
		return refuse_new(group, name, &rq->err);
	if (decide(call, &rq->err) == 0)
		return err_set(&rq->err, 403, "the name `%s` is taken in group `%s`, by a project that you may not "
		    "publish to", name, group);
	err_clear(&rq->err);
	return 0;
}

int
call_view_enter(struct call *call, struct request *rq, const char *normalized_name)
{
	const char *group = call->facts.full_path;

	call->view.name = normalized_name;
	call->view.creates = true;
	if (call_look_up(call, rq) == -1)
		return -1;
	if (call->facts.project_id == 0)
		return refuse_new(group, normalized_name, &rq->err);
	if (decide(call, &rq->err) == 0)
		return 0;
	if (call->view.has_name && may_know(call))
		return -1;
	err_clear(&rq->err);
	if (call->view.has_name && refuse_taken(call, rq, group, normalized_name) == -1)
		return -1;
	return err_set(&rq->err, 403, "group `%s` has no crate `%s` that you may read, and you may not publish to "
	    "its default project, which takes new crates", group, normalized_name);
}
