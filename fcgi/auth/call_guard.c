#include "auth/call_guard.h"

#include "store/flag.h"
#include "store/token/access_facts.h"

/* It takes minutes or hours. */
enum { MAINTENANCE_RETRY_S = 60 };

/* A request that is guarded. */
struct guarded {
	struct call *call;
	struct request *rq;
};

static void
ask_facts(const struct guarded *g, struct db_call *db_call)
{
	const struct call *call = g->call;
	const struct access_facts *f = &call->facts;
	/* by its number: the path may be another's by now */
	const struct namespace_ref namespace = {
		.id = call->view.group_id != 0 ? call->view.group_id
		    : f->namespace_kind == NAMESPACE_GROUP ? f->group_id : f->project_id,
	};

	call_facts_call(call, g->rq, call->guard.arena, &namespace, db_call);
}

/* If it is known what the facts rest on, it is enough that this has not changed. */
static void
ask(void *arg, struct db_call *db_call)
{
	const struct guarded *g = arg;
	const struct call *call = g->call;

	if (call->grounds == NULL)
		ask_facts(g, db_call);
	else
		access_grounds_hold_call(db_call, call_digest(call), call->facts.project_id, call->grounds);
}

/* Checks that the name still belongs to the same project of the group. */
static int
check_project(const struct call *call, const struct access_facts *now, struct err *err)
{
	if (call->view.name == NULL || now->project_id == call->facts.project_id)
		return 0;
	err_internal(err, 503, "another project of the group has the name now");
	return err_tell(err, "another project of the group has the name `%s` now; please try again",
	    call->view.name);
}

/* Has the caller lost a right on which the handler may have relied? */
static bool
has_less(const struct access_facts *old, const struct access_facts *now)
{
	return now->access_level < old->access_level || now->is_admin < old->is_admin ||
	       access_push_level(now) < access_push_level(old) ||
	       (access_crate_user(old) == 0 && access_crate_user(now) != 0);
}

static int
refuse_writes(struct err *err)
{
	err_internal(err, 503, "the flag `writes` is off");
	err->retry_after = MAINTENANCE_RETRY_S;
	return err_tell(err,
	    "the registry is read-only for maintenance: it takes no publish and no other change until "
	    "an administrator ends this; reads go on");
}

static int
judge_facts(const struct guarded *g, const struct db_call *db_call, struct err *err)
{
	const struct call *call = g->call;
	struct access_facts facts;

	access_facts_read(db_call, call_facts_kind(call, g->rq), &facts);
	access_facts_switch(&facts, call->policy->flag);
	/* nobody is asked in the middle of a transaction: the last answer was for this request */
	if (facts.token_state == TOKEN_UNCHECKED)
		facts.token_usable = true;
	if (check_project(call, &facts, err) == -1 ||
	    access_decide(&facts, call->credential.kind, call->policy->action, err) == -1)
		return -1;
	if (!flag_is_on(FLAG_WRITES, facts.flags, 0))
		return refuse_writes(err);
	if (!has_less(&call->facts, &facts))
		return 0;
	err_internal(err, 503, "the caller's role has changed during the request");
	return err_tell(err, "your role has changed during this request; please try again");
}

static int
judge(void *arg, const struct db_call *db_call, struct err *err)
{
	const struct guarded *g = arg;
	struct db_call facts = { 0 };

	if (g->call->grounds == NULL)
		return judge_facts(g, db_call, err);
	if (db_call->result.rows == 1)
		return 0;
	ask_facts(g, &facts);
	return db_run(g->call->app->db, g->call->guard.arena, &facts, 1, err) == -1 ? -1
	    : judge_facts(g, &facts, err);
}

void
call_guard_set(struct call *call, struct request *rq)
{
	struct guarded *g = arena_alloc(rq->arena, sizeof(*g));

	*g = (struct guarded) { call, rq };
	call->guard = (struct db_guard){ .arena = rq->arena, .call = ask, .judge = judge, .arg = g };
	db_set_guard(call->app->db, &call->guard);
}

int
call_guard_writes(struct call *call, struct request *rq, bool known)
{
	bool on = true;

	if (rq->route->writes == 0 || rq->allow != NULL || rq->method == METHOD_GET ||
	    rq->method == METHOD_HEAD)
		return 0;
	if (known)
		on = flag_is_on(FLAG_WRITES, call->facts.flags, 0);
	else if (flag_ask(call->app->db, rq->arena, FLAG_WRITES, &on, &rq->err) == -1)
		return -1;
	return on ? 0 : refuse_writes(&rq->err);
}
