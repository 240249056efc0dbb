#include "auth/ci_login.h"

#include <string.h>

#include "access/access.h"
#include "auth/gitlab_login.h"
#include "auth/id_token_login.h"
#include "base/hex.h"
#include "base/sha256.h"
#include "base/words.h"

bool
ci_login_is_due(const struct call *call)
{
	return call->credential.foreign.n > 0 && !call->facts.token_usable;
}

static int
refuse(struct err *err)
{
	return err_set(err, 401, "the token is invalid, expired or revoked");
}

/* Whatever is wrong with a credential, to a client it is one that does not let it in. */
static int
as_unauthorized(struct err *err)
{
	if (err->status < 500 && err->status != 429)
		err->status = 401;
	return -1;
}

static int
login_by_id_token(struct call *call, struct request *rq, struct id_token_login *login,
    const struct namespace_ref *namespace)
{
	struct id_token_pass pass = { .digest = call->credential.digest };

	if (namespace->id == 0 && namespace->path.n == 0)
		return refuse(&rq->err);
	if (id_token_login_admit(call, rq, login, call_is_view(rq) ? NAMESPACE_GROUP : NAMESPACE_PROJECT, namespace,
	        &pass) == -1)
		return as_unauthorized(&rq->err);
	return 0;
}

/* Has the token one of the prefixes of GitLab's job tokens?  Send GitLab no others. */
static bool
is_of_gitlab(const struct settings *s, struct slice text)
{
	const char *prefixes = s->gitlab_token_prefixes;
	struct slice prefix;

	if (s->gitlab_url[0] == '\0')
		return false;
	while (words_next(&prefixes, &prefix)) {
		if (text.n > prefix.n && memcmp(text.p, prefix.p, prefix.n) == 0)
			return true;
	}
	return false;
}

int
ci_login(struct call *call, struct request *rq, const struct namespace_ref *namespace)
{
	struct slice text = call->credential.foreign;
	struct id_token_login login;

	if (is_of_gitlab(call->app->settings, text))
		return gitlab_login(call, rq);
	if (!jwt_looks_like(text))
		return refuse(&rq->err);
	if (id_token_login_read(call->app, rq, text, &login) == -1)
		return as_unauthorized(&rq->err);
	return login_by_id_token(call, rq, &login, namespace);
}

/* Is the caller a job that a trust rule of some project let in by its identity token? */
static bool
is_trusted_job(const struct call *call)
{
	return jwt_looks_like(call->credential.foreign) && call->facts.token_usable &&
	    call->facts.trust_rule_id != 0;
}

/* Is the job here by a rule of another project, which lets it do nothing in this one? */
static bool
is_of_another(const struct call *call, const struct request *rq)
{
	struct err no = { 0 };

	return call_is_view(rq) && call->view.name != NULL && is_trusted_job(call) && !call->facts.in_namespace &&
	    access_decide(&call->facts, call->credential.kind, call->policy->action, &no) == -1;
}

/* The digest under which the job's token for one project of a group is stored. */
static int
digest_for(const unsigned char *digest, int64_t project_id, unsigned char *out, struct err *err)
{
	unsigned char bytes[TOKEN_DIGEST_SIZE + sizeof(project_id)];

	memcpy(bytes, digest, TOKEN_DIGEST_SIZE);
	memcpy(bytes + TOKEN_DIGEST_SIZE, &project_id, sizeof(project_id));
	return sha256_digest(bytes, sizeof(bytes), out) ? 0 : err_internal(err, 500, "OpenSSL has no SHA-256");
}

/* Does the error only say that the project does not let the job in?  Then clears it. */
static bool
is_no_rule(struct err *err)
{
	if (err->status >= 500 || err->status == 429)
		return false;
	err_clear(err);
	return true;
}

/* *in: a rule of the project lets the job in. */
static int
try_project(struct call *call, struct request *rq, const unsigned char *first, bool *in)
{
	const struct namespace_ref project = { .id = call->facts.project_id };
	struct id_token_pass pass = { .digest = call->credential.digest, .first_digest = first };
	struct id_token_login login;

	*in = id_token_login_read(call->app, rq, call->credential.foreign, &login) == 0 &&
	    id_token_login_admit(call, rq, &login, NAMESPACE_PROJECT, &project, &pass) == 0;
	return *in || is_no_rule(&rq->err) ? 0 : -1;
}

int
ci_login_to_project(struct call *call, struct request *rq)
{
	unsigned char first[TOKEN_DIGEST_SIZE];
	bool in = false;

	if (!is_of_another(call, rq))
		return 0;
	memcpy(first, call->credential.digest, sizeof(first));
	if (digest_for(first, call->facts.project_id, call->credential.digest, &rq->err) == -1 ||
	    call_look_up(call, rq) == -1)
		return -1;
	if (call->facts.token_usable)
		return 0;
	/* a job whose token there was revoked must not use up the limit of the rule */
	if (call->facts.token_id == 0 && try_project(call, rq, first, &in) == -1)
		return -1;
	if (!in)
		memcpy(call->credential.digest, first, sizeof(first));
	return call_look_up(call, rq);
}

/* The digests of the job's tokens in these projects, in hexadecimal digits.  NULL: 500. */
static const char **
digests_for(const struct call *call, struct request *rq, const struct id_token_rules *rules)
{
	const char **digests = arena_calloc(rq->arena, rules->n, sizeof(*digests));

	for (size_t i = 0; i < rules->n; i++) {
		char *text = arena_alloc(rq->arena, 2 * TOKEN_DIGEST_SIZE + 1);
		unsigned char digest[TOKEN_DIGEST_SIZE];

		if (digest_for(call->credential.digest, rules->projects[i], digest, &rq->err) == -1)
			return NULL;
		hex_encode(digest, sizeof(digest), text);
		digests[i] = text;
	}
	return digests;
}

int
ci_login_projects(struct call *call, struct request *rq, struct access_facts **facts, size_t *n)
{
	const struct namespace_ref group = { .id = call->view.group_id };
	struct id_token_rules rules;
	struct id_token_login login;
	const char **digests;

	*n = 0;
	if (!is_trusted_job(call))
		return 0;
	if (id_token_login_read(call->app, rq, call->credential.foreign, &login) == -1 ||
	    id_token_login_rules(call, rq, &login, &group, &rules) == -1)
		return is_no_rule(&rq->err) ? 0 : -1;
	if (rules.n == 0)
		return 0;
	digests = digests_for(call, rq, &rules);
	if (digests == NULL || access_facts_rules(call->app->db, rq->arena, call->facts.token_id, rules.ids, digests,
	        rules.n, facts, n, &rq->err) == -1)
		return -1;
	for (size_t i = 0; i < *n; i++) {
		/* the switch is for those who log in: a token that exists stays good */
		if ((*facts)[i].token_id == call->facts.token_id)
			access_facts_switch(&(*facts)[i], FLAG_TRUSTED_PUBLISHING);
	}
	return 0;
}
