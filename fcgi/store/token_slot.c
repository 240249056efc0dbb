#include "store/token_slot.h"

#include <stdio.h>
#include <string.h>

/* Is the key's slot live, with the same fingerprint? */
static bool
is_live(const struct db_result *r, const struct token_key *key)
{
	char fingerprint[TOKEN_KEY_FINGERPRINT_SIZE];

	if (!token_key_fingerprint(key, fingerprint))
		return false;
	for (int i = 0; i < r->rows; i++) {
		if (!db_is_null(r, i, 1) && strcmp(db_str(r, i, 1), key->slot) == 0)
			return strcmp(db_str(r, i, 2), fingerprint) == 0;
	}
	return false;
}

/* Keeps the live keys. */
static int
keep_live(const struct db_result *r, struct token_keys *keys, struct err *err)
{
	const char *registry = db_str(r, 0, 0);
	struct token_keys live = { .n = 0 };

	if (keys->registry_id[0] != '\0' && strcmp(keys->registry_id, registry) != 0)
		return err_internal(err, 503, "token_key: the file belongs to registry %s, but the database "
		    "is registry %s; use the file of this registry", keys->registry_id, registry);
	snprintf(live.registry_id, sizeof(live.registry_id), "%s", registry);
	for (size_t i = 0; i < keys->n; i++) {
		if (is_live(r, &keys->v[i]))
			live.v[live.n++] = keys->v[i];
	}
	*keys = live;
	token_keys_wipe(&live);
	return 0;
}

int
token_slot_keys(struct db *db, struct arena *a, const char *path, struct token_keys *keys,
    struct err *err)
{
	struct db_result r;

	*keys = (struct token_keys) { .n = 0 };
	if ((path[0] != '\0' && token_keys_read(path, keys, err) == -1) ||
	    db_exec(db, a, STMT_TOKEN_SLOT_LIVE, NULL, &r, err) == -1 || keep_live(&r, keys, err) == -1) {
		token_keys_wipe(keys);
		return -1;
	}
	return 0;
}

int
token_slot_add(struct db *db, struct arena *a, const struct audit_actor *actor,
    const struct token_key *key, struct err *err)
{
	char fingerprint[TOKEN_KEY_FINGERPRINT_SIZE];
	struct audit_event event = { .action = AUDIT_TOKEN_KEY_CREATE,
		.facts = { { "slot", key->slot, false } } };
	struct db_call call = { .stmt = STMT_TOKEN_SLOT_ADD };

	if (!token_key_fingerprint(key, fingerprint))
		return err_internal(err, 500, "SHA-256 failed");
	db_bind_str(&call.params, key->slot);
	db_bind_str(&call.params, fingerprint);
	if (audit_change(db, a, actor, &call, &event, err) == -1)
		return -1;
	return call.result.rows == 1 ? 0
	    : err_set(err, 409, "slot `%s` was used before; choose one that was never used", key->slot);
}

int
token_slot_retire(struct db *db, struct arena *a, const struct audit_actor *actor, const char *slot,
    struct err *err)
{
	struct audit_event event = { .action = AUDIT_TOKEN_KEY_RETIRE,
		.facts = { { "slot", slot, false } } };
	struct db_call call = { .stmt = STMT_TOKEN_SLOT_RETIRE };

	db_bind_str(&call.params, slot);
	if (audit_change(db, a, actor, &call, &event, err) == -1)
		return -1;
	return call.result.rows == 1 ? 0 : err_set(err, 404, "slot `%s` does not exist", slot);
}

int
token_slot_list(struct db *db, struct arena *a, struct token_slot **out, size_t *n, struct err *err)
{
	struct db_result r;

	if (db_exec(db, a, STMT_TOKEN_SLOT_LIST, NULL, &r, err) == -1)
		return -1;
	*n = (size_t)r.rows;
	*out = arena_calloc(a, *n, sizeof(**out));
	for (int i = 0; i < r.rows; i++)
		(*out)[i] = (struct token_slot) { db_str(&r, i, 0), db_str(&r, i, 1), db_int(&r, i, 2),
			db_is_null(&r, i, 3) ? 0 : db_int(&r, i, 3) };
	return 0;
}
