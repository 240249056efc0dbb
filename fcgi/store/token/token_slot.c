#include "store/token/token_slot.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"

/* Is the key's slot live, with the same fingerprint? */
static bool
is_live(const struct db_result *r, const struct token_key *key)
{
	enum { COLUMNS_TOKEN_SLOT_LIVE };
	char fingerprint[TOKEN_KEY_FINGERPRINT_SIZE];

	if (!token_key_fingerprint(key, fingerprint))
		return false;
	for (int i = 0; i < r->rows; i++) {
		if (!db_is_null(r, i, SLOT) && strcmp(db_str(r, i, SLOT), key->slot) == 0)
			return strcmp(db_str(r, i, FINGERPRINT), fingerprint) == 0;
	}
	return false;
}

/* NULL, or that the file belongs to another registry. */
static const char *
find_foreign(struct arena *a, const struct db_result *r, const char *path,
    const struct token_keys *keys)
{
	enum { COLUMNS_TOKEN_SLOT_LIVE };
	const char *registry = db_str(r, 0, REGISTRY);

	if (keys->registry_id[0] == '\0' || strcmp(keys->registry_id, registry) == 0)
		return NULL;
	return arena_printf(a, "token_key: %s belongs to registry %s, but the database is registry %s; "
	    "use the file of this registry", path, keys->registry_id, registry);
}

/* Keeps the live keys. */
static void
keep_live(const struct db_result *r, struct token_keys *keys)
{
	enum { COLUMNS_TOKEN_SLOT_LIVE };
	struct token_keys live = { .n = 0 };

	snprintf(live.registry_id, sizeof(live.registry_id), "%s", db_str(r, 0, REGISTRY));
	for (size_t i = 0; i < keys->n; i++) {
		if (is_live(r, &keys->v[i]))
			live.v[live.n++] = keys->v[i];
	}
	*keys = live;
	token_keys_wipe(&live);
}

/* Reads the file and the live slots. */
static int
read_both(struct db *db, struct arena *a, const char *path, struct token_keys *keys,
    struct db_result *r, struct err *err)
{
	*keys = (struct token_keys) { .n = 0 };
	return path[0] != '\0' && token_keys_read(path, keys, err) == -1
	    ? -1 : db_exec(db, a, STMT_TOKEN_SLOT_LIVE, NULL, r, err);
}

int
token_slot_keys(struct db *db, struct arena *a, const char *path, struct token_keys *keys,
    struct err *err)
{
	const char *foreign = NULL;
	struct db_result r;
	int rc = read_both(db, a, path, keys, &r, err);

	if (rc == 0)
		foreign = find_foreign(a, &r, path, keys);
	if (foreign != NULL)
		rc = err_internal(err, 503, "%s", foreign);
	if (rc == 0)
		keep_live(&r, keys);
	else
		token_keys_wipe(keys);
	return rc;
}

/* The live slots whose key the file lacks, or (other) of which it has another key: "k1 k2". */
static const char *
find_slots(struct arena *a, const struct db_result *r, const struct token_keys *keys, bool other)
{
	enum { COLUMNS_TOKEN_SLOT_LIVE };
	const char *slots = "";

	for (int i = 0; i < r->rows; i++) {
		const char *slot = db_str(r, i, SLOT);
		const struct token_key *key = slot != NULL ? token_keys_find(keys, slice_str(slot)) : NULL;

		if (slot != NULL && (key != NULL) == other && (key == NULL || !is_live(r, key)))
			slots = arena_printf(a, "%s%s%s", slots, slots[0] != '\0' ? " " : "", slot);
	}
	return slots;
}

/* NULL, or which proofs nginx of this host does not know. */
static const char *
find_lacking(struct arena *a, const struct db_result *r, const char *path,
    const struct token_keys *keys)
{
	const char *missing = find_slots(a, r, keys, false), *other = find_slots(a, r, keys, true);
	const char *what = "";

	if (missing[0] != '\0')
		what = arena_printf(a, " lacks the keys of the slots %s", missing);
	if (other[0] != '\0')
		what = arena_printf(a, "%s%s has keys that differ from the database's for the slots %s", what,
		    missing[0] != '\0' ? " and" : "", other);
	if (what[0] == '\0')
		return NULL;
	return arena_printf(a, "token_key: %s%s: nginx here asks the pool for all tokens of these slots; "
	    "copy the file of a node that has their keys, and reload pool and nginx, or retire the slots",
	    path[0] != '\0' ? path : "no file is set, so this node", what);
}

int
token_slot_look(struct db *db, struct arena *a, const char *path, struct token_slot_view *view,
    struct err *err)
{
	enum { COLUMNS_TOKEN_SLOT_LIVE };
	struct token_keys keys;
	struct db_result r;
	int rc = read_both(db, a, path, &keys, &r, err);

	*view = (struct token_slot_view) { NULL, NULL, rc == 0 && !db_is_null(&r, 0, SLOT) };
	if (rc == 0)
		view->foreign = find_foreign(a, &r, path, &keys);
	if (rc == 0 && view->foreign == NULL)
		view->lacking = find_lacking(a, &r, path, &keys);
	token_keys_wipe(&keys);
	return rc;
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
	    : err_set(err, 409, "another `berth key add` has just taken the slot `%s`; run the command again",
	          key->slot);
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
	enum { COLUMNS_TOKEN_SLOT_LIST };
	struct db_result r;

	if (db_exec(db, a, STMT_TOKEN_SLOT_LIST, NULL, &r, err) == -1)
		return -1;
	*n = (size_t)r.rows;
	*out = arena_calloc(a, *n, sizeof(**out));
	for (int i = 0; i < r.rows; i++)
		(*out)[i] = (struct token_slot) { db_str(&r, i, SLOT), db_str(&r, i, FINGERPRINT),
			db_int(&r, i, CREATED_AT), db_int_or_0(&r, i, RETIRED_AT) };
	return 0;
}

const char *
token_slot_text(struct arena *a, const char *path)
{
	enum { DIGITS = 12, TEXT_MAX = TOKEN_KEYS_MAX * (TOKEN_SLOT_LENGTH + DIGITS + 2) };
	struct token_keys keys = { .n = 0 };
	char fingerprint[TOKEN_KEY_FINGERPRINT_SIZE];
	struct err err = { 0 };
	struct buf b;
	bool good = path[0] != '\0' && token_keys_read(path, &keys, &err) == 0;

	buf_init(&b, a, TEXT_MAX);
	for (size_t i = 0; good && i < keys.n; i++) {
		good = token_key_fingerprint(&keys.v[i], fingerprint);
		buf_printf(&b, "%s%s:%.*s", i > 0 ? " " : "", keys.v[i].slot, DIGITS, fingerprint);
	}
	token_keys_wipe(&keys);
	return good ? buf_str(&b) : NULL;
}
