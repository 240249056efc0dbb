#include "store/token/personal_token.h"

#include "base/clock.h"

static int
not_found(struct err *err)
{
	return err_set(err, 404, "Not Found");
}

static void
bind_maybe(struct db_params *p, const bool *value)
{
	if (value != NULL)
		db_bind_bool(p, *value);
	else
		db_bind_null(p);
}

static int
list(struct db *db, struct arena *a, int64_t user_id, int64_t id,
    const struct personal_token_filter *filter, struct personal_token **out, size_t *n,
    struct err *err)
{
	enum { COLUMNS_PERSONAL_TOKEN_LIST };
	struct db_params p = { 0 };
	struct db_result r = { 0 };

	db_bind_int(&p, user_id);
	db_bind_id(&p, id);
	bind_maybe(&p, filter->revoked);
	bind_maybe(&p, filter->active);
	db_bind_str(&p, filter->search);
	if (db_exec(db, a, STMT_PERSONAL_TOKEN_LIST, &p, &r, err) == -1)
		return -1;
	*n = (size_t)r.rows;
	*out = arena_calloc(a, *n, sizeof(**out));
	for (int i = 0; i < r.rows; i++)
		(*out)[i] = (struct personal_token) {
			.id = db_int(&r, i, ID),
			.name = db_str(&r, i, NAME),
			.scopes = db_str(&r, i, SCOPES),
			.user_id = db_int(&r, i, USER_ID),
			.created_at = db_str(&r, i, CREATED_AT),
			.expires_at = db_str(&r, i, EXPIRES_AT),
			.last_used_at = db_str(&r, i, LAST_USED_AT),
			.revoked = db_bool(&r, i, REVOKED),
			.active = db_bool(&r, i, ACTIVE),
			.crates = db_str(&r, i, CRATES),
			.operations = db_str(&r, i, OPERATIONS),
		};
	return 0;
}

int
personal_token_list(struct db *db, struct arena *a, int64_t user_id,
    const struct personal_token_filter *filter, struct personal_token **out, size_t *n,
    struct err *err)
{
	return list(db, a, user_id, 0, filter, out, n, err);
}

int
personal_token_find(struct db *db, struct arena *a, int64_t user_id, int64_t id,
    struct personal_token *out, struct err *err)
{
	static const struct personal_token_filter any = { NULL, NULL, NULL };
	struct personal_token *tokens;
	size_t n = 0;

	/* no token has the id 0, which would be all of them */
	if (id != 0 && list(db, a, user_id, id, &any, &tokens, &n, err) == -1)
		return -1;
	if (n == 0)
		return not_found(err);
	*out = tokens[0];
	return 0;
}

int
personal_token_owner(struct db *db, struct arena *a, int64_t id, int64_t *user_id, struct err *err)
{
	enum { COLUMNS_PERSONAL_TOKEN_OWNER };
	struct db_params p = { 0 };
	struct db_result r = { 0 };

	db_bind_int(&p, id);
	if (db_exec(db, a, STMT_PERSONAL_TOKEN_OWNER, &p, &r, err) == -1)
		return -1;
	if (r.rows == 0)
		return not_found(err);
	*user_id = db_int(&r, 0, USER_ID);
	return 0;
}

int
personal_token_revoke(struct db *db, struct arena *a, const struct audit_actor *actor,
    int64_t user_id, int64_t id, struct err *err)
{
	struct audit_event event = { .action = AUDIT_TOKEN_REVOKE, .id_key = "token_id", .id = id };
	struct db_call call = { .stmt = STMT_PERSONAL_TOKEN_REVOKE };

	db_bind_int(&call.params, user_id);
	db_bind_int(&call.params, id);
	if (audit_change(db, a, actor, &call, &event, err) == -1)
		return -1;
	return call.result.rows == 0 ? not_found(err) : 0;
}

struct replacing {
	struct arena *arena;
	const struct audit_actor *actor;
	int64_t id; /* of the old token */
	const struct personal_token_successor *successor; /* NULL: the token only ends */
	struct db_call call;
	struct audit_event event;
};

