#include "auth/issuer_keys.h"

#include "access/oidc_discovery.h"
#include "auth/outbound.h"
#include "auth/rate_limit.h"
#include "base/clock.h"
#include "base/log.h"
#include "call/outbound_slot.h"
#include "net/http_status.h"

enum {
	REFRESH_S = 3600, /* keys that are older are read anew, so that a withdrawn one goes */
	/*
	 * How long they are waited for while another worker reads them, from when it began: a
	 * slow issuer costs all who come with a token of it so much time, and not each of them.
	 */
	WAIT_MS = 2000,
	NAP_MS = 50
};

static const char unreadable[] =
    "the keys of this token's issuer cannot be read now; the log of the registry has the cause";

/* ---- from the issuer ---- */

static int
get(struct worker_app *app, struct request *rq, const char *url, struct slice *body,
    struct err *err)
{
	const struct https_get what = { .url = url, .headers = { "Accept: application/json" } };
	struct https_answer answer;

	if (outbound_get(app, rq, &what, &answer, err) == -1)
		return -1;
	if (answer.status != HTTP_OK)
		return err_internal(err, 503, "GET %s: status %ld", url, answer.status);
	*body = answer.body;
	return 0;
}

/* Where the keys are (OpenID Connect Discovery, section 4). */
static int
discover(struct worker_app *app, struct request *rq, const struct issuer *issuer,
    const char **url, struct err *err)
{
	struct slice body = slice_of("", 0);

	*url = arena_printf(rq->arena, "%s/.well-known/openid-configuration", issuer->url);
	return get(app, rq, *url, &body, err) == -1 ? -1 :
	    oidc_discovery_parse(rq->arena, body, issuer->url, url, err);
}

static int
fetch(struct worker_app *app, struct request *rq, const struct issuer *issuer, const char **jwks,
    struct err *err)
{
	const char *url = issuer->jwks_url;
	struct jwk_set set;
	struct slice body = slice_of("", 0);

	if (url[0] == '\0' && discover(app, rq, issuer, &url, err) == -1)
		return -1;
	if (get(app, rq, url, &body, err) == -1 ||
	    jwk_set_parse(rq->arena, body, &set, err) == -1)
		return -1;
	*jwks = arena_slicedup(rq->arena, body);
	return 0;
}

/* This worker has the claim.  It writes down what becomes of it, so that no other worker waits in vain. */
static int
refresh(struct worker_app *app, struct request *rq, struct issuer_keys *keys, bool *fresh)
{
	const char *jwks = NULL;
	struct err err = { 0 };
	/* go on without a slot: one worker for each issuer is few */
	bool slot = outbound_slot_take(app, rq, 0) == 0;

	if (fetch(app, rq, &keys->issuer, &jwks, &err) == -1)
		log_warn("issuer %s: its keys cannot be read: %s", keys->issuer.url,
		    err.detail[0] != '\0' ? err.detail : err.pub);
	if (slot)
		outbound_slot_leave(app, rq);
	*fresh = jwks != NULL;
	if (jwks != NULL) {
		keys->jwks = jwks;
		keys->age = 0;
	}
	return issuer_set_keys(app->db, rq->arena, keys->issuer.id, jwks, &rq->err);
}

/* Reads the keys unless another worker has within the period; *mine: this worker has read them. */
static int
read_if_due(struct worker_app *app, struct request *rq, struct issuer_keys *keys, int period_s,
    bool *mine, bool *fresh)
{
	if (issuer_claim(app->db, rq->arena, keys->issuer.id, period_s, mine, &rq->err) == -1)
		return -1;
	return *mine ? refresh(app, rq, keys, fresh) : 0;
}

/* ---- from what is known ---- */

