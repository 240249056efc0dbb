#include "store/token/issuer.h"

#include <string.h>

#include "access/trust.h"
#include "base/url.h"

/* An address that we will go to, and that is compared with what tokens say. */
static int
check_url(const char *what, const char *url, struct err *err)
{
	size_t n = strlen(url);

	if (!url_is_https(slice_str(url)) || strpbrk(url, "?#@") != NULL)
		return err_set(err, 400, "the %s must be https://host[:port][/path]", what);
	if (n > ISSUER_URL_MAX)
		return err_set(err, 400, "the %s is longer than %d bytes", what, ISSUER_URL_MAX);
	for (const char *p = url; *p != '\0'; p++) {
		if (*p <= ' ' || *p > '~')
			return err_set(err, 400, "the %s must have only visible ASCII characters", what);
	}
	return 0;
}

static int
check_audience(const char *audience, struct err *err)
{
	if (strlen(audience) > ISSUER_URL_MAX)
		return err_set(err, 400, "the audience is longer than %d bytes", ISSUER_URL_MAX);
	for (const char *p = audience; *p != '\0'; p++) {
		if (*p <= ' ' || *p > '~')
			return err_set(
			    err, 400, "the audience must have only visible ASCII characters");
	}
	return 0;
}

static int
missing(const char *url, struct err *err)
{
	return err_set(err, 404, "there is no issuer `%s`: `berth issuer list` lists them, and `berth issuer add` "
	    "adds one", url);
}

int
issuer_add(struct db *db, struct arena *a, const struct audit_actor *actor, const struct issuer *i,
    int64_t *id, struct err *err)
{
	struct audit_event event = { .action = AUDIT_ISSUER_CREATE, .id_key = "issuer_id",
		.facts = { { "issuer", i->url, false }, { "kind", i->kind, false },
		    { "audience", i->audience[0] != '\0' ? i->audience : NULL, false },
		    { "jwks_url", i->jwks_url[0] != '\0' ? i->jwks_url : NULL, false } } };
	struct db_call call = { .stmt = STMT_ISSUER_ADD };

	if (check_url("issuer", i->url, err) == -1 || check_audience(i->audience, err) == -1 ||
	    (i->jwks_url[0] != '\0' && check_url("address of the keys", i->jwks_url, err) == -1))
		return -1;
	db_bind_str(&call.params, i->url);
	db_bind_str(&call.params, i->kind);
	db_bind_str(&call.params, i->audience);
	db_bind_str(&call.params, i->jwks_url);
	if (audit_change(db, a, actor, &call, &event, err) == -1)
		return -1;
	if (call.result.rows == 0)
		return err_set(err, 409, "issuer `%s` already exists", i->url);
	*id = event.id;
	return 0;
}

/* Changes the issuer of the first parameter. */
static int
change(struct db *db, struct arena *a, const struct audit_actor *actor, struct db_call *call,
    struct audit_event *event, int64_t *id, struct err *err)
{
	if (audit_change(db, a, actor, call, event, err) == -1)
		return -1;
	*id = event->id;
	return call->result.rows == 0 ? missing(event->facts[0].value, err) : 0;
}

int
issuer_remove(struct db *db, struct arena *a, const struct audit_actor *actor, const char *url,
    int64_t *id, int64_t *rules, struct err *err)
{
	enum { COLUMNS_ISSUER_REMOVE };
	struct audit_event event = { .action = AUDIT_ISSUER_REMOVE, .id_key = "issuer_id",
		.facts = { { "issuer", url, false } } };
	struct db_call call = { .stmt = STMT_ISSUER_REMOVE };

	db_bind_str(&call.params, url);
	if (change(db, a, actor, &call, &event, id, err) == -1)
		return -1;
	*rules = db_int(&call.result, 0, RULES);
	return 0;
}

int
issuer_set_enabled(struct db *db, struct arena *a, const struct audit_actor *actor,
    const char *url, bool enabled, int64_t *id, struct err *err)
{
	struct audit_event event = { .action = AUDIT_ISSUER_SET, .id_key = "issuer_id",
		.facts = { { "issuer", url, false },
		    { "enabled", enabled ? "true" : "false", true } } };
	struct db_call call = { .stmt = STMT_ISSUER_SET_ENABLED };

	db_bind_str(&call.params, url);
	db_bind_bool(&call.params, enabled);
	return change(db, a, actor, &call, &event, id, err);
}

