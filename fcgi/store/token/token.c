#include "store/token/token.h"

#include <string.h>

#include "access/naming.h"
#include "store/user.h"

/* The words of a list with commas. */
static const char **
split(struct arena *a, const char *list, size_t *n)
{
	const char **words = arena_calloc(a, strlen(list) + 1, sizeof(*words));

	for (*n = 0; *list != '\0'; (*n)++) {
		size_t len = strcspn(list, ",");

		words[*n] = arena_strndup(a, list, len);
		list += len + (list[len] == ',');
	}
	return words;
}

/* A list as text[]; NULL: null. */
static void
bind_list(struct db_params *p, struct arena *a, const char *list)
{
	size_t n;

	if (list == NULL) {
		db_bind_null(p);
	} else {
		const char **words = split(a, list, &n);

		db_bind_array(p, a, words, n);
	}
}

static struct audit_fact
fact_list(struct arena *a, const char *key, const char *list)
{
	const char **words;
	size_t n;

	if (list == NULL)
		return (struct audit_fact) { key, NULL, false };
	words = split(a, list, &n);
	return audit_fact_words(a, key, words, n);
}

static struct audit_fact
fact_time(struct arena *a, const char *key, int64_t seconds)
{
	return seconds != 0 ? audit_fact_time(a, key, seconds) :
			      (struct audit_fact) { key, NULL, false };
}

int
token_add_personal(struct db *db, struct arena *a, const struct audit_actor *actor,
    const struct token_new *t, int64_t *id, struct err *err)
{
	struct audit_event event = { .action = AUDIT_TOKEN_CREATE, .id_key = "token_id",
		.facts = { { "kind", "personal", false }, { "user", t->username, false },
		    fact_list(a, "scopes", t->scopes), fact_list(a, "crates", t->crates),
		    fact_list(a, "operations", t->operations), { "name", t->name, false },
		    fact_time(a, "expires_at", t->expires_at) } };
	struct db_call call = { .stmt = STMT_TOKEN_ADD_PERSONAL };
	struct db_params *p = &call.params;

	if (naming_check_username(t->username, err) == -1 ||
	    naming_check_text("name", t->name, err) == -1)
		return -1;
	db_bind_str(p, t->username);
	db_bind_bytes(p, t->digest);
	db_bind_str(p, t->name);
	bind_list(p, a, t->scopes);
	db_bind_time(p, t->expires_at);
	bind_list(p, a, t->crates);
	bind_list(p, a, t->operations);
	db_bind_str(p, t->handle);
	if (audit_change(db, a, actor, &call, &event, err) == -1)
		return -1;
	if (call.result.rows == 0)
		return err_set(err, 404, "user `%s` does not exist", t->username);
	*id = event.id;
	return 0;
}

int
token_add_deploy(struct db *db, struct arena *a, const struct audit_actor *actor,
    const struct token_new *t, int64_t *id, struct err *err)
{
	struct audit_event event = { .action = AUDIT_TOKEN_CREATE, .id_key = "token_id",
		.facts = { { "kind", "deploy", false }, { "namespace", t->namespace, false },
		    fact_list(a, "scopes", t->scopes), { "name", t->name, false },
		    fact_time(a, "expires_at", t->expires_at) } };
	struct db_call call = { .stmt = STMT_TOKEN_ADD_DEPLOY };
	struct db_params *p = &call.params;

	if (naming_check_path("path", t->namespace, err) == -1 ||
	    naming_check_text("name", t->name, err) == -1)
		return -1;
	db_bind_str(p, t->namespace);
	db_bind_bytes(p, t->digest);
	db_bind_str(p, t->name);
	bind_list(p, a, t->scopes);
	db_bind_time(p, t->expires_at);
	db_bind_str(p, t->login);
	db_bind_str(p, t->handle);
	if (audit_change(db, a, actor, &call, &event, err) == -1)
		return -1;
	if (call.result.rows == 0)
		return err_set(err, 404, "no group or project `%s` exists", t->namespace);
	*id = event.id;
	return 0;
}

void
token_bind_job(struct db_params *p, const struct token_new *t, int64_t ttl)
{
	db_bind_bytes(p, t->digest);
	db_bind_str(p, t->name);
	db_bind_int(p, ttl);
	db_bind_int(p, t->job.pipeline);
	db_bind_int(p, t->job.job);
	db_bind_str(p, t->job.job_url);
	db_bind_str(p, t->job.ref);
	db_bind_str(p, t->job.commit);
	db_bind_str(p, t->handle);
}

int
token_check_job(const struct token_new *t, struct err *err)
{
	const struct {
		const char *what, *text;
	} texts[] = { { "name", t->name }, { "ref", t->job.ref }, { "commit", t->job.commit } };

	if (t->job.job_url != NULL && naming_check_url("job_url", t->job.job_url, err) == -1)
		return -1;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		if (texts[i].text != NULL &&
		    naming_check_text(texts[i].what, texts[i].text, err) == -1)
			return -1;
	}
	return 0;
}

