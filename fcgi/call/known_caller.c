#include "call/known_caller.h"

#include <assert.h>
#include <string.h>

#include "base/clock.h"
#include "store/token/access_facts.h"

/* A use of a token is written down once in a minute, which is a new version of its row. */
enum { GROUNDS_US = 50 * CLOCK_SECOND };

enum { CALLERS = 8, DIGEST_SIZE = TOKEN_DIGEST_SIZE };

struct known_caller {
	unsigned char digest[DIGEST_SIZE];
	int64_t project_id;
	struct db_result facts; /* rows 0: this entry is free */
	bool has_grounds; /* those in `facts` may still hold: ask about them alone */
	int64_t grounds_us; /* when the grounds were read */
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

	if (k == NULL || (is_of(k, call) && access_facts_equal(&k->facts, &call->facts_row)))
		return;
	/* this request may still use strings of the old facts */
	db_result_end(&k->facts, rq->arena);
	memcpy(k->digest, call_digest(call), DIGEST_SIZE);
	k->project_id = call->namespace.id;
	k->facts = db_result_copy(&call->facts_row);
	k->has_grounds = call->grounds != NULL;
	k->grounds_us = clock_us();
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

/* The entry that the facts are from, while they are due. */
static struct known_caller *
due_entry(const struct call *call, const struct request *rq)
{
	struct known_caller *k = entry_of(call, rq);

	assert(k != NULL);
	return k;
}

void
known_caller_call(const struct call *call, const struct request *rq, struct db_call *db_call)
{
	struct known_caller *k = due_entry(call, rq);

	/* by then a use of the token has most likely changed its row: read the facts at once, for one round trip */
	if (k->has_grounds && clock_us() - k->grounds_us > GROUNDS_US)
		k->has_grounds = false;
	if (k->has_grounds)
		access_grounds_hold_call(db_call, call_digest(call), call->namespace.id, &k->facts);
	else
		access_facts_grounds_call(db_call, call_digest(call), call->namespace.id);
}

int
known_caller_confirm(struct call *call, struct request *rq, struct db_call *asked)
{
	const struct db_result old = call->facts_row;
	struct known_caller *k = due_entry(call, rq);
	struct db_call read = { 0 };

	/* the facts stay due: the caller may have got further rights */
	if (asked != NULL && k->has_grounds && asked->result.rows == 1) {
		call->grounds = &call->facts_row;
		return 0;
	}
	call->facts_due = false;
	if (asked == NULL || k->has_grounds) {
		asked = &read;
		access_facts_grounds_call(asked, call_digest(call), call->namespace.id);
		if (db_run(call->app->db, rq->arena, asked, 1, &rq->err) == -1)
			return -1;
	}
	call_take_facts(call, rq, &asked->result);
	/* behind a pooler the next transaction may be in another session, in which they do not hold */
	call->grounds = db_is_pooled(call->app->db) ? NULL : &call->facts_row;
	/* a token that its user has revoked must not use up the user's limits again and again */
	db_result_end(&k->facts, rq->arena);
	if (!access_facts_equal(&old, &call->facts_row))
		return access_decide(&call->facts, call->credential.kind, call->policy->action, &rq->err) == -1
		    ? -1 : 1;
	k->facts = db_result_copy(&call->facts_row);
	k->has_grounds = call->grounds != NULL;
	k->grounds_us = clock_us();
	return 0;
}
