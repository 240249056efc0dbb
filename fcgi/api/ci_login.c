#include "api/ci_login.h"

#include "api/gitlab_login.h"
#include "api/id_token_login.h"

bool
ci_login_is_due(const struct request_credential *credential, const struct access_facts *facts)
{
	return credential->foreign.n > 0 && !facts->token_usable;
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
	if (err->status < 500)
		err->status = 401;
	return -1;
}

static int
login_by_id_token(struct worker_app *app, struct request *rq,
    const struct request_credential *credential, struct id_token_login *login,
    const struct project_ref *place)
{
	struct id_token_pass pass = { .digest = credential->digest };

	if (place->id == 0 && place->path.n == 0)
		return refuse(&rq->err);
	if (id_token_login_admit(app, rq, login, place, &pass) == -1)
		return as_unauthorized(&rq->err);
	return 0;
}

/*
 * GitLab's job tokens may be JSON Web Tokens as well, for nobody but GitLab.  One that somebody
 * else has issued is not for it to see.
 */
static bool
is_of_gitlab(const struct worker_app *app, const struct jwt *jwt)
{
	const char *gitlab = app->settings->gitlab_url, *issuer = id_token_issuer(jwt);

	return gitlab[0] != '\0' && issuer != NULL &&
	    (strcmp(issuer, gitlab) == 0 || strcmp(issuer, gitlab + strlen("https://")) == 0);
}

int
ci_login(struct worker_app *app, struct request *rq, const struct request_credential *credential,
    const struct project_ref *place)
{
	struct id_token_login login;

	if (!jwt_is_shaped(credential->foreign))
		return app->settings->gitlab_url[0] != '\0' ? gitlab_login(app, rq, credential)
							    : refuse(&rq->err);
	if (id_token_login_read(app, rq, credential->foreign, &login) == -1)
		return as_unauthorized(&rq->err);
	if (is_of_gitlab(app, &login.jwt) &&
	    (!login.issuer.found || !id_token_is_for(&login.jwt, login.audience)))
		return gitlab_login(app, rq, credential);
	return login_by_id_token(app, rq, credential, &login, place);
}
