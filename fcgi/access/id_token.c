#include "access/id_token.h"

#include "base/json.h"
#include "base/sha256.h"

enum { AUDIENCES_MAX = 16, JTI_MAX = 255 };

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
is_string(struct json_object *value, const char *wanted)
{
	return json_object_is_type(value, json_type_string) &&
	    strcmp(json_object_get_string(value), wanted) == 0;
}

bool
id_token_is_for(const struct jwt *jwt, const char *audience)
{
	struct json_object *aud;
	size_t n;

	if (!json_object_object_get_ex(jwt->claims, "aud", &aud))
		return false;
	if (!json_object_is_type(aud, json_type_array))
		return is_string(aud, audience);
	n = json_object_array_length(aud);
	if (n > AUDIENCES_MAX)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (is_string(json_object_array_get_idx(aud, i), audience))
			return true;
	}
	return false;
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
		return err_set(get->err, 400, "%s: field `%s` is no moment", what, name);
	*out = (int64_t)json_object_get_double(value);
	return 0;
}

static int
check_times(const struct json_get *get, int64_t now, struct id_token *t)
{
	int64_t iat = 0, nbf = 0;

	if (get_time(get, "exp", true, &t->expires_at) == -1 ||
	    get_time(get, "iat", true, &iat) == -1 || get_time(get, "nbf", false, &nbf) == -1)
		return -1;
	if (now >= t->expires_at + ID_TOKEN_LEEWAY_S)
		return err_set(get->err, 400, "the token has expired");
	if (iat > now + ID_TOKEN_LEEWAY_S || nbf > now + ID_TOKEN_LEEWAY_S)
		return err_set(get->err, 400, "the token is not valid yet");
	if (t->expires_at <= iat || t->expires_at - iat > ID_TOKEN_LIFE_MAX_S)
		return err_set(get->err, 400, "the token is valid for too long a time");
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
id_token_check(const struct jwt *jwt, const char *issuer, const char *audience, int64_t now,
    struct id_token *t, struct err *err)
{
	const struct json_get get = { jwt->claims, what, err };
	const char *iss = id_token_issuer(jwt);

	if (iss == NULL || strcmp(iss, issuer) != 0)
		return err_set(err, 400, "the token is from another issuer");
	if (!id_token_is_for(jwt, audience))
		return err_set(err, 400, "the token must be for the audience `%s`", audience);
	if (check_times(&get, now, t) == -1)
		return -1;
	return identify(jwt, &get, issuer, t);
}
