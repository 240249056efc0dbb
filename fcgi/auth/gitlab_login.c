#include "auth/gitlab_login.h"

#include <stdbool.h>

#include <openssl/crypto.h>

#include "auth/gitlab_answer.h"
#include "auth/outbound.h"
#include "auth/rate_limit.h"
#include "base/log.h"
#include "call/outbound_slot.h"
#include "net/http_status.h"
#include "store/token/gitlab_job.h"

struct secret {
	char *text;
	size_t n;
};

static void
cleanse(void *arg)
{
	struct secret *s = arg;

	OPENSSL_cleanse(s->text, s->n);
}

/* The header with the token in it, which does not outlive the request. */
static const char *
job_token_header(struct arena *a, struct slice token)
{
	struct secret *s = arena_alloc(a, sizeof(*s));

	s->text = arena_printf(a, "JOB-TOKEN: %.*s", (int)token.n, token.p);
	s->n = strlen(s->text);
	arena_defer(a, cleanse, s);
	return s->text;
}

/* ---- what becomes of it ---- */

/* Refuses the token for the next requests as well, and counts it against the address that has sent it. */
static int
refuse(struct worker_app *app, struct request *rq, struct slice digest, const char *why)
{
	if (gitlab_job_refuse(app->db, rq->arena, digest, &rq->err) == -1 ||
	    rate_limit_charge_job_login(app, rq) == -1)
		return -1;
	return err_set(&rq->err, 401, "%s", why);
}

static int
tell_away(struct err *err)
{
	return err_tell(err,
	    "GitLab does not answer, so this job token cannot be checked; try again in a minute; "
	    "other tokens are not affected");
}

/* An answer that is of no use is that of this job alone.  Its words are for the log. */
static int
fail(struct request *rq, const struct err *why)
{
	err_internal(&rq->err, 503, "GitLab: %s", why->detail[0] != '\0' ? why->detail : why->pub);
	return tell_away(&rq->err);
}

/* No answer, or none that it would give if it were well: for a while nobody asks it again. */
static int
set_away(struct worker_app *app, struct request *rq, const struct err *why)
{
	struct err err = { 0 };

	if (gitlab_job_set_away(app->db, rq->arena, true, &err) == -1)
		log_warn("%s", err.detail);
	return fail(rq, why);
}

static int
admit(struct call *call, struct request *rq, const struct gitlab_job *job)
{
	const struct audit_actor actor = call_actor(call, rq);
	bool known;

	if (gitlab_job_admit(call->app->db, rq->arena, &actor, job, &known, &rq->err) == -1)
		return rq->err.status == 401
		    ? refuse(call->app, rq, job->digest, arena_strdup(rq->arena, rq->err.pub))
		    : -1;
	return known ? 0 :
	    refuse(call->app, rq, job->digest,
	        arena_printf(rq->arena,
	            "this job belongs to the project `%s` and the user `%s`, and one of them does not exist here",
	            job->project_path, job->username));
}

static int
judge(struct call *call, struct request *rq, const struct https_answer *answer,
    struct gitlab_job *job)
{
	static const char no_job[] = "GitLab has no running job with this token";
	const char *status = "";
	struct err err = { 0 };

	if (answer->status == HTTP_UNAUTHORIZED || answer->status == HTTP_FORBIDDEN ||
	    answer->status == HTTP_NOT_FOUND)
		return refuse(call->app, rq, job->digest, no_job);
	/* a redirect, say: of a wrong address, which is not the job's fault */
	if (answer->status != HTTP_OK) {
		err_internal(&err, 503, "status %ld", answer->status);
		return fail(rq, &err);
	}
	if (gitlab_answer_parse(rq->arena, answer->body, call->app->settings->gitlab_projects, job, &status,
	        &err) == -1)
		return err.status == 401 ? refuse(call->app, rq, job->digest, err.pub)
					 : fail(rq, &err);
	if (strcmp(status, "running") != 0)
		return refuse(call->app, rq, job->digest, no_job);
	return admit(call, rq, job);
}

static int
refuse_away(struct err *err)
{
	err_internal(err, 503, "GitLab did not answer recently");
	return tell_away(err);
}

/* After an outage: takes the turn to ask.  -1: 503, another request asks. */
static int
take_turn(const struct call *call, struct request *rq)
{
	bool mine;

	if (gitlab_job_try(call->app->db, rq->arena, &mine, &rq->err) == -1)
		return -1;
	return mine ? 0 : refuse_away(&rq->err);
}

/* Gets GitLab's answer.  Whatever it says of this job, with an answer the outage is over for all. */
static int
get(const struct call *call, struct request *rq, bool was_away, struct https_answer *answer)
{
	const struct https_get get = {
		.url = arena_printf(rq->arena, "%s/api/v4/job", call->app->settings->gitlab_url),
		.headers = { job_token_header(rq->arena, call->credential.foreign),
		    "Accept: application/json" },
	};
	struct err err = { 0 };
	int rc;

	/* the request with the turn keeps all others from asking, so each check that may refuse it comes before */
	if (was_away && take_turn(call, rq) == -1)
		return -1;
	rc = outbound_get(call->app, rq, &get, answer, &err);
	if (rc == 0 && (answer->status >= HTTP_SERVER_ERROR || answer->status == HTTP_TOO_MANY))
		rc = err_internal(&err, 503, "status %ld", answer->status);
	/* 502: an answer, but too long a one */
	if (rc == -1 && err.status != 502)
		return set_away(call->app, rq, &err);
	/* also if it was not away for this request: another one may have met an outage meanwhile */
	if (gitlab_job_set_away(call->app->db, rq->arena, false, &rq->err) == -1)
		return -1;
	return rc == -1 ? fail(rq, &err) : 0;
}

static int
ask(struct call *call, struct request *rq, bool was_away, struct gitlab_job *job)
{
	struct https_answer answer;
	int rc;

	if (outbound_slot_take(call->app, rq, 0) == -1)
		return outbound_refuse(&rq->err);
	rc = get(call, rq, was_away, &answer);
	outbound_slot_leave(call->app, rq);
	return rc == -1 ? -1 : judge(call, rq, &answer, job);
}

int
gitlab_login(struct call *call, struct request *rq)
{
	struct gitlab_job job = { .gitlab = call->app->settings->gitlab_url,
		.digest = slice_of((const char *)call->credential.digest, TOKEN_DIGEST_SIZE) };
	enum gitlab_job_ask what_to_do;
	bool was_away;

	if (gitlab_job_ask(call->app->db, rq->arena, job.digest, &what_to_do, &was_away, &rq->err) == -1)
		return -1;
	if (what_to_do == GITLAB_JOB_REFUSED)
		return err_set(&rq->err, 401, "the token is invalid, expired or revoked");
	if (what_to_do == GITLAB_JOB_AWAY)
		return refuse_away(&rq->err);
	/* one that GitLab has vouched for pays for nobody else of its address */
	if (what_to_do == GITLAB_JOB_ASK && rate_limit_look_job_login(call->app, rq) == -1)
		return -1;
	return ask(call, rq, was_away, &job);
}
