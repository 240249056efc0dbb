#include "api/app_guard.h"

#include <string.h>

#include "api/app.h"

static void
ask(void *arg, struct db_call *call)
{
	const struct worker_app *app = arg;
	const struct app_guard *g = &app->guard;

	access_facts_call(call, g->guard.arena, g->need->subject,
	    g->kind == CREDENTIAL_TOKEN ? g->digest : NULL, &g->place);
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
judge(void *arg, const struct db_call *call, struct err *err)
{
	const struct worker_app *app = arg;
	const struct app_guard *g = &app->guard;
	struct access_facts facts;

	access_facts_read(call, g->need->subject, &facts);
	access_facts_switch(&facts, g->need->flag);
	/* nobody is asked in the middle of a transaction: the last answer was for this request */
	if (facts.token_state == TOKEN_UNCHECKED)
		facts.token_usable = true;
	if (access_decide(&facts, g->kind, g->need->action, err) == -1)
		return -1;
	if (!has_less(&app->facts, &facts))
		return 0;
	err_internal(err, 503, "the role of the caller has changed meanwhile");
	return err_tell(err, "your role has changed while this was done; please try again");
}

void
app_guard_set(struct worker_app *app, struct request *rq, enum credential kind,
    const unsigned char *digest)
{
	const struct access_facts *f = &app->facts;

	app->guard = (struct app_guard) {
		.guard = { .arena = rq->arena, .call = ask, .judge = judge, .arg = app },
		.kind = kind,
		.need = rq->route->need,
		.place.id = f->subject == SUBJECT_GROUP ? f->group_id : f->project_id,
	};
	memcpy(app->guard.digest, digest, sizeof(app->guard.digest));
	db_set_guard(app->db, &app->guard.guard);
}

void
app_guard_clear(struct worker_app *app)
{
	db_set_guard(app->db, NULL);
	app->guard = (struct app_guard) { .need = NULL };
}
