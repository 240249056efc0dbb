#include "store/token/session.h"

#include "access/naming.h"
#include "store/user.h"

/* Only an administrator asks for a link, and may know who is blocked. */
static int
refuse_link(struct db *db, struct arena *a, const char *username, struct err *err)
{
	if (user_check_active(db, a, username, err) == -1)
		return -1;
	return err_set(err, 409, "user `%s` has just been unblocked: run the command again", username);
}

int
session_link_add(struct db *db, struct arena *a, const struct audit_actor *actor,
    const char *username, struct slice digest, int64_t seconds, int64_t *user_id, struct err *err)
{
	struct audit_event event = { .action = AUDIT_USER_LINK, .id_key = "user_id",
		.facts = { { "user", username, false } } };
	struct db_call call = { .stmt = STMT_SESSION_LINK_ADD };

	if (naming_check_username(username, err) == -1)
		return -1;
	db_bind_str(&call.params, username);
	db_bind_bytes(&call.params, digest);
	db_bind_int(&call.params, seconds);
	if (audit_change(db, a, actor, &call, &event, err) == -1)
		return -1;
	if (call.result.rows == 0)
		return refuse_link(db, a, username, err);
	*user_id = event.id;
	return 0;
}

/* A longer name would hide the sentence around it. */
enum { SHOWN_NAME = 64 };

static const char link_is_over[] =
    "this code has been used or has expired; ask an administrator for a new one";

int
session_link_find(struct db *db, struct arena *a, struct slice digest, const char **username,
    struct err *err)
{
	enum { COLUMNS_SESSION_LINK_FIND };
	struct db_call call = { .stmt = STMT_SESSION_LINK_FIND };

	db_bind_bytes(&call.params, digest);
	if (db_run(db, a, &call, 1, err) == -1)
		return -1;
	if (call.result.rows == 0)
		return err_set(err, 403, "%s", link_is_over);
	*username = db_str(&call.result, 0, USERNAME);
	return 0;
}

/* The same for a user who is blocked, so that nobody learns who is. */
static int
refuse_unknown(const char *username, struct err *err)
{
	return err_set(err, 403, "Single sign-on calls you `%.*s`, and this registry has no active user of that "
	    "name. Ask an administrator to add or unblock that user.", SHOWN_NAME, username);
}

static int
check_named(const char *username, struct err *err)
{
	struct err ignored = { 0 };

	if (naming_check_username(username, &ignored) == 0)
		return 0;
	return err_set(err, 403, "Single sign-on calls you `%.*s`, which cannot be the name of a user here. Ask an "
	    "administrator to map it to a username in nginx ($berth_sso_user).", SHOWN_NAME, username);
}

struct opening {
	struct arena *arena;
	struct audit_actor *actor;
	const struct session_proof *proof;
	struct slice digest;
};

/* Whose session it becomes. */
static int
find_user(struct db *db, const struct opening *o, int64_t *user_id, struct err *err)
{
	enum { COLUMNS_SESSION_LINK_TAKE };
	bool link = o->proof->username == NULL;
	struct db_call call = { .stmt = link ? STMT_SESSION_LINK_TAKE : STMT_SESSION_USER };

	if (link)
		db_bind_bytes(&call.params, o->proof->link);
	else
		db_bind_str(&call.params, o->proof->username);
	if (db_run(db, o->arena, &call, 1, err) == -1)
		return -1;
	if (call.result.rows == 0)
		return link ? err_set(err, 403, "%s", link_is_over) : refuse_unknown(o->proof->username, err);
	*user_id = db_int(&call.result, 0, ID);
	return 0;
}

static int
open_body(struct db *db, void *arg, struct err *err)
{
	enum { SWEEP, ADD, AUDIT, NCALLS };
	const struct opening *o = arg;
	struct audit_event event = { .action = AUDIT_USER_SIGNIN, .id_key = "user_id",
		.facts = { { "by", o->proof->username == NULL ? "link" : "sso", false } } };
	struct db_call calls[NCALLS] = { [SWEEP] = { .stmt = STMT_SESSION_SWEEP },
		[ADD] = { .stmt = STMT_SESSION_ADD } };
	struct db_params *p = &calls[ADD].params;

	if (find_user(db, o, &o->actor->user_id, err) == -1)
		return -1;
	db_bind_bytes(p, o->digest);
	db_bind_int(p, o->actor->user_id);
	db_bind_bool(p, o->proof->username != NULL);
	db_bind_int(p, SESSION_SECONDS);
	event.id = o->actor->user_id;
	audit_call(&calls[AUDIT], o->arena, o->actor, &event);
	return db_run(db, o->arena, calls, NCALLS, err);
}

