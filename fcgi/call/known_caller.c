#include "call/known_caller.h"

#include <string.h>

enum { CALLERS = 8, DIGEST_SIZE = TOKEN_DIGEST_SIZE };

struct known_caller {
	unsigned char digest[DIGEST_SIZE];
	int64_t project_id;
	struct db_result facts; /* rows 0: this entry is free */
};

struct known_callers {
	struct known_caller callers[CALLERS];
};

struct known_callers *
known_callers_new(struct arena *a)
{
	return arena_calloc(a, 1, sizeof(struct known_callers));
}

void
known_callers_forget(struct known_callers *known, struct arena *a)
{
	for (size_t i = 0; known != NULL && i < CALLERS; i++)
		db_result_end(&known->callers[i].facts, a);
}

/*
 * The entry for the caller.  NULL: the request has no token, or does not name its project by id, or the CI
 * system that issued the token may have to vouch for it again.
 */
static struct known_caller *
entry_of(const struct call *call, const struct request *rq)
{
	const unsigned char *digest = call_digest(call);

	if (digest == NULL || call->credential.foreign.n > 0 || call_is_view(rq) || call->namespace.id == 0 ||
	    call->app->known == NULL)
		return NULL;
	return &call->app->known->callers[(digest[0] + (uint64_t)call->namespace.id) % CALLERS];
}

static bool
is_of(const struct known_caller *k, const struct call *call)
{
	return k->facts.rows == 1 && k->project_id == call->namespace.id &&
	    memcmp(k->digest, call_digest(call), DIGEST_SIZE) == 0;
}

void
known_caller_remember(const struct call *call, const struct request *rq)
{
	struct known_caller *k = entry_of(call, rq);

	if (k == NULL || (is_of(k, call) && db_results_equal(&k->facts, &call->facts_row)))
		return;
	/* this request may still use strings of the old facts */
	db_result_end(&k->facts, rq->arena);
	memcpy(k->digest, call_digest(call), DIGEST_SIZE);
	k->project_id = call->namespace.id;
	k->facts = db_result_copy(&call->facts_row);
}

bool
known_caller_find(struct call *call, struct request *rq)
{
	const struct known_caller *k = entry_of(call, rq);

	call->facts_due = k != NULL && is_of(k, call);
	if (call->facts_due)
		call_take_facts(call, rq, &k->facts);
	return call->facts_due;
}

int
known_caller_confirm(struct call *call, struct request *rq, struct db_call *facts)
{
	const struct db_result old = call->facts_row;
	struct db_call asked = { 0 };

	call->facts_due = false;
	if (facts == NULL) {
		facts = &asked;
		call_facts_call(call, rq, rq->arena, &call->namespace, facts);
		if (db_run(call->app->db, rq->arena, facts, 1, &rq->err) == -1)
			return -1;
	}
	call_take_facts(call, rq, &facts->result);
	if (db_results_equal(&old, &call->facts_row))
		return 0;
	/* a token that its user has revoked must not use up the user's limits again and again */
	db_result_end(&entry_of(call, rq)->facts, rq->arena);
	return access_decide(&call->facts, call->credential.kind, call->policy->action, &rq->err) == -1 ? -1 : 1;
}