/* Which of the two is it that is not there? */
static int
missing(struct db *db, struct arena *a, const struct token_new *t, struct err *err)
{
	int64_t user;

	if (user_find(db, a, t->username, &user, err) == -1)
		return -1;
	return err_set(err, 404, "project `%s` does not exist", t->namespace);
}

int
token_add_job(struct db *db, struct arena *a, const struct audit_actor *actor,
    const struct token_new *t, int64_t ttl, int64_t *id, int64_t *expires_at, struct err *err)
{
	enum { COLUMNS_TOKEN_ADD_JOB };
	struct audit_event event = { .action = AUDIT_TOKEN_CREATE, .id_key = "token_id",
		.facts = { { "kind", "job", false }, { "user", t->username, false },
		    { "namespace", t->namespace, false }, audit_fact_int(a, "pipeline", t->job.pipeline),
		    audit_fact_int(a, "job", t->job.job), { "job_url", t->job.job_url, false },
		    { "ref", t->job.ref, false }, { "commit", t->job.commit, false },
		    { "name", t->name, false }, audit_fact_int(a, "ttl", ttl) } };
	struct db_call call = { .stmt = STMT_TOKEN_ADD_JOB };
	struct db_params *p = &call.params;

	if (naming_check_username(t->username, err) == -1 ||
	    naming_check_path("project path", t->namespace, err) == -1 || token_check_job(t, err) == -1)
		return -1;
	db_bind_str(p, t->username);
	db_bind_str(p, t->namespace);
	token_bind_job(p, t, ttl);
	if (audit_change(db, a, actor, &call, &event, err) == -1)
		return -1;
	if (call.result.rows == 0)
		return missing(db, a, t, err);
	*id = event.id;
	*expires_at = db_int(&call.result, 0, EXPIRES_AT);
	return 0;
}

int
token_revoke(struct db *db, struct arena *a, const struct audit_actor *actor, int64_t id,
    struct slice digest, int64_t *found, struct err *err)
{
	struct audit_event event = { .action = AUDIT_TOKEN_REVOKE, .id_key = "token_id", .id = id };
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
token_sweep(struct db *db, struct arena *a, int64_t ended_for, int64_t *after, int64_t *n,
    struct err *err)
{
	enum { COLUMNS_TOKEN_SWEEP };
	enum { PAGE = 1000 };
	struct db_params p = { .n = 0 };
	struct db_result r;

	db_bind_int(&p, *after);
	db_bind_int(&p, PAGE);
	db_bind_int(&p, ended_for);
	if (db_exec(db, a, STMT_TOKEN_SWEEP, &p, &r, err) == -1)
		return -1;
	*after = db_int_or_0(&r, 0, LAST);
	*n = db_int(&r, 0, REMOVED);
	return 0;
}

int
token_list(struct db *db, struct arena *a, int64_t user_id, struct err *err)
{
	struct db_params p = { 0 };

	db_bind_id(&p, user_id);
	return db_list(db, a, STMT_TOKEN_LIST, &p, err);
}

int
token_list_next(struct db *db, struct arena *a, struct token_entry **out, size_t *n, struct err *err)
{
	enum { COLUMNS_TOKEN_LIST };
	struct db_result r;

	if (db_list_next(db, a, &r, err) == -1)
		return -1;
	*n = (size_t)r.rows;
	*out = arena_calloc(a, *n, sizeof(**out));
	for (int i = 0; i < r.rows; i++)
		(*out)[i] = (struct token_entry) {
			.id = db_int(&r, i, ID),
			.kind = db_str(&r, i, KIND),
			.username = db_str(&r, i, USERNAME),
			.name = db_str(&r, i, NAME),
			.scopes = db_str(&r, i, SCOPES),
			.created_at = db_int(&r, i, CREATED_AT),
			.expires_at = db_time(&r, i, EXPIRES_AT),
			.revoked_at = db_time(&r, i, REVOKED_AT),
			.last_used_at = db_time(&r, i, LAST_USED_AT),
			.namespace = db_str(&r, i, NAMESPACE),
			.crates = db_str(&r, i, CRATES),
			.operations = db_str(&r, i, OPERATIONS),
			.job.pipeline = db_int_or_0(&r, i, PIPELINE),
			.job.job = db_int_or_0(&r, i, JOB),
			.job.job_url = db_str(&r, i, JOB_URL),
			.job.ref = db_str(&r, i, REF),
			.job.commit = db_str(&r, i, COMMIT),
			.slot = db_str(&r, i, SLOT),
		};
	return 0;
}
