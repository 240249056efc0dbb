#include "call/app.h"

#include "base/clock.h"
#include "base/log.h"
#include "store/blob/blob.h"
#include "store/blob/blob_copy.h"
#include "store/token/token_slot.h"

enum { KEYS_SECONDS = 60 }; /* between two looks at the slots of token_key */

int
app_know_keys(struct worker_app *app, struct arena *a, struct err *err)
{
	if (db_connect(app->db, err) == -1)
		return -1;
	if (app->keys_connection == db_connections(app->db) &&
	    clock_us() - app->keys_read_us < (int64_t)KEYS_SECONDS * 1000000)
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

bool
app_may(const struct access_facts *facts, enum action action)
{
	struct err why = { 0 };

	/* whoever has no token that is known has not come as far as to ask */
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

/* Half of the readers may wait for an object store or other systems; the rest goes on. */
static int
bring(const struct worker_app *app, struct request *rq, const char *sha256, int64_t max, const char **path)
{
	enum { SLOT_WAIT_US = 5000000, SPARE_US = 3000000 };
	const int64_t workers = app->settings->workers;
	const struct slots_ask ask = { .queue = QUEUE_OUTBOUND, .n = workers > 1 ? (size_t)workers / 2 : 1,
		.actor = "read", .until_us = clock_us() + SLOT_WAIT_US };
	const struct blob_store *store = app->settings->blobs;
	int64_t until_us = rq->deadline_us - SPARE_US;
	int rc;

	if (slots_take(app->slots, &ask) == -1) {
		err_internal(&rq->err, 503, "too many workers are already waiting for the object store");
		return err_tell(&rq->err, "the registry's object store is slow; try again in a few seconds");
	}
	rc = path == NULL ? blob_bring(store, rq->arena, sha256, max, until_us, &rq->err)
	    : blob_bring_early(store, rq->arena, sha256, max, until_us, path, &rq->err);
	slots_leave(app->slots, &ask);
	return rc;
}

int
app_bring_blob(struct worker_app *app, struct request *rq, const char *sha256, int64_t max, const char **path)
{
	const struct blob_store *store = app->settings->blobs;

	if (path != NULL)
		*path = blob_path(rq->arena, sha256);
	if (blob_has_copy(store, rq->arena, sha256))
		return 1;
	/* bytes from an object store are compared with their name, so whose store it is does not matter */
	if (store->kind->copies)
		return bring(app, rq, sha256, max, path);
	return app_store_check(app, rq) == -1 ? -1 : blob_bring(store, rq->arena, sha256, max, 0, &rq->err);
}
