#include "cache/cache_decide.h"

#include <stdio.h>
#include <string.h>

#include "access/access.h"
#include "base/clock.h"
#include "base/log.h"
#include "store/token/access_facts.h"
#include "store/token/token_slot.h"

enum { REFUSED_US = 2 * CLOCK_SECOND };

static void
log_lacking(struct cache_decider *c, struct db *db, struct arena *a, const char *path)
{
	struct token_slot_view view;
	struct err err = { 0 };

	if (c->logged || token_slot_look(db, a, path, &view, &err) == -1)
		return;
	c->logged = true;
	if (view.lacking != NULL)
		log_warn("%s", view.lacking);
}

int
cache_decide_read_keys(struct cache_decider *c, struct db *db, struct arena *a, const char *path,
    struct cache_warning *warned, struct err *err)
{
	if (token_slot_keys(db, a, path, &c->keys, err) == -1) {
		if (err->status != 500)
			return -1;
		cache_warn(warned, err);
		err_clear(err);
		if (token_slot_keys(db, a, "", &c->keys, err) == -1)
			return -1;
	}
	log_lacking(c, db, a, path);
	return 0;
}

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
	for (size_t i = 0; i < TOKEN__MAX; i++) {
		if (strcmp(token_kind, token_kind_names[i]) == 0)
			return (enum grant_kind)(GRANT_TOKEN + i);
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
	call->stmt = h->file.namespace > 0 ? STMT_CACHE_DECIDE : STMT_CACHE_DECIDE_VIEW;
	if (!cache_who_is_token(&h->who))
		db_bind_null(&call->params);
	else
		db_bind_bytes(&call->params, slice_of((const char *)h->digest, TOKEN_DIGEST_SIZE));
	db_bind_int(&call->params, h->file.namespace > 0 ? h->file.namespace : -h->file.namespace);
	bind_keys(&call->params, a, keys);
	if (h->file.namespace < 0)
		db_bind_int(&call->params, CACHE_VIEW_PROJECTS_MAX);
}

/* May the holder read the files of the project of that row? */
static bool
may_read(const struct db_call *call, int row, const struct cache_who *who, struct access_facts *facts)
{
	bool token = cache_who_is_token(who);
	struct err why = { 0 };

	access_facts_read_row(call, row, NAMESPACE_PROJECT, facts);
	access_facts_switch(facts, FLAG_CARGO);
	if (cache_who_address(who) != NULL)
		access_facts_locate(facts, cache_who_address(who));
	return access_decide(facts, token ? CREDENTIAL_TOKEN : CREDENTIAL_NONE, ACTION_READ_FILES, &why) == 0;
}

/*
 * The statement has one row for a project.  For a group it has one for each project, and the holder must be
 * allowed to read all of them; it has none if the group has too many.
 */
static void
decide_read(const struct db_call *call, const struct cache_hint *h, struct cache_decision *d)
{
	struct access_facts facts;
	int row = 0;

	while (row < call->result.rows && may_read(call, row, &h->who, &facts))
		row++;
	d->allowed = row > 0 && row == call->result.rows && read_who(&call->result, &facts, &h->who, d);
}

static bool
is_refused(const struct cache_decider *c, const struct cache_hint *h, int64_t now_us)
{
	for (size_t i = 0; h->file.namespace < 0 && i < CACHE_REFUSED_MAX; i++) {
		const struct cache_refusal *r = &c->refused[i];

		if (r->namespace == h->file.namespace && r->until_us > now_us && strcmp(r->who.name, h->who.name) == 0)
			return true;
	}
	return false;
}

static void
remember_refusal(struct cache_decider *c, const struct cache_hint *h, int64_t now_us)
{
	if (h->file.namespace > 0 || is_refused(c, h, now_us))
		return;
	c->refused[c->next] = (struct cache_refusal) { h->who, h->file.namespace, now_us + REFUSED_US };
	c->next = (c->next + 1) % CACHE_REFUSED_MAX;
}

int
cache_decide(struct cache_decider *c, struct db *db, struct arena *a, const struct cache_hint *hints,
    size_t n, struct cache_decision *d, struct err *err)
{
	struct db_call *calls = arena_calloc(a, n, sizeof(*calls));
	struct db_call **asked = arena_calloc(a, n, sizeof(struct db_call *));
	int64_t now_us = clock_us();
	size_t ncalls = 0;

	for (size_t i = 0; i < n; i++) {
		d[i] = (struct cache_decision) { .allowed = false };
		if (is_refused(c, &hints[i], now_us))
			continue;
		asked[i] = &calls[ncalls++];
		decide_call(asked[i], a, &c->keys, &hints[i]);
	}
	if (ncalls > 0 && db_run(db, a, calls, ncalls, err) == -1)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (asked[i] != NULL)
			decide_read(asked[i], &hints[i], &d[i]);
		if (!d[i].allowed)
			remember_refusal(c, &hints[i], now_us);
	}
	return 0;
}
