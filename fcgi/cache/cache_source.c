#include "cache/cache_source.h"

#include <stdio.h>
#include <string.h>

#include "access/access.h"
#include "crate/registry_config.h"
#include "store/token/access_facts.h"

/* "SLOT FINGERPRINT" of each key, as the statement compares them. */
static void
bind_keys(struct db_params *p, struct arena *a, const struct token_keys *keys)
{
	const char **words = arena_calloc(a, keys->n + 1, sizeof(*words));
	char fingerprint[TOKEN_KEY_FINGERPRINT_SIZE];
	size_t n = 0;

	for (size_t i = 0; i < keys->n; i++) {
		if (token_key_fingerprint(&keys->v[i], fingerprint))
			words[n++] = arena_printf(a, "%s %s", keys->v[i].slot, fingerprint);
	}
	db_bind_array(p, a, words, n);
}

/* The kinds of tokens, as the database names them. */
static enum grant_kind
kind_of(const char *token_kind)
{
	static const enum grant_kind kinds[TOKEN__MAX] = { [TOKEN_PERSONAL] = GRANT_PERSONAL,
		[TOKEN_DEPLOY] = GRANT_DEPLOY, [TOKEN_JOB] = GRANT_JOB };

	for (size_t i = 0; i < TOKEN__MAX; i++) {
		if (strcmp(token_kind, token_kind_names[i]) == 0)
			return kinds[i];
	}
	return GRANT_ANYONE;
}

/* Finds the holder, and for how long.  False: nginx cannot check the token. */
static bool
read_who(const struct db_result *r, const struct access_facts *facts, const struct cache_who *asked,
    struct cache_decision *d)
{
	enum { COLUMNS_CACHE_DECIDE };

	if (r->rows == 0)
		return false;
	snprintf(d->epoch, sizeof(d->epoch), "%s", db_str(r, 0, EPOCH));
	d->lasts_ms = -1;
	if (!cache_who_is_token(asked)) {
		d->kind = cache_who_is_anyone(asked) ? GRANT_ANYONE : GRANT_NETWORK;
		d->who = *asked;
		return true;
	}
	if (db_is_null(r, 0, HANDLE))
		return false;
	snprintf(d->who.name, sizeof(d->who.name), "%s", db_str(r, 0, HANDLE));
	d->kind = kind_of(facts->token_kind);
	if (!db_is_null(r, 0, LASTS_MS))
		d->lasts_ms = db_int(r, 0, LASTS_MS);
	return cache_who_valid(d->who.name) && d->kind != GRANT_ANYONE;
}

static void
decide_call(struct db_call *call, struct arena *a, const struct token_keys *keys,
    const struct cache_hint *h)
{
	call->stmt = STMT_CACHE_DECIDE;
	if (!cache_who_is_token(&h->who))
		db_bind_null(&call->params);
	else
		db_bind_bytes(&call->params, slice_of((const char *)h->digest, TOKEN_DIGEST_SIZE));
	db_bind_int(&call->params, h->file.project_id);
	bind_keys(&call->params, a, keys);
}

static void
decide_read(const struct db_call *call, const struct cache_hint *h, struct cache_decision *d)
{
	bool token = cache_who_is_token(&h->who);
	struct access_facts facts;
	struct err why = { 0 };

	*d = (struct cache_decision) { .allowed = false };
	access_facts_read(call, NAMESPACE_PROJECT, &facts);
	access_facts_switch(&facts, FLAG_CARGO);
	if (cache_who_address(&h->who) != NULL)
		access_facts_locate(&facts, cache_who_address(&h->who));
	d->allowed = read_who(&call->result, &facts, &h->who, d) &&
	    access_decide(&facts, token ? CREDENTIAL_TOKEN : CREDENTIAL_NONE, ACTION_READ_FILES,
	        &why) == 0;
}

int
cache_source_decide(struct db *db, struct arena *a, const struct token_keys *keys,
    const struct cache_hint *hints, size_t n, struct cache_decision *d, struct err *err)
{
	struct db_call *calls = arena_calloc(a, n, sizeof(*calls));

	for (size_t i = 0; i < n; i++)
		decide_call(&calls[i], a, keys, &hints[i]);
	if (db_run(db, a, calls, n, err) == -1)
		return -1;
	for (size_t i = 0; i < n; i++)
		decide_read(&calls[i], &hints[i], &d[i]);
	return 0;
}

int
cache_source_read(struct db *db, struct arena *a, const char *external_url,
    const struct cache_file *f, int64_t max, struct cache_content *c, struct err *err)
{
	enum { COLUMNS_CACHE_CONFIG };
	enum { COLUMNS_CACHE_INDEX };
	enum { COLUMNS_CACHE_VERSION };
	bool config = f->name[0] == '\0', crate = f->version[0] != '\0';
	struct db_params p = { .n = 0 };
	struct db_result r;

	*c = (struct cache_content) { .found = false };
	db_bind_int(&p, f->project_id);
	if (!config) {
		db_bind_str(&p, crate_name_normalize(a, slice_str(f->name)));
		/* cargo asks for an index file in lower case, and for a crate by its exact name */
		db_bind_str(&p, crate ? f->name : crate_name_lower(a, slice_str(f->name)));
	}
	if (crate)
		db_bind_str(&p, f->version);
	else if (!config)
		db_bind_int(&p, max);
	if (db_exec(db, a, config ? STMT_CACHE_CONFIG : crate ? STMT_CACHE_VERSION : STMT_CACHE_INDEX,
	        &p, &r, err) == -1)
		return -1;
	c->absent = r.rows == 0 && !config && !crate;
	c->found = r.rows == 1 && (config || crate || !db_is_null(&r, 0, INDEX_BODY));
	if (!c->found)
		return 0;
	if (crate) {
		c->cksum = db_str(&r, 0, CKSUM);
	} else if (config) {
		c->bytes = registry_config(a, external_url, f->project_id, !db_bool(&r, 0, IS_PUBLIC));
		c->time = registry_config_time(c->bytes);
	} else {
		c->bytes = db_slice(&r, 0, INDEX_BODY);
		c->time = db_int(&r, 0, INDEX_TIME);
	}
	return 0;
}
