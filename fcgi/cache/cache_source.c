#include "cache/cache_source.h"

#include <stdio.h>
#include <string.h>

#include "access/access.h"
#include "crate/registry_config.h"
#include "store/package/view.h"
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
	call->stmt = h->file.namespace > 0 ? STMT_CACHE_DECIDE : STMT_CACHE_DECIDE_VIEW;
	if (!cache_who_is_token(&h->who))
		db_bind_null(&call->params);
	else
		db_bind_bytes(&call->params, slice_of((const char *)h->digest, TOKEN_DIGEST_SIZE));
	db_bind_int(&call->params, h->file.namespace > 0 ? h->file.namespace : -h->file.namespace);
	bind_keys(&call->params, a, keys);
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
 * allowed to read all of them.
 */
static void
decide_read(const struct db_call *call, const struct cache_hint *h, struct cache_decision *d)
{
	struct access_facts facts;
	int row = 0;

	*d = (struct cache_decision) { .allowed = false };
	while (row < call->result.rows && row < CACHE_VIEW_PROJECTS_MAX && may_read(call, row, &h->who, &facts))
		row++;
	d->allowed = row > 0 && row == call->result.rows && read_who(&call->result, &facts, &h->who, d);
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

/* The statement that reads each file. */
enum { OF_PROJECT, OF_GROUP, NOWNERS };
enum { FILE_CONFIG, FILE_INDEX, FILE_CRATE, NFILES };
static const enum stmt statements[NOWNERS][NFILES] = {
	[OF_PROJECT] = { STMT_CACHE_CONFIG, STMT_CACHE_INDEX, STMT_CACHE_VERSION },
	[OF_GROUP] = { STMT_VIEW_CONFIG, STMT_VIEW_INDEX, STMT_VIEW_VERSION },
};

static int
file_kind(const struct cache_file *f)
{
	return f->name[0] == '\0' ? FILE_CONFIG : f->version[0] == '\0' ? FILE_INDEX : FILE_CRATE;
}

static void
bind_file(struct db_params *p, struct arena *a, const struct cache_file *f, int64_t max)
{
	int kind = file_kind(f);

	db_bind_int(p, f->namespace > 0 ? f->namespace : -f->namespace);
	if (kind == FILE_CONFIG)
		return;
	db_bind_str(p, crate_name_normalize(a, slice_str(f->name)));
	/* cargo asks for an index file in lower case, and for a crate by its exact name */
	db_bind_str(p, kind == FILE_CRATE ? f->name : crate_name_lower(a, slice_str(f->name)));
	if (kind == FILE_CRATE)
		db_bind_str(p, f->version);
	else
		db_bind_int(p, max);
}

static void
read_config(const struct db_result *r, struct arena *a, const char *external_url, const struct cache_file *f,
    struct cache_content *c)
{
	enum { COLUMNS_VIEW_CONFIG }; /* cache_config has the same */
	const char *root = f->namespace > 0 ? registry_url(a, external_url, f->namespace)
	    : registry_group_url(a, external_url, -f->namespace);

	c->bytes = registry_config(a, root, !db_bool(r, 0, IS_PUBLIC));
	c->time = registry_config_time(c->bytes);
}

/* It may use several statements: a later change arrives as a notification. */
static int
read_index(struct db *db, const struct db_result *r, struct arena *a, const char *external_url,
    const struct cache_file *f, struct cache_content *c, struct err *err)
{
	enum { COLUMNS_VIEW_INDEX }; /* cache_index has the same, but for the project */
	struct view_file file = { db_slice(r, 0, INDEX_BODY), db_int(r, 0, INDEX_TIME) };
	struct view_basis basis;

	if (f->namespace < 0 && view_file_of(db, a, external_url, -f->namespace, db_int(r, 0, PROJECT_ID), &file,
	        &basis, err) == -1) {
		/* the file itself is the cause: the pool answers, and reports it */
		c->found = false;
		if (err->status != 500)
			return -1;
		err_clear(err);
		return 0;
	}
	c->bytes = file.body;
	c->time = file.time;
	return 0;
}

int
cache_source_read(struct db *db, struct arena *a, const char *external_url,
    const struct cache_file *f, int64_t max, struct cache_content *c, struct err *err)
{
	enum { COLUMNS_VIEW_INDEX };
	enum { COLUMNS_CACHE_VERSION }; /* view_version has the same */
	int kind = file_kind(f);
	struct db_params p = { .n = 0 };
	struct db_result r;

	*c = (struct cache_content) { .found = false };
	bind_file(&p, a, f, max);
	if (db_exec(db, a, statements[f->namespace > 0 ? OF_PROJECT : OF_GROUP][kind], &p, &r, err) == -1)
		return -1;
	c->absent = r.rows == 0 && kind == FILE_INDEX;
	c->found = r.rows == 1 && (kind != FILE_INDEX || !db_is_null(&r, 0, INDEX_BODY));
	if (!c->found)
		return 0;
	if (kind == FILE_INDEX)
		return read_index(db, &r, a, external_url, f, c, err);
	if (kind == FILE_CRATE)
		c->cksum = db_str(&r, 0, CKSUM);
	else
		read_config(&r, a, external_url, f, c);
	return 0;
}
