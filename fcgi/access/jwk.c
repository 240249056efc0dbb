#include "access/jwk.h"

#include <stdbool.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include "base/base64.h"
#include "base/json.h"

enum {
	RSA_BITS_MIN = 2048,
	RSA_BITS_MAX = 8192,
	RSA_E_MAX = 8, /* bytes */
	P256_SIZE = 32, /* of a coordinate */
	NUMBER_MAX = RSA_BITS_MAX / 8
};

const char *const jwk_alg_names[JWK__NALGS] = {
	[JWK_RS256] = "RS256",
	[JWK_ES256] = "ES256",
};

static void
key_free(void *key)
{
	EVP_PKEY_free(key);
}

/* A member that is text; NULL: there is none. */
static const char *
member(struct json_object *jwk, const char *name)
{
	struct json_object *value;

	if (!json_object_object_get_ex(jwk, name, &value) ||
	    !json_object_is_type(value, json_type_string))
		return NULL;
	return json_object_get_string(value);
}

/* A number: big-endian bytes in base64url.  NULL: none, or too large. */
static BIGNUM *
number(struct json_object *jwk, const char *name)
{
	unsigned char bytes[NUMBER_MAX + 2];
	const char *text = member(jwk, name);
	size_t n;

	if (text == NULL || strlen(text) > (NUMBER_MAX * 4 + 2) / 3 ||
	    !base64url_decode(slice_str(text), (char *)bytes, &n))
		return NULL;
	return BN_bin2bn(bytes, (int)n, NULL);
}

/* Takes over the parameters.  NULL: they are no key. */
static void *
build(const char *type, OSSL_PARAM_BLD *builder)
{
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(builder);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *key = NULL;

	if (params == NULL || ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		key = NULL;
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(builder);
	return key;
}

static void *
rsa_key(struct json_object *jwk)
{
	BIGNUM *n = number(jwk, "n"), *e = number(jwk, "e");
	OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	void *key = NULL;

	/* of an even number, or of 1, nothing good comes */
	if (n != NULL && e != NULL && builder != NULL && BN_num_bits(n) >= RSA_BITS_MIN &&
	    BN_num_bits(n) <= RSA_BITS_MAX && BN_is_odd(n) && BN_is_odd(e) && !BN_is_one(e) &&
	    BN_num_bytes(e) <= RSA_E_MAX &&
	    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
	    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e) == 1)
		key = build("RSA", builder);
	else
		OSSL_PARAM_BLD_free(builder);
	BN_free(n);
	BN_free(e);
	return key;
}

/* A coordinate has all of its bytes, zeros as well. */
static bool
coordinate(struct json_object *jwk, const char *name, unsigned char *out)
{
	char bytes[P256_SIZE + 2];
	const char *text = member(jwk, name);
	size_t n;

	if (text == NULL || strlen(text) > (P256_SIZE * 4 + 2) / 3 ||
	    !base64url_decode(slice_str(text), bytes, &n) || n != P256_SIZE)
		return false;
	memcpy(out, bytes, P256_SIZE);
	return true;
}

static void *
ec_key(struct json_object *jwk)
{
	enum { UNCOMPRESSED = 4 };
	unsigned char point[1 + 2 * P256_SIZE] = { UNCOMPRESSED };
	const char *curve = member(jwk, "crv");
	OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();

	if (builder != NULL && curve != NULL && strcmp(curve, "P-256") == 0 &&
	    coordinate(jwk, "x", point + 1) && coordinate(jwk, "y", point + 1 + P256_SIZE) &&
	    OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1",
	        0) == 1 &&
	    OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point,
	        sizeof(point)) == 1)
		/* a point that is not on the curve is refused there */
		return build("EC", builder);
	OSSL_PARAM_BLD_free(builder);
	return NULL;
}

static const struct {
	const char *kty;
	enum jwk_alg alg;
	void *(*key)(struct json_object *);
} types[] = {
	{ "RSA", JWK_RS256, rsa_key },
	{ "EC", JWK_ES256, ec_key },
};

/* Is the member absent, or this? */
static bool
may_be(struct json_object *jwk, const char *name, const char *expected)
{
	struct json_object *value;
	const char *text = member(jwk, name);

	if (!json_object_object_get_ex(jwk, name, &value))
		return true;
	return text != NULL && strcmp(text, expected) == 0;
}

static bool
key_parse(struct arena *a, struct json_object *jwk, struct jwk *out)
{
	const char *kty, *kid;

	if (!json_object_is_type(jwk, json_type_object))
		return false;
	kty = member(jwk, "kty");
	kid = member(jwk, "kid");
	if (kty == NULL || kid == NULL || kid[0] == '\0' || strlen(kid) > JWK_KID_MAX ||
	    !may_be(jwk, "use", "sig"))
		return false;
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		if (strcmp(types[i].kty, kty) != 0 || !may_be(jwk, "alg", jwk_alg_names[types[i].alg]))
			continue;
		*out = (struct jwk) { arena_strdup(a, kid), types[i].alg, types[i].key(jwk) };
		if (out->key == NULL)
			return false;
		arena_defer(a, key_free, out->key);
		return true;
	}
	return false;
}

int
jwk_set_parse(struct arena *a, struct slice text, struct jwk_set *set, struct err *err)
{
	struct json_object *root, *keys;
	struct json_get get = { .what = "the JWK Set", .err = err };
	size_t n;

	if (json_parse(a, text, "the JWK Set", &root, err) == -1)
		return -1;
	if (!json_object_is_type(root, json_type_object))
		return err_set(err, 400, "the JWK Set must be an object");
	get.obj = root;
	if (json_get_array(&get, "keys", true, &keys) == -1)
		return -1;
	n = json_object_array_length(keys);
	if (n > JWK_KEYS_MAX)
		return err_set(err, 400, "the JWK Set has more than %d keys", JWK_KEYS_MAX);
	*set = (struct jwk_set) { .keys = arena_calloc(a, n, sizeof(*set->keys)) };
	for (size_t i = 0; i < n; i++) {
		if (key_parse(a, json_object_array_get_idx(keys, i), &set->keys[set->n]))
			set->n++;
	}
	if (set->n == 0)
		return err_set(err, 400, "the JWK Set has no key for RS256 or ES256");
	return 0;
}

const struct jwk *
jwk_find(const struct jwk_set *set, const char *kid, enum jwk_alg alg)
{
	for (size_t i = 0; i < set->n; i++) {
		if (set->keys[i].alg == alg && strcmp(set->keys[i].kid, kid) == 0)
			return &set->keys[i];
	}
	return NULL;
}