int
issuer_list(struct db *db, struct arena *a, struct issuer **out, size_t *n, struct err *err)
{
	enum { COLUMNS_ISSUER_LIST };
	struct db_result r = { 0 };

	if (db_exec(db, a, STMT_ISSUER_LIST, NULL, &r, err) == -1)
		return -1;
	*n = (size_t)r.rows;
	*out = arena_calloc(a, *n, sizeof(**out));
	for (int i = 0; i < r.rows; i++)
		(*out)[i] = (struct issuer) {
			.id = db_int(&r, i, ID),
			.url = db_str(&r, i, URL),
			.kind = db_str(&r, i, KIND),
			.audience = db_str(&r, i, AUDIENCE),
			.jwks_url = db_str(&r, i, JWKS_URL),
			.enabled = db_bool(&r, i, ENABLED),
			.created_at = db_int(&r, i, CREATED_AT),
			.fetched_at = db_time(&r, i, FETCHED_AT),
			.failed_at = db_time(&r, i, FAILED_AT),
			.rules = db_int(&r, i, RULES),
		};
	return 0;
}

/* The kind of the issuer with that URL, enabled or not; NULL: there is none. */
static int
find_kind(struct db *db, struct arena *a, const char *url, const char **kind, struct err *err)
{
	enum { COLUMNS_ISSUER_KIND };
	struct db_params p = { 0 };
	struct db_result r = { 0 };

	*kind = NULL;
	/* an index cannot hold a longer one */
	if (strlen(url) > ISSUER_URL_MAX)
		return 0;
	db_bind_str(&p, url);
	if (db_exec(db, a, STMT_ISSUER_KIND, &p, &r, err) == -1)
		return -1;
	if (r.rows > 0)
		*kind = db_str(&r, 0, KIND);
	return 0;
}

int
issuer_check_patterns(struct db *db, struct arena *a, const char *url, struct json_object *patterns,
    struct err *err)
{
	const char *word;
	enum trust_kind kind;

	if (find_kind(db, a, url, &word, err) == -1)
		return -1;
	if (word == NULL)
		return missing(url, err);
	return trust_kind_parse(word, &kind, err) == -1 ? -1 : trust_check_patterns(kind, patterns, err);
}

const char *
issuer_url_other(struct arena *a, const char *url)
{
	size_t n = strlen(url);

	return n > 0 && url[n - 1] == '/' ? arena_strndup(a, url, n - 1) : arena_printf(a, "%s/", url);
}

int
issuer_find_other(struct db *db, struct arena *a, const char *url, const char **other, struct err *err)
{
	const char *kind;

	*other = issuer_url_other(a, url);
	if (find_kind(db, a, *other, &kind, err) == -1)
		return -1;
	if (kind == NULL)
		*other = NULL;
	return 0;
}

int
issuer_find(struct db *db, struct arena *a, const char *url, struct issuer_keys *out,
    struct err *err)
{
	enum { COLUMNS_ISSUER_FIND };
	struct db_params p = { 0 };
	struct db_result r = { 0 };

	*out = (struct issuer_keys) { .found = false };
	/* longer than any, and than what an index can hold */
	if (strlen(url) > ISSUER_URL_MAX)
		return 0;
	db_bind_str(&p, url);
	if (db_exec(db, a, STMT_ISSUER_FIND, &p, &r, err) == -1)
		return -1;
	if (r.rows == 0)
		return 0;
	*out = (struct issuer_keys) {
		.found = true,
		.issuer = {
			.id = db_int(&r, 0, ID),
			.url = db_str(&r, 0, URL),
			.kind = db_str(&r, 0, KIND),
			.audience = db_str(&r, 0, AUDIENCE),
			.jwks_url = db_str(&r, 0, JWKS_URL),
			.enabled = true,
		},
		.jwks = db_str(&r, 0, JWKS),
		.age = db_int_or_0(&r, 0, AGE),
		.read_for_ms = db_is_null(&r, 0, READ_FOR_MS) ? -1 : db_int(&r, 0, READ_FOR_MS),
	};
	return 0;
}

int
issuer_claim(struct db *db, struct arena *a, int64_t id, int period_s, bool *mine,
    struct err *err)
{
	struct db_params p = { 0 };
	struct db_result r = { 0 };

	db_bind_int(&p, id);
	db_bind_int(&p, period_s);
	if (db_exec(db, a, STMT_ISSUER_CLAIM, &p, &r, err) == -1)
		return -1;
	*mine = r.rows == 1;
	return 0;
}

int
issuer_set_keys(struct db *db, struct arena *a, int64_t id, const char *jwks, struct err *err)
{
	struct db_params p = { 0 };

	db_bind_int(&p, id);
	if (jwks == NULL)
		return db_exec(db, a, STMT_ISSUER_SET_FAILED, &p, NULL, err);
	db_bind_str(&p, jwks);
	return db_exec(db, a, STMT_ISSUER_SET_KEYS, &p, NULL, err);
}
