#include "call/app.h"

#include "base/clock.h"
#include "base/log.h"
#include "store/token/token_slot.h"

enum { KEYS_SECONDS = 60 }; /* between two looks at the slots of token_key */

int
app_know_keys(struct worker_app *app, struct arena *a, struct err *err)
{
	if (db_connect(app->db, err) == -1)
		return -1;
	if (app->keys_connection == db_connections(app->db) &&
	    clock_us() - app->keys_read_us < (int64_t)KEYS_SECONDS * CLOCK_SECOND)
		return 0;
	app->keys_connection = 0;
	if (token_slot_keys(app->db, a, app->settings->token_key, &app->keys, err) == -1) {
		if (err->status != 500)
			return -1;
		/* without the file the pool looks every token up, which works */
		log_error("%s", err->detail);
		err_clear(err);
		if (token_slot_keys(app->db, a, "", &app->keys, err) == -1)
			return -1;
	}
	app->keys_connection = db_connections(app->db);
	app->keys_read_us = clock_us();
	return 0;
}

static void
wipe_token(void *token)
{
	token_wipe(token);
}

struct token *
app_make_token(struct worker_app *app, struct request *rq, enum token_kind kind)
{
	struct token *token = arena_alloc(rq->arena, sizeof(*token));

	arena_defer(rq->arena, wipe_token, token);
	if (app_know_keys(app, rq->arena, &rq->err) == -1 ||
	    token_generate(kind, &app->keys, token, &rq->err) == -1)
		return NULL;
	return token;
}

size_t
app_half(int64_t workers)
{
	return workers > 1 ? (size_t)workers / 2 : 1;
}

bool
app_may(const struct access_facts *facts, enum action action)
{
	struct err why = { 0 };

	/* a caller whose token is unknown was refused before */
	return access_decide(facts, facts->token_id != 0 ? CREDENTIAL_TOKEN : CREDENTIAL_NONE,
	           action, &why) == 0;
}

int
app_respond_json(struct response *rs, int status, struct slice json)
{
	response_header(rs, "Cache-Control", "private, no-store");
	response_body(rs, status, "application/json", json);
	return 0;
}

int
app_respond_ok(struct response *rs)
{
	return app_respond_json(rs, 200, slice_str("{\"ok\":true}"));
}

int
app_store_check(struct worker_app *app, struct request *rq)
{
	return store_identity_check(app->db, rq->arena, &app->store, app->settings->blobs, true, &rq->err);
}
