#include "auth/id_token_login.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "access/token.h"
#include "auth/issuer_keys.h"
#include "auth/rate_limit.h"
#include "base/buf.h"
#include "base/json.h"
#include "store/token/ci_token.h"
#include "store/token/trust_rule.h"

enum { SHOWN_MAX = 160 }; /* bytes of an issuer in a message */

int
id_token_login_read(struct worker_app *app, struct request *rq, struct slice text,
    struct id_token_login *login)
{
	const char *issuer;

	*login = (struct id_token_login) { .audience = app->settings->external_url };
	if (jwt_decode(rq->arena, text, &login->jwt, &rq->err) == -1)
		return -1;
	issuer = id_token_issuer(&login->jwt);
	if (issuer == NULL)
		return err_set(&rq->err, 400, "the token's payload: missing field `iss`");
	if (issuer_find(app->db, rq->arena, issuer, &login->issuer, &rq->err) == -1)
		return -1;
	if (login->issuer.found && login->issuer.issuer.audience[0] != '\0')
		login->audience = login->issuer.issuer.audience;
	return 0;
}

/* Sets the error; names a slash at the end, which is the usual mistake, if it is the only difference. */
static int
refuse_issuer(struct worker_app *app, struct request *rq, const char *issuer)
{
	const char *other = issuer_url_other(rq->arena, issuer);
	bool slash = strlen(issuer) > strlen(other);
	struct issuer_keys near;

	if (issuer_find(app->db, rq->arena, other, &near, &rq->err) == -1)
		return -1;
	if (!near.found)
		return err_set(&rq->err, 400,
		    "the token's issuer, `%.*s`, is not trusted here; an administrator can add it (berth issuer add)",
		    SHOWN_MAX, issuer);
	return err_set(&rq->err, 400,
	    "the token's issuer is `%.*s`, but the trusted issuer is `%.*s`, %s the slash at the end; add the "
	    "issuer exactly as the token has it",
	    SHOWN_MAX, issuer, SHOWN_MAX, other, slash ? "without" : "with");
}

/*
 * The project's registry in the spelling of the request, without the scheme; NULL: no project, or one that
 * the caller has not named: an error about it would say which project of a group has a name.
 */
static const char *
registry_of(const struct worker_app *app, const struct request *rq, const struct namespace_ref *project)
{
	struct arena *a = rq->arena;
	const char *host = strstr(app->settings->external_url, "://") + strlen("://");
	struct buf b;

	if (call_is_view(rq))
		return NULL;
	if (project->id != 0)
		return arena_printf(a, "%s/api/v4/projects/%" PRId64 "/packages/cargo", host,
		    project->id);
	if (project->path.n == 0)
		return NULL;
	buf_init(&b, a, ISSUER_URL_MAX + 3 * project->path.n);
	for (size_t i = 0; i < project->path.n; i++) {
		if (project->path.p[i] == '/')
			buf_puts(&b, "%2F");
		else
			buf_putc(&b, project->path.p[i]);
	}
	return arena_printf(a, "%s/api/v4/projects/%s/packages/cargo", host, buf_str(&b));
}

/* The claims first: what is not for us, or over, is worth no key. */
static int
prove(struct worker_app *app, struct request *rq, struct id_token_login *login,
    const struct namespace_ref *project, struct id_token *token)
{
	const struct id_token_expected expected = {
		.issuer = login->issuer.issuer.url,
		.audience = login->audience,
		.registry = registry_of(app, rq, project),
		.now = time(NULL),
	};
	const struct jwk *key;

	if (!login->issuer.found)
		return refuse_issuer(app, rq, id_token_issuer(&login->jwt));
	if (id_token_check(&login->jwt, &expected, token, &rq->err) == -1 ||
	    issuer_keys_find(app, rq, &login->issuer, &login->jwt, &key) == -1)
		return -1;
	return jwt_verify(&login->jwt, key, &rq->err);
}

/* Where trusted publishing is switched off there are no rules. */
static int
is_switched_on(struct worker_app *app, struct request *rq, int64_t project_id, bool *on)
{
	const struct namespace_ref project = { .id = project_id };
	struct access_facts facts;
	struct db_call call = { .stmt = STMT__MAX };

	access_facts_call(&call, rq->arena, NAMESPACE_PROJECT, NULL, &project);
	if (db_run(app->db, rq->arena, &call, 1, &rq->err) == -1)
		return -1;
	access_facts_read(&call, NAMESPACE_PROJECT, &facts);
	access_facts_switch(&facts, FLAG_TRUSTED_PUBLISHING);
	*on = !facts.switched_off;
	return 0;
}

/* Does the rule fit the job?  For TRUST_UNMET, `unmet` says what it demands.  -1: 500. */
static int
judge(struct request *rq, const struct id_token_login *login, enum trust_kind kind,
    const struct trust_rule *rule, enum trust_verdict *verdict, struct err *unmet)
{
	struct json_object *patterns;

	if (json_parse(rq->arena, slice_str(rule->claims), "a trust rule", &patterns, &rq->err) == -1)
		return -1;
	*verdict = trust_match(rq->arena, kind, patterns, rule->owner_id, login->jwt.claims, unmet);
	return 0;
}

/*
 * Finds the first rule that fits the job.  For the registry of a group, it looks in all projects below the
 * group, whatever crate the request names.  If no rule fits, the error says what a rule for this repository
 * demands in addition or, if there is none, which repository and owner the token names; it says nothing about
 * rules for other repositories, or whether the project exists.
 */
