#include "access/id_token.h"

#include <stdio.h>
#include <strings.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/sha256.h"

enum {
	AUDIENCES_MAX = 16,
	JTI_MAX = 255,
	SHOWN_MAX = 120 /* bytes of one value in a message */
};

static const char what[] = "the token's payload";

const char *
id_token_issuer(const struct jwt *jwt)
{
	struct json_object *iss;

	if (!json_object_object_get_ex(jwt->claims, "iss", &iss) ||
	    !json_object_is_type(iss, json_type_string))
		return NULL;
	return json_object_get_string(iss);
}

static bool
is_expected(struct json_object *value, const struct id_token_expected *w)
{
	const char *text = json_object_get_string(value);

	return json_object_is_type(value, json_type_string) &&
	    (strcmp(text, w->audience) == 0 ||
	        (w->registry != NULL && strcasecmp(text, w->registry) == 0));
}

static bool
is_for(struct json_object *aud, const struct id_token_expected *w)
{
	size_t n;

	if (!json_object_is_type(aud, json_type_array))
		return is_expected(aud, w);
	n = json_object_array_length(aud);
	for (size_t i = 0; n <= AUDIENCES_MAX && i < n; i++) {
		if (is_expected(json_object_array_get_idx(aud, i), w))
			return true;
	}
	return false;
}

static int
check_audience(const struct jwt *jwt, const struct id_token_expected *w, struct err *err)
{
	struct json_object *aud = NULL;
	char expected[(size_t)2 * SHOWN_MAX + sizeof("`` or ``")];

	if (json_object_object_get_ex(jwt->claims, "aud", &aud) && is_for(aud, w))
		return 0;
	if (w->registry != NULL)
		snprintf(expected, sizeof(expected), "`%.*s` or `%.*s`", SHOWN_MAX, w->audience,
		    SHOWN_MAX, w->registry);
	else
		snprintf(expected, sizeof(expected), "`%.*s`", SHOWN_MAX, w->audience);
	if (aud == NULL)
		return err_set(err, 400, "the token has no audience (`aud`); it must be for %s",
		    expected);
	return err_set(err, 400, "the token is for the audience `%.*s`; it must be for %s", SHOWN_MAX,
	    json_object_is_type(aud, json_type_string)
	        ? json_object_get_string(aud)
	        : json_object_to_json_string_ext(aud, JSON_C_TO_STRING_NOSLASHESCAPE),
	    expected);
}

/* A moment: whole seconds since 1970, which some issuers write with a fraction. */
static int
get_time(const struct json_get *get, const char *name, bool required, int64_t *out)
{
	static const double year_9999 = 253402300799.0;
	struct json_object *value;

	if (!json_object_object_get_ex(get->obj, name, &value) || value == NULL)
		return required ? err_set(get->err, 400, "%s: missing field `%s`", what, name) : 0;
	if (!json_object_is_type(value, json_type_int) &&
	    !json_object_is_type(value, json_type_double))
		return err_set(get->err, 400, "%s: field `%s` must be a number", what, name);
	if (!(json_object_get_double(value) >= 0) || json_object_get_double(value) > year_9999)
		return err_set(get->err, 400, "%s: field `%s` is not a time", what, name);
	*out = (int64_t)json_object_get_double(value);
	return 0;
}

/* Refuses a token by a claim and this server's clock.  relation: "before" or "after". */
static int
refuse_time(const char *sentence, const char *name, int64_t value, const char *relation,
    int64_t now, struct err *err)
{
	char then[CLOCK_RFC3339_SIZE], here[CLOCK_RFC3339_SIZE];

	clock_rfc3339((time_t)value, then);
	clock_rfc3339((time_t)now, here);
	return err_set(err, 400,
	    "the token %s: its `%s` is %s, which is %lld seconds %s this server's clock, %s (%d are "
	    "allowed)",
	    sentence, name, then, (long long)(value < now ? now - value : value - now), relation, here,
	    ID_TOKEN_LEEWAY_S);
}

static int
check_times(const struct json_get *get, int64_t now, struct id_token *t)
{
	static const char early[] = "is not valid yet";
	int64_t iat = 0, nbf = 0;

	if (get_time(get, "exp", true, &t->expires_at) == -1 ||
	    get_time(get, "iat", true, &iat) == -1 || get_time(get, "nbf", false, &nbf) == -1)
		return -1;
	if (now >= t->expires_at + ID_TOKEN_LEEWAY_S)
		return refuse_time("has expired", "exp", t->expires_at, "before", now, get->err);
	if (iat > now + ID_TOKEN_LEEWAY_S)
		return refuse_time(early, "iat", iat, "after", now, get->err);
	if (nbf > now + ID_TOKEN_LEEWAY_S)
		return refuse_time(early, "nbf", nbf, "after", now, get->err);
	if (t->expires_at <= iat || t->expires_at - iat > ID_TOKEN_LIFE_MAX_S)
		return err_set(get->err, 400,
		    "the token is valid for %lld seconds, from its `iat` to its `exp`; 1 to %d are "
		    "allowed",
		    (long long)(t->expires_at - iat), ID_TOKEN_LIFE_MAX_S);
	return 0;
}

static bool
hash(const char *issuer, const char *kind, struct slice id, unsigned char *digest)
{
	struct sha256 hash;

	(void)sha256_begin(&hash);
	/* each with its NUL, so that no two pairs are one text */
	(void)sha256_add(&hash, issuer, strlen(issuer) + 1);
	(void)sha256_add(&hash, kind, strlen(kind) + 1);
	(void)sha256_add(&hash, id.p, id.n);
	return sha256_end(&hash, digest);
}

static int
identify(const struct jwt *jwt, const struct json_get *get, const char *issuer,
    struct id_token *t)
{
	const char *jti = NULL;
	struct slice id = jwt->signed_part;

	if (json_get_str(get, "jti", false, &jti) == -1)
		return -1;
	if (jti != NULL && (jti[0] == '\0' || strlen(jti) > JTI_MAX))
		return err_set(get->err, 400, "the token's `jti` must have 1 to %d bytes", JTI_MAX);
	if (jti != NULL)
		id = slice_str(jti);
	if (!hash(issuer, jti != NULL ? "jti" : "signed", id, t->digest))
		return err_internal(get->err, 500, "SHA-256 failed");
	return 0;
}

int
id_token_check(const struct jwt *jwt, const struct id_token_expected *expected, struct id_token *t,
    struct err *err)
{
	const struct json_get get = { jwt->claims, what, err };
	const char *iss = id_token_issuer(jwt);

	if (iss == NULL || strcmp(iss, expected->issuer) != 0)
		return err_set(err, 400, "the token's issuer is `%.*s`; it must be `%.*s`", SHOWN_MAX,
		    iss != NULL ? iss : "", SHOWN_MAX, expected->issuer);
	if (check_audience(jwt, expected, err) == -1 || check_times(&get, expected->now, t) == -1)
		return -1;
	return identify(jwt, &get, expected->issuer, t);
}
