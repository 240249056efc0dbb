#include "auth/rate_limit.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <string.h>

#include "auth/token_reuse.h"
#include "base/clock.h"
#include "call/app_metrics.h"
#include "call/patience.h"
#include "store/token/rate_limit.h"

static const char *const too_many[RATE_LIMIT__MAX] = {
	[RATE_LIMIT_NEW_CRATE] = "too many new crates were published in a short time",
	[RATE_LIMIT_PUBLISH] = "too many versions were published in a short time",
	[RATE_LIMIT_YANK] = "too many versions were yanked or unyanked in a short time",
	[RATE_LIMIT_FAILED_LOGIN] = "too many invalid credentials were sent from this address",
	[RATE_LIMIT_CHANGE] = "too many changes were made in a short time",
	[RATE_LIMIT_TOKEN] = "too many tokens or sessions were made in a short time",
	[RATE_LIMIT_JOB_TOKEN] = "too many tokens of jobs were made in a short time",
	[RATE_LIMIT_JOB_LOGIN] = "too many job tokens that GitLab does not know were sent",
	[RATE_LIMIT_KEY_READ] = "an issuer's keys were read too often in a short time",
};

static void
limits_of(const struct settings *s, struct rate_limit *limits)
{
	limits[RATE_LIMIT_NEW_CRATE] = (struct rate_limit) { s->new_crate_burst, s->new_crate_per_minute };
	limits[RATE_LIMIT_PUBLISH] = (struct rate_limit) { s->publish_burst, s->publish_per_minute };
	limits[RATE_LIMIT_YANK] = (struct rate_limit) { s->yank_burst, s->yank_per_minute };
	limits[RATE_LIMIT_FAILED_LOGIN] =
	    (struct rate_limit) { s->failed_login_burst, s->failed_login_per_minute };
	limits[RATE_LIMIT_CHANGE] = (struct rate_limit) { s->change_burst, s->change_per_minute };
	limits[RATE_LIMIT_TOKEN] = (struct rate_limit) { s->token_burst, s->token_per_minute };
	limits[RATE_LIMIT_JOB_TOKEN] = (struct rate_limit) { s->job_token_burst, s->job_token_per_minute };
	limits[RATE_LIMIT_JOB_LOGIN] = limits[RATE_LIMIT_FAILED_LOGIN];
}

/*
 * The name under which an address is counted; NULL where there is none.  Of IPv6 the first
 * half counts, since the other is the client's to choose.
 */
static const char *
address_name(struct arena *a, const char *remote_addr)
{
	enum { NETWORK = 8, MAPPED = 12 };
	char text[INET6_ADDRSTRLEN];
	struct in6_addr v6;

	if (remote_addr[0] == '\0')
		return NULL;
	if (inet_pton(AF_INET6, remote_addr, &v6) != 1)
		return arena_printf(a, "address:%s", remote_addr);
	/* IPv4 on a socket of IPv6: the first half says nothing */
	if (IN6_IS_ADDR_V4MAPPED(&v6)) {
		inet_ntop(AF_INET, v6.s6_addr + MAPPED, text, sizeof(text));
		return arena_printf(a, "address:%s", text);
	}
	memset(v6.s6_addr + NETWORK, 0, sizeof(v6.s6_addr) - NETWORK);
	inet_ntop(AF_INET6, &v6, text, sizeof(text));
	return arena_printf(a, "address:%s/64", text);
}

const char *
limits_actor(struct arena *a, const struct access_facts *f)
{
	if (f->user_id != 0)
		return arena_printf(a, "user:%" PRId64, f->user_id);
	if (f->trust_rule_id != 0)
		return arena_printf(a, "rule:%" PRId64, f->trust_rule_id);
	return arena_printf(a, "token:%" PRId64, f->token_id);
}

static struct rate_limit_ask
ask_of(const struct call *call, const struct request *rq, enum rate_limit_action action)
{
	const struct access_facts *f = &call->facts;

	return (struct rate_limit_ask) {
		.actor = limits_actor(rq->arena, f),
		.action = action,
	};
}

static int
refuse(const struct rate_limit_answer *answer, struct err *err)
{
	int seconds = (int)((answer->wait_us + CLOCK_SECOND - 1) / CLOCK_SECOND);

	if (seconds == 0)
		return 0;
	err_set(err, 429, "%s; please try again in %d second%s", too_many[answer->action], seconds,
	    seconds == 1 ? "" : "s");
	err->retry_after = seconds;
	return -1;
}

static int
charge(struct worker_app *app, struct request *rq, struct rate_limit_ask ask, struct db_call *beside,
    size_t n, struct err *err)
{
	struct rate_limit limits[RATE_LIMIT__MAX];
	struct rate_limit_answer answer;

	limits_of(app->settings, limits);
	ask.limits = limits;
	if (rate_limit_charge(app->db, rq->arena, &ask, beside, n, &answer, err) == -1)
		return -1;
	return refuse(&answer, err);
}

