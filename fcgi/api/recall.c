#include "api/recall.h"

#include <string.h>

#include "api/ci_login.h"
#include "api/limits.h"
#include "base/clock.h"
#include "store/access_generation.h"

/* Something that matters has changed so often while one request asked. */
enum { ATTEMPTS = 4 };

/* What is known of the caller and the project, and since when it is. */
static int
look_up(struct worker_app *app, struct request *rq, const struct access_key *key,
    struct access_generation *generation)
{
	/* in this order: what changes in between makes the decision look old, never new */
	enum { GENERATION, FACTS, NCALLS };
	const unsigned char *digest = key->credential == CREDENTIAL_TOKEN ? key->digest : NULL;
	struct db_call calls[NCALLS] = { 0 };

	access_generation_call(&calls[GENERATION], digest);
	access_facts_call(&calls[FACTS], rq->arena, SUBJECT_PROJECT, digest, key->project);
	if (db_run(app->db, rq->arena, calls, NCALLS, &rq->err) == -1)
		return -1;
	access_generation_read(&calls[GENERATION], generation);
	access_facts_read(&calls[FACTS], SUBJECT_PROJECT, &app->facts);
	access_facts_switch(&app->facts, key->flag);
	return 0;
}

/* Makes the decision and remembers it.  NULL: it is against the caller. */
static const struct access_memo *
decide(struct worker_app *app, struct request *rq, const struct request_credential *credential,
    const struct access_key *key)
{
	struct access_generation generation;
	int64_t asked_us = clock_us();

	if (look_up(app, rq, key, &generation) == -1)
		return NULL;
	if (ci_login_is_due(credential, &app->facts)) {
		if (ci_login(app, rq, credential, key->project) == -1) {
			(void)limits_note_refusal(app, rq, key->credential);
			return NULL;
		}
		asked_us = clock_us();
		if (look_up(app, rq, key, &generation) == -1)
			return NULL;
	}
	app_note_caller(app, rq);
	if (access_decide(&app->facts, key->credential, key->action, &rq->err) == -1) {
		(void)limits_note_refusal(app, rq, key->credential);
		return NULL;
	}
	return access_memory_keep(app->memory, key, &app->facts, &generation, asked_us);
}

/*
 * The route's first read; only whether the memo still holds where its parameters are wrong, or
 * the method: first comes who may know, then what is wrong.  One that is fresh does hold.
 */
static int
read_first(struct worker_app *app, struct request *rq, const struct access_memo *memo, bool fresh,
    struct err *wrong, bool *unchanged)
{
	struct db_call *call = &app->first;

	*call = (struct db_call) { 0 };
	*wrong = (struct err) { 0 };
	if (rq->allow != NULL) {
		access_unchanged_call(call, memo->generation);
	} else if (rq->route->need->read(rq, memo->facts.project_id, memo->generation, call) == -1) {
		*wrong = rq->err;
		err_clear(&rq->err);
		access_unchanged_call(call, memo->generation);
	}
	*unchanged = fresh && call->stmt == STMT_ACCESS_UNCHANGED;
	if (*unchanged)
		return 0;
	if (db_run(app->db, rq->arena, call, 1, &rq->err) == -1)
		return -1;
	*unchanged = access_unchanged_read(call);
	return 0;
}

static void
recognize(struct worker_app *app, struct request *rq, const struct access_memo *memo)
{
	app->facts = memo->facts;
	app->until = (struct app_until) { memo->generation, memo->until_us };
	app_note_caller(app, rq);
}

/* That is the one that holds: memos of earlier ones are about for long. */
static void
note_generation(struct worker_app *app, const struct access_memo *memo)
{
	if (strcmp(app->seen.generation, memo->generation) == 0)
		return;
	memcpy(app->seen.generation, memo->generation, sizeof(memo->generation));
	app->seen.since_us = clock_us();
}

/* Is what is asked for among the files of this node?  Then the memo holds, by where it lies. */
static bool
find_here(struct worker_app *app, struct request *rq, const struct access_key *key)
{
	const struct route_need *need = rq->route->need;
	const struct access_memo *memo;

	if (need->find == NULL || rq->allow != NULL || app->settings->public_dir[0] == '\0')
		return false;
	memo = access_memory_find(app->memory, key, clock_us());
	if (memo == NULL || !need->find(app, rq, memo->facts.project_id, memo->generation))
		return false;
	recognize(app, rq, memo);
	note_generation(app, memo);
	return true;
}

int
recall_begin(struct worker_app *app, struct request *rq,
    const struct request_credential *credential, const struct project_ref *project)
{
	const struct access_key key = {
		.credential = credential->kind,
		.digest = credential->digest,
		.project = project,
		.action = rq->route->need->action,
		.flag = rq->route->need->flag,
	};
	struct err wrong;

	if (find_here(app, rq, &key))
		return 0;
	if (db_connect(app->db, &rq->err) == -1)
		return -1;
	for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
		const struct access_memo *memo = access_memory_find(app->memory, &key, clock_us());
		bool fresh = memo == NULL, unchanged;

		if (memo == NULL && (memo = decide(app, rq, credential, &key)) == NULL)
			return -1;
		recognize(app, rq, memo);
		if (read_first(app, rq, memo, fresh, &wrong, &unchanged) == -1)
			return -1;
		if (unchanged) {
			note_generation(app, memo);
			if (wrong.status == 0)
				return 0;
			rq->err = wrong;
			return -1;
		}
		access_memory_forget(app->memory, &key);
	}
	return err_internal(&rq->err, 503, "access: it changes all the time");
}
