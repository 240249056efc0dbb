#include "store/token.h"

#include "store/naming.h"

int
token_add_personal(struct db *db, struct arena *a, const struct audit_actor *actor,
    const struct token_new *t, int64_t *id, struct err *err)
{
	struct audit_event event = { .action = AUDIT_TOKEN_CREATE, .id_key = "token_id",
		.facts = { { "kind", "personal", false }, { "user", t->username, false },
		    audit_fact_words(a, "scopes", t->scopes, t->nscopes),
		    { "name", t->name, false } } };
	struct db_call call = { .stmt = STMT_TOKEN_ADD_PERSONAL };
	struct db_params *p = &call.params;

	if (naming_check_name("username", t->username, err) == -1 ||
	    naming_check_text("name", t->name, err) == -1)
		return -1;
	if (t->expires_at != 0)
		event.facts[4] = audit_fact_time(a, "expires_at", t->expires_at);
	db_bind_str(p, t->username);
	db_bind_bytes(p, t->digest);
	db_bind_str(p, t->name);
	db_bind_array(p, a, t->scopes, t->nscopes);
	db_bind_time(p, t->expires_at);
	if (audit_change(db, a, actor, &call, &event, err) == -1)
		return -1;
	if (call.result.rows == 0)
		return err_set(err, 404, "user `%s` does not exist", t->username);
	*id = event.id;
	return 0;
}

int
token_revoke(struct db *db, struct arena *a, const struct audit_actor *actor, int64_t id,
    struct slice digest, int64_t *found, struct err *err)
{
	struct audit_event event = { .action = AUDIT_TOKEN_REVOKE, .id_key = "token_id" };
	struct db_call call = { .stmt = STMT_TOKEN_REVOKE };

	if (id != 0) {
		db_bind_int(&call.params, id);
		db_bind_null(&call.params);
	} else {
		db_bind_null(&call.params);
		db_bind_bytes(&call.params, digest);
	}
	if (audit_change(db, a, actor, &call, &event, err) == -1)
		return -1;
	if (call.result.rows == 0)
		return err_set(err, 404, "no such token exists");
	*found = event.id;
	return 0;
}

int
token_list(struct db *db, struct arena *a, int64_t user_id, struct token_entry **out, size_t *n,
    struct err *err)
{
	struct db_params p = { 0 };
	struct db_result r = { 0 };

	if (user_id == 0)
		db_bind_null(&p);
	else
		db_bind_int(&p, user_id);
	if (db_exec(db, a, STMT_TOKEN_LIST, &p, &r, err) == -1)
		return -1;
	*n = (size_t)r.rows;
	*out = arena_calloc(a, *n, sizeof(**out));
	for (int i = 0; i < r.rows; i++)
		(*out)[i] = (struct token_entry) {
			.id = db_int(&r, i, 0),
			.kind = db_str(&r, i, 1),
			.username = db_str(&r, i, 2),
			.name = db_str(&r, i, 3),
			.scopes = db_str(&r, i, 4),
			.created_at = db_int(&r, i, 5),
			.expires_at = db_time(&r, i, 6),
			.revoked_at = db_time(&r, i, 7),
			.last_used_at = db_time(&r, i, 8),
		};
	return 0;
}