/* cargo does not ask again by itself: waits where the limit frees up soon. */
static int
charge_patiently(struct call *call, struct request *rq, struct rate_limit_ask ask, struct db_call *beside,
    size_t n)
{
	while (charge(call->app, rq, ask, beside, n, &rq->err) == -1) {
		if (rq->err.status != 429 ||
		    !patience_wait(call, ask.actor, (int64_t)rq->err.retry_after * CLOCK_SECOND))
			return -1;
		err_clear(&rq->err);
	}
	return 0;
}

int
rate_limit_charge_route(struct call *call, struct request *rq, enum route_writes route)
{
	static const enum rate_limit_action actions[] = {
		[WRITES_CHANGE] = RATE_LIMIT_CHANGE,
		[WRITES_TOKEN] = RATE_LIMIT_TOKEN,
		[WRITES_JOB_TOKEN] = RATE_LIMIT_JOB_TOKEN,
	};

	if (route == WRITES_NOTHING || route == WRITES_OWN)
		return 0;
	return charge_patiently(call, rq, ask_of(call, rq, actions[route]), NULL, 0);
}

int
rate_limit_charge_user(struct worker_app *app, struct request *rq, int64_t user_id)
{
	const struct access_facts user = { .user_id = user_id };
	const struct rate_limit_ask ask = { .actor = limits_actor(rq->arena, &user),
		.action = RATE_LIMIT_TOKEN };

	return charge(app, rq, ask, NULL, 0, &rq->err);
}

int
rate_limit_charge_rule(struct worker_app *app, struct request *rq, int64_t rule_id)
{
	const struct access_facts job = { .trust_rule_id = rule_id };
	const struct rate_limit_ask ask = { .actor = limits_actor(rq->arena, &job),
		.action = RATE_LIMIT_JOB_TOKEN };

	return charge(app, rq, ask, NULL, 0, &rq->err);
}

int
rate_limit_charge_publish(struct call *call, struct request *rq, const char *normalized_name,
    struct db_call *beside, size_t n)
{
	struct rate_limit_ask ask = ask_of(call, rq, RATE_LIMIT_PUBLISH);

	ask.project_id = call->facts.project_id;
	ask.normalized_name = normalized_name;
	return charge_patiently(call, rq, ask, beside, n);
}

int
rate_limit_charge_yank(struct call *call, struct request *rq)
{
	return charge_patiently(call, rq, ask_of(call, rq, RATE_LIMIT_YANK), NULL, 0);
}

int
rate_limit_look_publish(struct call *call, struct request *rq, struct db_call *beside)
{
	enum { VERSION, CRATE, NLOOKS };
	const char *actor = limits_actor(rq->arena, &call->facts);
	struct rate_limit limits[RATE_LIMIT__MAX];
	struct rate_limit_look looks[NLOOKS] = { { .actor = actor, .action = RATE_LIMIT_PUBLISH },
		{ .actor = actor, .action = RATE_LIMIT_NEW_CRATE } };
	struct rate_limit_answer answer = { .action = RATE_LIMIT_PUBLISH };

	limits_of(call->app->settings, limits);
	looks[VERSION].limit = limits[RATE_LIMIT_PUBLISH];
	looks[CRATE].limit = limits[RATE_LIMIT_NEW_CRATE];
	if (rate_limit_look(call->app->db, rq->arena, looks, NLOOKS, beside, &rq->err) == -1)
		return -1;
	/* the name is unknown yet: refuse only if both limits are used up */
	answer.wait_us = looks[VERSION].wait_us < looks[CRATE].wait_us ? looks[VERSION].wait_us
								       : looks[CRATE].wait_us;
	/* the publish itself may wait for so long */
	if (answer.wait_us <= (int64_t)PATIENCE_US / 4 * 3 && call->app->settings->write_workers > 1)
		return 0;
	return refuse(&answer, &rq->err);
}

/* ---- bad credentials ---- */

static void
count_bad(struct worker_app *app, struct request *rq)
{
	struct rate_limit_ask ask = { .actor = address_name(rq->arena, rq->remote_addr),
		.action = RATE_LIMIT_FAILED_LOGIN };
	struct err limited = { 0 };

	/* an error while counting changes nothing: they stay refused */
	if (ask.actor != NULL && db_connect(app->db, &limited) == 0 &&
	    charge(app, rq, ask, NULL, 0, &limited) == -1 && limited.status == 429)
		rq->err = limited;
}

int
rate_limit_charge_ended_token(struct call *call, struct request *rq)
{
	const struct rate_limit_ask ask = { .actor = address_name(rq->arena, rq->remote_addr),
		.action = RATE_LIMIT_FAILED_LOGIN };

	token_failure_count(call->app->meter, &call->facts, call->credential.kind);
	return ask.actor == NULL ? 0 : charge(call->app, rq, ask, NULL, 0, &rq->err);
}