/* Locks the user of the token.  *end: the token's end, 0 for none. */
static int
lock(struct db *db, const struct replacing *r, int64_t *end, struct err *err)
{
	enum { COLUMNS_PERSONAL_TOKEN_LOCK };
	struct db_params p = { 0 };
	struct db_result found = { 0 };

	db_bind_int(&p, r->id);
	if (db_exec(db, r->arena, STMT_PERSONAL_TOKEN_LOCK, &p, &found, err) == -1)
		return -1;
	if (found.rows == 0)
		return not_found(err);
	*end = db_time(&found, 0, EXPIRES_AT);
	return 0;
}

/* A rotation gains no time: else a thief could keep a stolen token for ever. */
static int
choose_end(const struct replacing *r, int64_t old, int64_t *end, struct err *err)
{
	char text[CLOCK_RFC3339_SIZE];

	*end = r->successor->expires_at;
	if (old == 0 || *end <= old)
		return 0;
	*end = old;
	if (!r->successor->asked)
		return 0;
	clock_rfc3339((time_t)old, text);
	return err_set(err, 400, "expires_at must not be after %s, the end of the token that this one replaces; "
	    "make a new token for a longer time", text);
}

static int
replace_body(struct db *db, void *arg, struct err *err)
{
	enum { COLUMNS_PERSONAL_TOKEN_ROTATE };
	struct replacing *r = arg;
	struct db_call call = r->call;
	int64_t old = 0, end;

	if (lock(db, r, &old, err) == -1)
		return -1;
	/* it may be the caller's own token, which allows nothing once it is replaced */
	if (r->id == r->actor->token_id && db_guard_first(db, err) == -1)
		return -1;
	if (r->successor != NULL) {
		if (choose_end(r, old, &end, err) == -1)
			return -1;
		db_bind_time(&call.params, end);
		db_bind_str(&call.params, r->successor->handle);
		r->event.facts[1] = audit_fact_time(r->arena, "expires_at", end);
	}
	if (db_run(db, r->arena, &call, 1, err) == -1)
		return -1;
	if (call.result.rows == 0) {
		db_found_done(db);
		return r->successor != NULL ? not_found(err) : 0;
	}
	r->event.id = db_int(&call.result, 0, ID);
	return audit_add(db, r->arena, r->actor, &r->event, err);
}

int
personal_token_rotate(struct db *db, struct arena *a, const struct audit_actor *actor,
    int64_t user_id, int64_t id, const struct personal_token_successor *successor, int64_t *new_id,
    struct err *err)
{
	struct replacing r = { .arena = a, .actor = actor, .id = id, .successor = successor,
		.call = { .stmt = STMT_PERSONAL_TOKEN_ROTATE },
		.event = { .action = AUDIT_TOKEN_ROTATE, .id_key = "token_id",
		    .facts = { audit_fact_int(a, "in_place_of", id) } } };
	bool unknown;

	db_bind_int(&r.call.params, user_id);
	db_bind_int(&r.call.params, id);
	db_bind_bytes(&r.call.params, successor->digest);
	if (db_transaction(db, replace_body, &r, &unknown, err) == -1)
		return -1;
	*new_id = r.event.id;
	return 0;
}

int
personal_token_end_successor(struct db *db, struct arena *a, const struct audit_actor *actor, int64_t id,
    struct err *err)
{
	struct replacing r = { .arena = a, .actor = actor, .id = id,
		.call = { .stmt = STMT_PERSONAL_TOKEN_END_SUCCESSOR },
		.event = { .action = AUDIT_TOKEN_REUSE, .id_key = "token_id",
		    .facts = { audit_fact_int(a, "shown", id) } } };
	struct db_params p = { 0 };
	struct db_result found = { 0 };
	bool unknown;

	db_bind_int(&p, id);
	if (db_exec(db, a, STMT_PERSONAL_TOKEN_FIND_SUCCESSOR, &p, &found, err) == -1)
		return -1;
	if (found.rows == 0)
		return 0;
	db_bind_int(&r.call.params, id);
	return db_transaction(db, replace_body, &r, &unknown, err);
}
