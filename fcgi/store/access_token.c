#include "store/access_token.h"

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
    const struct access_token_filter *filter, struct access_token **out, size_t *n,
    struct err *err)
{
	struct db_params p = { 0 };
	struct db_result r = { 0 };

	db_bind_int(&p, user_id);
	db_bind_id(&p, id);
	bind_maybe(&p, filter->revoked);
	bind_maybe(&p, filter->active);
	db_bind_str(&p, filter->search);
	if (db_exec(db, a, STMT_ACCESS_TOKEN_LIST, &p, &r, err) == -1)
		return -1;
	*n = (size_t)r.rows;
	*out = arena_calloc(a, *n, sizeof(**out));
	for (int i = 0; i < r.rows; i++)
		(*out)[i] = (struct access_token) {
			.id = db_int(&r, i, 0),
			.name = db_str(&r, i, 1),
			.scopes = db_str(&r, i, 2),
			.user_id = db_int(&r, i, 3),
			.created_at = db_str(&r, i, 4),
			.expires_at = db_str(&r, i, 5),
			.last_used_at = db_str(&r, i, 6),
			.revoked = db_bool(&r, i, 7),
			.active = db_bool(&r, i, 8),
			.crates = db_str(&r, i, 9),
			.operations = db_str(&r, i, 10),
		};
	return 0;
}

int
access_token_list(struct db *db, struct arena *a, int64_t user_id,
    const struct access_token_filter *filter, struct access_token **out, size_t *n,
    struct err *err)
{
	return list(db, a, user_id, 0, filter, out, n, err);
}

int
access_token_find(struct db *db, struct arena *a, int64_t user_id, int64_t id,
    struct access_token *out, struct err *err)
{
	static const struct access_token_filter any = { NULL, NULL, NULL };
	struct access_token *tokens;
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
access_token_owner(struct db *db, struct arena *a, int64_t id, int64_t *user_id, struct err *err)
{
	struct db_params p = { 0 };
	struct db_result r = { 0 };

	db_bind_int(&p, id);
	if (db_exec(db, a, STMT_ACCESS_TOKEN_OWNER, &p, &r, err) == -1)
		return -1;
	if (r.rows == 0)
		return not_found(err);
	*user_id = db_int(&r, 0, 0);
	return 0;
}

int
access_token_revoke(struct db *db, struct arena *a, const struct audit_actor *actor,
    int64_t user_id, int64_t id, struct err *err)
{
	struct audit_event event = { .action = AUDIT_TOKEN_REVOKE, .id_key = "token_id", .id = id };
	struct db_call call = { .stmt = STMT_ACCESS_TOKEN_REVOKE };

	db_bind_int(&call.params, user_id);
	db_bind_int(&call.params, id);
	if (audit_change(db, a, actor, &call, &event, err) == -1)
		return -1;
	return call.result.rows == 0 ? not_found(err) : 0;
}

int
access_token_rotate(struct db *db, struct arena *a, const struct audit_actor *actor,
    int64_t user_id, int64_t id, struct slice digest, int64_t expires_at, int64_t *new_id,
    struct err *err)
{
	struct audit_event event = { .action = AUDIT_TOKEN_ROTATE, .id_key = "token_id", .id = id,
		.facts = { audit_fact_int(a, "in_place_of", id),
		    audit_fact_time(a, "expires_at", expires_at) } };
	struct db_call call = { .stmt = STMT_ACCESS_TOKEN_ROTATE };
	struct db_params *p = &call.params;

	db_bind_int(p, user_id);
	db_bind_int(p, id);
	db_bind_bytes(p, digest);
	db_bind_time(p, expires_at);
	if (audit_change(db, a, actor, &call, &event, err) == -1)
		return -1;
	if (call.result.rows == 0)
		return not_found(err);
	*new_id = event.id;
	return 0;
}