int
rate_limit_note_refusal(struct call *call, struct request *rq)
{
	if (rq->err.status != 401)
		return -1;
	token_failure_count(call->app->meter, &call->facts, call->credential.kind);
	token_reuse_note(call, rq);
	if (call->credential.kind != CREDENTIAL_NONE)
		count_bad(call->app, rq);
	return -1;
}

int
rate_limit_note_bad_credential(struct worker_app *app, struct request *rq)
{
	if (rq->err.status >= 400 && rq->err.status < 500)
		count_bad(app, rq);
	return -1;
}

/* ---- job tokens of GitLab ---- */

static const char all[] = "gitlab";

static struct rate_limit
total_of(struct rate_limit one)
{
	return (struct rate_limit) { one.burst * RATE_LIMIT_JOB_TOTAL, one.per_minute * RATE_LIMIT_JOB_TOTAL };
}

int
rate_limit_look_job_login(struct worker_app *app, struct request *rq)
{
	enum { TOTAL, ADDRESS, NLOOKS };
	struct rate_limit limits[RATE_LIMIT__MAX];
	struct rate_limit_look looks[NLOOKS] = { { .actor = all, .action = RATE_LIMIT_JOB_LOGIN },
		{ .actor = address_name(rq->arena, rq->remote_addr), .action = RATE_LIMIT_JOB_LOGIN } };
	struct rate_limit_answer answer = { .action = RATE_LIMIT_JOB_LOGIN };

	limits_of(app->settings, limits);
	looks[ADDRESS].limit = limits[RATE_LIMIT_JOB_LOGIN];
	looks[TOTAL].limit = total_of(limits[RATE_LIMIT_JOB_LOGIN]);
	if (rate_limit_look(app->db, rq->arena, looks, looks[ADDRESS].actor != NULL ? NLOOKS : ADDRESS,
	        NULL, &rq->err) == -1)
		return -1;
	answer.wait_us = looks[TOTAL].wait_us > looks[ADDRESS].wait_us ? looks[TOTAL].wait_us
								       : looks[ADDRESS].wait_us;
	return refuse(&answer, &rq->err);
}

int
rate_limit_charge_job_login(struct worker_app *app, struct request *rq)
{
	struct rate_limit_ask ask = { .actor = address_name(rq->arena, rq->remote_addr),
		.action = RATE_LIMIT_JOB_LOGIN };
	struct rate_limit limits[RATE_LIMIT__MAX];
	struct rate_limit_answer answer;

	if (ask.actor != NULL && charge(app, rq, ask, NULL, 0, &rq->err) == -1)
		return -1;
	limits_of(app->settings, limits);
	limits[RATE_LIMIT_JOB_LOGIN] = total_of(limits[RATE_LIMIT_JOB_LOGIN]);
	ask.actor = all;
	ask.limits = limits;
	if (rate_limit_charge(app->db, rq->arena, &ask, NULL, 0, &answer, &rq->err) == -1)
		return -1;
	return refuse(&answer, &rq->err);
}

/* ---- keys of issuers ---- */

/* Takes one read of the budget.  -1: 503, and err says `why`, and when to try again. */
static int
charge_key_read(struct worker_app *app, struct request *rq, const char *actor, int64_t reads, const char *why)
{
	struct rate_limit limits[RATE_LIMIT__MAX] = { [RATE_LIMIT_KEY_READ] = { reads, reads } };
	const struct rate_limit_ask ask = { .actor = actor, .action = RATE_LIMIT_KEY_READ, .limits = limits };
	struct rate_limit_answer answer;
	struct err limited;

	if (rate_limit_charge(app->db, rq->arena, &ask, NULL, 0, &answer, &rq->err) == -1)
		return -1;
	if (refuse(&answer, &limited) == 0)
		return 0;
	err_internal(&rq->err, 503, "%s: its keys were asked for recently", actor);
	rq->err.retry_after = limited.retry_after;
	return err_tell(&rq->err, "%s; please try again in %d second%s", why, limited.retry_after,
	    limited.retry_after == 1 ? "" : "s");
}

int
rate_limit_charge_key_read(struct worker_app *app, struct request *rq, int64_t issuer_id, const char *why)
{
	const char *issuer = arena_printf(rq->arena, "issuer:%" PRId64, issuer_id);
	const char *address = address_name(rq->arena, rq->remote_addr);

	if (address != NULL &&
	    charge_key_read(app, rq, arena_printf(rq->arena, "%s/%s", issuer, address), 1, why) == -1)
		return -1;
	return charge_key_read(app, rq, issuer, RATE_LIMIT_KEY_READS, why);
}
