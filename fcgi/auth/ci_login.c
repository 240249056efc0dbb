#include "auth/ci_login.h"

#include "auth/gitlab_login.h"
#include "auth/id_token_login.h"
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
	if (id_token_login_admit(call, rq, login, namespace, &pass) == -1)
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