static int
match(struct worker_app *app, struct request *rq, const struct id_token_login *login,
    enum trust_kind kind, enum namespace_kind place, const struct namespace_ref *namespace,
    const struct trust_rule **found)
{
	const char *where = place == NAMESPACE_GROUP ? "a project of this group" : "this project";
	bool on = false;
	struct trust_rule *rules;
	struct err why = { 0 };
	int64_t asked = 0;
	size_t n;

	*found = NULL;
	if (trust_rule_of_issuer(app->db, rq->arena, place, namespace, login->issuer.issuer.id, &rules, &n,
	        &rq->err) == -1)
		return -1;
	for (size_t i = 0; i < n && *found == NULL; i++) {
		struct err unmet = { 0 };
		enum trust_verdict verdict;

		if (judge(rq, login, kind, &rules[i], &verdict, &unmet) == -1)
			return -1;
		/* the database is asked only about projects with a rule for this repository, not about thousands */
		if (verdict == TRUST_OTHER)
			continue;
		if (rules[i].project_id != asked && is_switched_on(app, rq, rules[i].project_id, &on) == -1)
			return -1;
		asked = rules[i].project_id;
		if (on && verdict == TRUST_MATCHES)
			*found = &rules[i];
		else if (on)
			why = unmet;
	}
	if (*found != NULL)
		return 0;
	if (why.status != 0)
		return err_set(&rq->err, 403, "no trust rule of %s lets this job in: %s", where, why.pub);
	err_set(&rq->err, 403, "no trust rule of %s lets this job in: none is for a token of `%.*s` with %s", where,
	    SHOWN_MAX, login->issuer.issuer.url, trust_name_repository(rq->arena, kind, login->jwt.claims));
	/* the log tells the administrator, too, who has to add the rule */
	return err_context(&rq->err, "%s", rq->err.pub);
}

static int
admit(struct call *call, struct request *rq, const struct id_token_login *login,
    enum trust_kind kind, const struct id_token *token, const struct trust_rule *rule,
    struct id_token_pass *pass)
{
	const struct audit_actor actor = call_actor(call, rq);
	struct ci_token_admission admission = {
		.rule_id = rule->id,
		.id_digest = slice_of((const char *)token->digest, sizeof(token->digest)),
		.id_ends_at = token->expires_at + ID_TOKEN_LEEWAY_S,
		.exchanged = pass->exchanged,
		.digest = slice_of((const char *)pass->digest, TOKEN_DIGEST_SIZE),
		.first_digest = slice_of((const char *)(pass->first_digest != NULL ? pass->first_digest : pass->digest),
		    TOKEN_DIGEST_SIZE),
		.handle = pass->handle,
	};
	struct trust_job job;

	trust_describe(rq->arena, kind, login->issuer.issuer.url, login->jwt.claims, &job);
	/* a rule keeps the owner of the repository whose job uses it first */
	admission.owner_id = rule->owner_id == NULL ? job.owner_id : NULL;
	admission.repository = job.repository;
	admission.claims = job.claims;
	admission.job = (struct token_job) { .pipeline = job.pipeline, .job = job.job,
		.job_url = job.job_url, .ref = job.ref, .commit = job.commit };
	pass->expires_at = pass->ttl != 0 ? time(NULL) + pass->ttl : admission.id_ends_at;
	admission.expires_at = pass->expires_at;
	return ci_token_admit(call->app->db, rq->arena, &actor, &admission, &rq->err);
}

int
id_token_login_admit(struct call *call, struct request *rq, struct id_token_login *login,
    enum namespace_kind place, const struct namespace_ref *namespace, struct id_token_pass *pass)
{
	const struct trust_rule *rule = NULL;
	struct id_token token = { .expires_at = 0 };
	enum trust_kind kind;

	if (prove(call->app, rq, login, namespace, &token) == -1 ||
	    trust_kind_parse(login->issuer.issuer.kind, &kind, &rq->err) == -1 ||
	    match(call->app, rq, login, kind, place, namespace, &rule) == -1)
		return -1;
	assert(rule != NULL);
	if (rate_limit_charge_rule(call->app, rq, rule->id) == -1)
		return -1;
	return admit(call, rq, login, kind, &token, rule, pass);
}

/* Is there a rule of that project among the first n? */
static bool
has_project(const struct id_token_rules *found, int64_t project_id)
{
	for (size_t i = 0; i < found->n; i++) {
		if (found->projects[i] == project_id)
			return true;
	}
	return false;
}

int
id_token_login_rules(struct call *call, struct request *rq, struct id_token_login *login,
    const struct namespace_ref *group, struct id_token_rules *out)
{
	struct id_token token = { .expires_at = 0 };
	struct trust_rule *rules;
	enum trust_kind kind;
	size_t n;

	*out = (struct id_token_rules) { .n = 0 };
	if (prove(call->app, rq, login, group, &token) == -1 ||
	    trust_kind_parse(login->issuer.issuer.kind, &kind, &rq->err) == -1 ||
	    trust_rule_of_issuer(call->app->db, rq->arena, NAMESPACE_GROUP, group, login->issuer.issuer.id, &rules,
	        &n, &rq->err) == -1)
		return -1;
	out->ids = arena_calloc(rq->arena, n, sizeof(*out->ids));
	out->projects = arena_calloc(rq->arena, n, sizeof(*out->projects));
	for (size_t i = 0; i < n; i++) {
		struct err unmet = { 0 };
		enum trust_verdict verdict;

		if (judge(rq, login, kind, &rules[i], &verdict, &unmet) == -1)
			return -1;
		if (verdict != TRUST_MATCHES || has_project(out, rules[i].project_id))
			continue;
		out->ids[out->n] = rules[i].id;
		out->projects[out->n++] = rules[i].project_id;
	}
	return 0;
}
