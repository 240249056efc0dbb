#include "api/issuer_keys.h"

#include "api/outbound.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "net/https_get.h"

enum {
	REFRESH_S = 3600, /* keys that are older are read anew, so that a withdrawn one goes */
	/*
	 * How long they are waited for while another worker reads them, from when it began: a
	 * slow issuer costs all who come with a token of it so much time, and not each of them.
	 */
	WAIT_MS = 2000,
	NAP_MS = 50,
	OK = 200
};

/* ---- from the issuer ---- */

static int
get(struct worker_app *app, struct request *rq, const char *url, struct slice *body,
    struct err *err)
{
	const struct https_get what = { .url = url, .ca_file = app->settings->ci_ca_file,
		.headers = { "Accept: application/json" }, .deadline_us = rq->deadline_us };
	struct https_answer answer;

	if (https_get(rq->arena, &what, &answer, err) == -1)
		return -1;
	if (answer.status != OK)
		return err_internal(err, 503, "GET %s: status %ld", url, answer.status);
	*body = answer.body;
	return 0;
}

/* "https://host:port" of an address: how much of it. */
static size_t
origin_length(const char *url)
{
	size_t scheme = strlen("https://");

	return scheme + strcspn(url + scheme, "/");
}

/* Nobody but the issuer's own host says where its keys are. */
static bool
is_same_origin(const char *a, const char *b)
{
	return strncmp(a, "https://", strlen("https://")) == 0 &&
	    strncmp(b, "https://", strlen("https://")) == 0 &&
	    slice_equal(slice_of(a, origin_length(a)), slice_of(b, origin_length(b)));
}

/* Where the keys are (OpenID Connect Discovery, section 4). */
static int
discover(struct worker_app *app, struct request *rq, const struct issuer *issuer,
    const char **url, struct err *err)
{
	static const char what[] = "the discovery document";
	struct json_object *document;
	struct json_get fields = { .what = what, .err = err };
	const char *named;
	struct slice body = slice_of("", 0);

	*url = arena_printf(rq->arena, "%s/.well-known/openid-configuration", issuer->url);
	if (get(app, rq, *url, &body, err) == -1 ||
	    json_parse(rq->arena, body, what, &document, err) == -1)
		return -1;
	if (!json_object_is_type(document, json_type_object))
		return err_set(err, 400, "%s is no object", what);
	fields.obj = document;
	if (json_get_str(&fields, "issuer", true, &named) == -1 ||
	    json_get_str(&fields, "jwks_uri", true, url) == -1)
		return -1;
	if (strcmp(named, issuer->url) != 0)
		return err_set(err, 400, "%s is that of another issuer, `%s`", what, named);
	if (!is_same_origin(*url, issuer->url))
		return err_set(err, 400, "%s names keys on another host, `%s`", what, *url);
	return 0;
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

/* We have the claim: what becomes of it is written down, so that nobody waits in vain. */
static int
refresh(struct worker_app *app, struct request *rq, struct issuer_keys *keys)
{
	const char *jwks = NULL;
	struct err err = { 0 };
	/* where there is none it goes on: one worker for each issuer is not many */
	bool has_slot = outbound_begin(app) == 0;

	if (fetch(app, rq, &keys->issuer, &jwks, &err) == -1)
		log_warn("issuer %s: its keys cannot be read: %s", keys->issuer.url,
		    err.detail[0] != '\0' ? err.detail : err.pub);
	if (has_slot)
		outbound_end(app);
	if (jwks != NULL)
		keys->jwks = jwks;
	return issuer_set_keys(app->db, rq->arena, keys->issuer.id, jwks, &rq->err);
}

/* ---- from what is known ---- */

static const struct jwk *
known(struct request *rq, const struct issuer_keys *keys, const struct jwt *jwt)
{
	struct jwk_set set;
	struct err wrong;

	if (keys->jwks == NULL ||
	    jwk_set_parse(rq->arena, slice_str(keys->jwks), &set, &wrong) == -1)
		return NULL;
	return jwk_find(&set, jwt->kid, jwt->alg);
}

/* Another worker has the claim; perhaps it is about to know. */
static int
wait_for_other(struct worker_app *app, struct request *rq, struct issuer_keys *keys,
    const struct jwt *jwt, const struct jwk **key)
{
	const char *url = keys->issuer.url;

	for (int waited = 0; waited < WAIT_MS; waited += NAP_MS) {
		if (issuer_find(app->db, rq->arena, url, keys, &rq->err) == -1)
			return -1;
		if (!keys->found)
			return err_set(&rq->err, 400, "the token's issuer is not trusted");
		*key = known(rq, keys, jwt);
		if (*key != NULL || keys->read_for_ms == -1 || keys->read_for_ms >= WAIT_MS)
			break;
		nanosleep(&(struct timespec) { .tv_nsec = NAP_MS * 1000000L }, NULL);
	}
	return 0;
}

int
issuer_keys_find(struct worker_app *app, struct request *rq, struct issuer_keys *keys,
    const struct jwt *jwt, const struct jwk **key)
{
	bool mine;

	*key = known(rq, keys, jwt);
	if (*key != NULL && keys->age < REFRESH_S)
		return 0;
	if (issuer_claim(app->db, rq->arena, keys->issuer.id, &mine, &rq->err) == -1)
		return -1;
	if (mine) {
		if (refresh(app, rq, keys) == -1)
			return -1;
		*key = known(rq, keys, jwt);
	} else if (*key == NULL && wait_for_other(app, rq, keys, jwt, key) == -1) {
		return -1;
	}
	if (*key != NULL)
		return 0;
	if (keys->jwks != NULL && (mine || keys->read_for_ms == -1))
		return err_set(&rq->err, 400, "the token's key is none of its issuer's");
	err_internal(&rq->err, 503, "issuer %s: no keys", keys->issuer.url);
	return err_tell(&rq->err,
	    "the issuer of this token cannot be reached, and its keys are not known yet; try again "
	    "in a minute");
}