/* Drops keys that are too old: the issuer may have withdrawn them. */
static const struct jwk *
known(const struct worker_app *app, struct request *rq, const struct issuer_keys *keys,
    const struct jwt *jwt)
{
	struct jwk_set set;
	struct err wrong;

	if (keys->jwks == NULL || keys->age >= app->settings->issuer_keys_max_age ||
	    jwk_set_parse(rq->arena, slice_str(keys->jwks), &set, &wrong) == -1)
		return NULL;
	return jwk_find(&set, jwt->kid, jwt->alg);
}

/* Waits a while for another worker that reads the keys.  *fresh: they were read meanwhile. */
static int
wait_for_other(struct worker_app *app, struct request *rq, struct issuer_keys *keys,
    const struct jwt *jwt, bool *fresh)
{
	enum { SECOND_MS = 1000 };
	const char *url = keys->issuer.url;
	bool reading = false;

	for (int waited = 0; waited < WAIT_MS; waited += NAP_MS) {
		if (issuer_find(app->db, rq->arena, url, keys, &rq->err) == -1)
			return -1;
		if (!keys->found)
			return err_set(&rq->err, 400, "the token's issuer is no longer trusted");
		if (known(app, rq, keys, jwt) != NULL || keys->read_for_ms == -1 ||
		    keys->read_for_ms >= WAIT_MS)
			break;
		reading = true;
		nanosleep(&(struct timespec) { .tv_nsec = NAP_MS * 1000000L }, NULL);
	}
	*fresh = reading && keys->jwks != NULL && keys->read_for_ms == -1 &&
	    keys->age <= WAIT_MS / SECOND_MS;
	return 0;
}

/*
 * Why a caller has to wait whose budget of reads is used up: it was used within the last minute, so keys that
 * are older say that those reads have failed.
 */
static const char *
why_wait(const struct issuer_keys *keys)
{
	return keys->jwks == NULL || keys->age > ISSUER_FETCH_PERIOD_S
	    ? unreadable
	    : "the keys of the token's issuer were read less than a minute ago, and the token's key is not "
	      "among them";
}

/*
 * The token's key is unknown: an issuer that changes its keys signs with the new one at once.  So reads
 * the keys now, within a budget, or waits for a worker that reads them already.
 */
static int
look_for_new(struct worker_app *app, struct request *rq, struct issuer_keys *keys,
    const struct jwt *jwt, bool *fresh)
{
	bool mine;

	if (wait_for_other(app, rq, keys, jwt, fresh) == -1)
		return -1;
	if (*fresh || keys->read_for_ms != -1 || known(app, rq, keys, jwt) != NULL)
		return 0;
	if (rate_limit_charge_key_read(app, rq, keys->issuer.id, why_wait(keys)) == -1 ||
	    read_if_due(app, rq, keys, 0, &mine, fresh) == -1)
		return -1;
	return mine ? 0 : wait_for_other(app, rq, keys, jwt, fresh);
}

static int
refuse(struct request *rq, const struct issuer_keys *keys, const struct jwt *jwt, bool fresh)
{
	enum { SHOWN_MAX = 80 };

	if (fresh)
		return err_set(&rq->err, 400,
		    "the token is signed with the key `%.*s`, which its issuer `%.*s` does not have",
		    SHOWN_MAX, jwt->kid, 2 * SHOWN_MAX, keys->issuer.url);
	err_internal(&rq->err, 503, "issuer %s: no keys", keys->issuer.url);
	return err_tell(&rq->err, "%s; try again in a minute", unreadable);
}

int
issuer_keys_find(struct worker_app *app, struct request *rq, struct issuer_keys *keys,
    const struct jwt *jwt, const struct jwk **key)
{
	bool mine, fresh = false;

	*key = known(app, rq, keys, jwt);
	if (*key != NULL && keys->age < REFRESH_S)
		return 0;
	if (read_if_due(app, rq, keys, ISSUER_FETCH_PERIOD_S, &mine, &fresh) == -1 ||
	    (!mine && *key == NULL && look_for_new(app, rq, keys, jwt, &fresh) == -1))
		return -1;
	*key = known(app, rq, keys, jwt);
	return *key != NULL ? 0 : refuse(rq, keys, jwt, fresh);
}
