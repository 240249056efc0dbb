#include "auth/call_guard.h"

static void
ask(void *arg, struct db_call *db_call)
{
	const struct call *call = arg;
	const struct access_facts *f = &call->facts;
	/* by its number: the path may be another's by now */
	const struct namespace_ref namespace = {
		.id = f->namespace_kind == NAMESPACE_GROUP ? f->group_id : f->project_id,
	};

	access_facts_call(
	    db_call, call->guard.arena, call->policy->namespace_kind, call_digest(call), &namespace);
}

/* Has the caller less now of what a handler may have taken into account already? */
static bool
has_less(const struct access_facts *old, const struct access_facts *now)
{
	return now->access_level < old->access_level || now->is_admin < old->is_admin ||
	    access_push_level(now) < access_push_level(old) ||
	    (access_crate_user(old) == 0 && access_crate_user(now) != 0);
}

static int
judge(void *arg, const struct db_call *db_call, struct err *err)
{
	const struct call *call = arg;
	struct access_facts facts;

	access_facts_read(db_call, call->policy->namespace_kind, &facts);
	access_facts_switch(&facts, call->policy->flag);
	/* nobody is asked in the middle of a transaction: the last answer was for this request */
	if (facts.token_state == TOKEN_UNCHECKED)
		facts.token_usable = true;
	if (access_decide(&facts, call->credential.kind, call->policy->action, err) == -1)
		return -1;
	if (!has_less(&call->facts, &facts))
		return 0;
	err_internal(err, 503, "the caller's role has changed during the request");
	return err_tell(err, "your role has changed during this request; please try again");
}

void
call_guard_set(struct call *call, struct request *rq)
{
	call->guard =
	    (struct db_guard) { .arena = rq->arena, .call = ask, .judge = judge, .arg = call };
	db_set_guard(call->app->db, &call->guard);
}