int
session_open(struct db *db, struct arena *a, struct audit_actor *actor,
    const struct session_proof *proof, struct slice digest, struct err *err)
{
	struct opening opening = { a, actor, proof, digest };
	bool unknown;

	return db_transaction(db, open_body, &opening, &unknown, err);
}

int
session_find(struct db *db, struct arena *a, struct slice digest, struct session *s,
    struct err *err)
{
	enum { COLUMNS_SESSION_FIND };
	struct db_call call = { .stmt = STMT_SESSION_FIND };
	const struct db_result *r = &call.result;

	if (digest.n > 0)
		db_bind_bytes(&call.params, digest);
	else
		db_bind_null(&call.params);
	if (db_run(db, a, &call, 1, err) == -1)
		return -1;
	*s = (struct session) { .username = "", .flags = db_str(r, 0, FLAGS) };
	if (db_is_null(r, 0, ID))
		return 0;
	s->user_id = db_int(r, 0, ID);
	s->username = db_str(r, 0, USERNAME);
	s->by_sso = db_bool(r, 0, BY_SSO);
	return 0;
}

int
session_name(struct db *db, struct arena *a, const char *username, struct session *s,
    struct err *err)
{
	enum { COLUMNS_SESSION_USER };
	struct db_call call = { .stmt = STMT_SESSION_USER };
	const struct db_result *r = &call.result;

	if (check_named(username, err) == -1)
		return -1;
	db_bind_str(&call.params, username);
	if (db_run(db, a, &call, 1, err) == -1)
		return -1;
	if (r->rows == 0)
		return refuse_unknown(username, err);
	s->user_id = db_int(r, 0, ID);
	s->username = db_str(r, 0, USERNAME);
	s->by_sso = true;
	return 0;
}

struct closing {
	struct arena *arena;
	const struct audit_actor *actor;
	struct slice digest;
};

static int
close_body(struct db *db, void *arg, struct err *err)
{
	enum { COLUMNS_SESSION_REMOVE };
	const struct closing *c = arg;
	struct audit_event event = { .action = AUDIT_USER_SIGNOUT, .id_key = "user_id" };
	struct db_call call = { .stmt = STMT_SESSION_REMOVE };

	db_bind_bytes(&call.params, c->digest);
	if (db_run(db, c->arena, &call, 1, err) == -1)
		return -1;
	if (call.result.rows == 0)
		return 0;
	event.id = db_int(&call.result, 0, USER_ID);
	return audit_add(db, c->arena, c->actor, &event, err);
}

int
session_close(struct db *db, struct arena *a, const struct audit_actor *actor, struct slice digest,
    struct err *err)
{
	struct closing closing = { a, actor, digest };
	bool unknown;

	return db_transaction(db, close_body, &closing, &unknown, err);
}

int
session_tokens(struct db *db, struct arena *a, int64_t user_id, struct token_entry **out,
    size_t *n, struct err *err)
{
	enum { COLUMNS_SESSION_TOKENS };
	struct db_call call = { .stmt = STMT_SESSION_TOKENS };
	const struct db_result *r = &call.result;

	db_bind_int(&call.params, user_id);
	if (db_run(db, a, &call, 1, err) == -1)
		return -1;
	*n = (size_t)r->rows;
	*out = arena_calloc(a, *n, sizeof(**out));
	for (int i = 0; i < r->rows; i++)
		(*out)[i] = (struct token_entry) {
			.id = db_int(r, i, ID),
			.name = db_str(r, i, NAME),
			.scopes = db_str(r, i, SCOPES),
			.crates = db_str(r, i, CRATES),
			.operations = db_str(r, i, OPERATIONS),
			.created_at = db_int(r, i, CREATED_AT),
			.expires_at = db_time(r, i, EXPIRES_AT),
			.last_used_at = db_time(r, i, LAST_USED_AT),
		};
	return 0;
}

int
session_token_revoke(struct db *db, struct arena *a, const struct audit_actor *actor,
    int64_t token_id, struct err *err)
{
	struct audit_event event = { .action = AUDIT_TOKEN_REVOKE, .id_key = "token_id" };
	struct db_call call = { .stmt = STMT_SESSION_TOKEN_REVOKE };

	db_bind_int(&call.params, actor->user_id);
	db_bind_int(&call.params, token_id);
	if (audit_change(db, a, actor, &call, &event, err) == -1)
		return -1;
	return call.result.rows > 0 ? 0 : err_set(err, 404, "no such token exists");
}
