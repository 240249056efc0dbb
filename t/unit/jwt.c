/* JSON Web Tokens and the keys that they are held against, with keys made here. */

#include "access/jwt.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>

#include "base/base64.h"
#include "base/buf.h"
#include "tap.h"

static struct arena *a;

/* ---- base64url out, keys out, tokens out: what the code itself never writes ---- */

static const char *
encode(const void *p, size_t n)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	const unsigned char *in = p;
	struct buf b;

	buf_init(&b, a, 1 << 20);
	for (size_t i = 0; i < n; i += 3) {
		unsigned v = (unsigned)in[i] << 16 | (i + 1 < n ? (unsigned)in[i + 1] << 8 : 0) |
		    (i + 2 < n ? in[i + 2] : 0);

		for (size_t k = 0; k < 4 && i + k <= n; k++)
			buf_putc(&b, digits[v >> (18 - 6 * k) & 63]);
	}
	return buf_str(&b);
}

static const char *
encode_number(EVP_PKEY *key, const char *name, int width)
{
	unsigned char bytes[2048];
	BIGNUM *n = NULL;
	int size;

	ok(EVP_PKEY_get_bn_param(key, name, &n) == 1, "the key has %s", name);
	size = width != 0 ? width : BN_num_bytes(n);
	BN_bn2binpad(n, bytes, size);
	BN_free(n);
	return encode(bytes, (size_t)size);
}

static const char *
rsa_jwk(EVP_PKEY *key, const char *kid, const char *more)
{
	return arena_printf(a, "{\"kty\":\"RSA\",\"kid\":\"%s\",\"n\":\"%s\",\"e\":\"%s\"%s}", kid,
	    encode_number(key, OSSL_PKEY_PARAM_RSA_N, 0),
	    encode_number(key, OSSL_PKEY_PARAM_RSA_E, 0), more);
}

static const char *
ec_jwk(EVP_PKEY *key, const char *kid, const char *more)
{
	return arena_printf(a,
	    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"%s\",\"x\":\"%s\",\"y\":\"%s\"%s}", kid,
	    encode_number(key, OSSL_PKEY_PARAM_EC_PUB_X, 32),
	    encode_number(key, OSSL_PKEY_PARAM_EC_PUB_Y, 32), more);
}

static const char *
keys_of(const char *list)
{
	return arena_printf(a, "{\"keys\":[%s]}", list);
}

/* The bytes of an ECDSA signature as a token has them. */
static size_t
from_der(const unsigned char *der, size_t n, unsigned char out[64])
{
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)n);

	BN_bn2binpad(ECDSA_SIG_get0_r(sig), out, 32);
	BN_bn2binpad(ECDSA_SIG_get0_s(sig), out + 32, 32);
	ECDSA_SIG_free(sig);
	return 64;
}

static const char *
sign(EVP_PKEY *key, const char *header, const char *payload)
{
	const char *text =
	    arena_printf(a, "%s.%s", encode(header, strlen(header)), encode(payload, strlen(payload)));
	unsigned char signature[2048], raw[64];
	size_t n = sizeof(signature);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key);
	EVP_DigestSign(ctx, signature, &n, (const unsigned char *)text, strlen(text));
	EVP_MD_CTX_free(ctx);
	if (EVP_PKEY_is_a(key, "EC")) {
		n = from_der(signature, n, raw);
		memcpy(signature, raw, n);
	}
	return arena_printf(a, "%s.%s", text, encode(signature, n));
}

/* ---- */

static const char rs256[] = "{\"alg\":\"RS256\",\"kid\":\"r\",\"typ\":\"JWT\"}";
static const char es256[] = "{\"alg\":\"ES256\",\"kid\":\"e\"}";
static const char payload[] = "{\"iss\":\"https://ci.example.com\",\"n\":[1,2]}";

/* Decodes, finds the key by kid and algorithm, verifies: what a caller does. */
static int
check(const struct jwk_set *set, const char *text, struct err *err)
{
	const struct jwk *key;
	struct jwt jwt;

	if (jwt_decode(a, slice_str(text), &jwt, err) == -1)
		return -1;
	key = jwk_find(set, jwt.kid, jwt.alg);
	if (key == NULL)
		return err_set(err, 400, "no such key");
	return jwt_verify(&jwt, key, err);
}

static void
refuses(const struct jwk_set *set, const char *text, const char *why, const char *name)
{
	struct err err = { 0 };

	is_int(check(set, text, &err), -1, name);
	is_int(err.status, 400, arena_printf(a, "%s: 400", name));
	ok(strstr(err.pub, why) != NULL, "%s: says %s (%s)", name, why, err.pub);
}

static void
test_good(const struct jwk_set *set, EVP_PKEY *rsa, EVP_PKEY *ec)
{
	struct err err = { 0 };
	struct jwt jwt;
	struct json_object *iss;

	is_int(check(set, sign(rsa, rs256, payload), &err), 0, "RS256");
	for (int i = 0; i < 20; i++)
		is_int(check(set, sign(ec, es256, payload), &err), 0, "ES256");
	is_int(jwt_decode(a, slice_str(sign(rsa, rs256, payload)), &jwt, &err), 0, "decodes");
	is_str(jwt.kid, "r", "its key");
	ok(json_object_object_get_ex(jwt.claims, "iss", &iss), "its issuer");
	is_str(json_object_get_string(iss), "https://ci.example.com", "as it was");
	ok(jwt_looks_like(slice_str(sign(ec, es256, payload))), "it has the shape");
}

static void
test_algorithms(const struct jwk_set *set, EVP_PKEY *rsa, EVP_PKEY *ec)
{
	static const char hs256[] = "{\"alg\":\"HS256\",\"kid\":\"r\"}";
	const char *signed_part = arena_printf(a, "%s.%s", encode(hs256, strlen(hs256)),
	    encode(payload, strlen(payload)));
	const char *pem = rsa_jwk(rsa, "r", "");
	unsigned char mac[EVP_MAX_MD_SIZE];
	unsigned n;
	const char *alg = "must be signed with RS256 or ES256";

	refuses(set, sign(rsa, "{\"alg\":\"none\",\"kid\":\"r\"}", payload), alg, "alg none");
	refuses(set, sign(rsa, "{\"alg\":\"None\",\"kid\":\"r\"}", payload), alg, "alg None");
	refuses(set, sign(rsa, "{\"alg\":\"rs256\",\"kid\":\"r\"}", payload), alg, "alg rs256");
	refuses(set, sign(rsa, "{\"alg\":\"RS384\",\"kid\":\"r\"}", payload), alg, "alg RS384");
	refuses(set, sign(rsa, "{\"alg\":\"PS256\",\"kid\":\"r\"}", payload), alg, "alg PS256");
	refuses(set, sign(rsa, "{\"alg\":\"\",\"kid\":\"r\"}", payload), alg, "no word for alg");
	HMAC(EVP_sha256(), pem, (int)strlen(pem), (const unsigned char *)signed_part,
	    strlen(signed_part), mac, &n);
	refuses(set, arena_printf(a, "%s.%s", signed_part, encode(mac, n)), alg,
	    "HS256 with the public key");
	refuses(set, sign(ec, "{\"alg\":\"RS256\",\"kid\":\"r\"}", payload), "signature is not valid",
	    "RS256 signed by another key");
	refuses(set, sign(ec, "{\"alg\":\"RS256\",\"kid\":\"e\"}", payload), "no such key",
	    "RS256 with the name of a key for ES256");
	refuses(set, sign(rsa, "{\"alg\":\"ES256\",\"kid\":\"e\"}", payload),
	    "signature is not valid", "ES256 with a signature of RSA");
}

static void
test_header(const struct jwk_set *set, EVP_PKEY *rsa)
{
	const char *long_kid = arena_printf(a, "{\"alg\":\"RS256\",\"kid\":\"%0256d\"}", 7);

	refuses(set, sign(rsa, "{\"alg\":\"RS256\"}", payload), "missing field `kid`", "no kid");
	refuses(set, sign(rsa, "{\"kid\":\"r\"}", payload), "missing field `alg`", "no alg");
	refuses(set, sign(rsa, "{\"alg\":[\"RS256\"],\"kid\":\"r\"}", payload), "must be a string",
	    "a list for alg");
	refuses(set, sign(rsa, long_kid, payload), "longer than 255", "a long kid");
	refuses(set, sign(rsa, "{\"alg\":\"RS256\",\"kid\":\"../../r\"}", payload), "no such key",
	    "a path for kid");
	refuses(set, sign(rsa, "{\"alg\":\"RS256\",\"kid\":\"r\",\"typ\":\"at+jwt\"}", payload),
	    "`typ` must be JWT", "another typ");
	refuses(set, sign(rsa, "{\"alg\":\"RS256\",\"kid\":\"r\",\"crit\":[\"b64\"],\"b64\":false}", payload),
	    "`crit`", "an extension that must be understood");
	refuses(set, sign(rsa, "[\"RS256\",\"r\"]", payload), "not a JSON object", "a list");
	refuses(set, sign(rsa, "{\"alg\":\"none\",\"alg\":\"RS256\",\"kid\":\"r\"}", payload),
	    "header: ", "alg twice");
	refuses(set, sign(rsa, "{\"alg\":\"RS256\",\"kid\":\"r\"} ,", payload), "header: ",
	    "more after the header");
	refuses(set, sign(rsa, rs256, "[1]"), "payload is not a JSON object", "a payload that is a list");
	refuses(set, sign(rsa, rs256, "{\"a\":1,\"a\":2}"), "payload: ", "a claim twice");
	refuses(set, sign(rsa, rs256, "{\"exp\":NaN}"), "payload: ", "NaN");
}

static void
test_shape(const struct jwk_set *set, EVP_PKEY *rsa)
{
	const char *good = sign(rsa, rs256, payload);
	size_t n = strlen(good);
	const char *last = strrchr(good, '.');
	char *text;

	refuses(set, "", "three parts", "nothing");
	refuses(set, "a.b", "three parts", "two parts");
	refuses(set, "..", "three parts", "three empty parts");
	refuses(set, arena_printf(a, "%s.x", good), "three parts", "four parts");
	refuses(set, arena_strndup(a, good, (size_t)(last - good) + 1), "three parts",
	    "without the signature");
	refuses(set, arena_printf(a, "%s=", good), "signature is not valid base64url", "padding");
	refuses(set, arena_printf(a, " %s", good), "header is not valid base64url", "a blank before");
	refuses(set, arena_printf(a, "%*d", JWT_MAX + 1, 7), "longer than", "too long");
	for (size_t i = 0; i < n; i += 7) {
		struct err err = { 0 };

		text = arena_strdup(a, good);
		text[i] = text[i] == 'A' ? 'B' : 'A';
		ok(strcmp(text, good) == 0 || check(set, text, &err) == -1, "byte %zu changed", i);
	}
	for (size_t i = 0; i < n; i += 11) {
		struct err err = { 0 };

		is_int(check(set, arena_strndup(a, good, i), &err), -1, "cut short");
	}
	ok(!jwt_looks_like(slice_str("eyJ.eyJ")), "two parts have not the shape");
	ok(!jwt_looks_like(slice_str("berth_pat_x.y.z")), "nor has something else");
	ok(!jwt_looks_like(slice_str("eyJ.ey/J.x")), "nor has other base 64");
}

/* How many of the keys can be used; -1: the set is refused. */
static int
count(const char *text)
{
	struct jwk_set set;
	struct err err = { 0 };

	if (jwk_set_parse(a, slice_str(text), &set, &err) == -1) {
		is_int(err.status, 400, "refused with 400");
		return -1;
	}
	return (int)set.n;
}

static void
test_keys(EVP_PKEY *rsa, EVP_PKEY *ec)
{
	EVP_PKEY *small = EVP_RSA_gen(1024), *p384 = EVP_EC_gen("P-384");
	const char *good = rsa_jwk(rsa, "r", ",\"use\":\"sig\",\"alg\":\"RS256\"");
	const char *n = encode_number(rsa, OSSL_PKEY_PARAM_RSA_N, 0);
	const char *many = good;

	is_int(count(keys_of(good)), 1, "a key with all that it may have");
	is_int(count(keys_of(arena_printf(a, "%s,%s", good, ec_jwk(ec, "e", "")))), 2, "two types");
	is_int(count(keys_of(arena_printf(a, "%s,%s", good, rsa_jwk(small, "s", "")))), 1,
	    "1024 bits are passed over");
	is_int(count(keys_of(rsa_jwk(small, "s", ""))), -1, "and alone are none");
	is_int(count(keys_of(rsa_jwk(rsa, "r", ",\"use\":\"enc\""))), -1, "a key for encryption");
	is_int(count(keys_of(rsa_jwk(rsa, "r", ",\"alg\":\"RS512\""))), -1, "a key for RS512");
	is_int(count(keys_of(rsa_jwk(rsa, "", ""))), -1, "a key without a name");
	is_int(count(keys_of("{\"kty\":\"oct\",\"kid\":\"o\",\"k\":\"c2VjcmV0\"}")), -1, "a secret");
	is_int(count(keys_of(arena_printf(a,
	           "{\"kty\":\"RSA\",\"kid\":\"r\",\"n\":\"%s\",\"e\":\"AQ\"}", n))), -1, "e is 1");
	is_int(count(keys_of(arena_printf(a,
	           "{\"kty\":\"RSA\",\"kid\":\"r\",\"n\":\"%s\",\"e\":\"Ag\"}", n))), -1, "e is 2");
	is_int(count(keys_of("{\"kty\":\"RSA\",\"kid\":\"r\",\"e\":\"AQAB\"}")), -1, "no n");
	is_int(count(keys_of(arena_printf(a,
	           "{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"e\",\"x\":\"%s\",\"y\":\"%s\"}",
	           encode_number(ec, OSSL_PKEY_PARAM_EC_PUB_X, 32),
	           encode_number(ec, OSSL_PKEY_PARAM_EC_PUB_X, 32)))), -1, "a point beside the curve");
	is_int(count(keys_of(arena_printf(a,
	           "{\"kty\":\"EC\",\"crv\":\"P-384\",\"kid\":\"e\",\"x\":\"%s\",\"y\":\"%s\"}",
	           encode_number(p384, OSSL_PKEY_PARAM_EC_PUB_X, 48),
	           encode_number(p384, OSSL_PKEY_PARAM_EC_PUB_Y, 48)))), -1, "another curve");
	for (int i = 1; i < JWK_KEYS_MAX; i++)
		many = arena_printf(a, "%s,%s", many, "{}");
	is_int(count(keys_of(many)), 1, "as many as can be");
	is_int(count(keys_of(arena_printf(a, "%s,{}", many))), -1, "one more");
	is_int(count("[]"), -1, "a list");
	is_int(count("{\"keys\":{}}"), -1, "keys that are no list");
	is_int(count("{\"keys\":[]}"), -1, "no keys");
	is_int(count("{\"keys\":[1,null,\"x\",[]]}"), -1, "what is no key");
	is_int(count("<html>"), -1, "no JSON");
	EVP_PKEY_free(small);
	EVP_PKEY_free(p384);
}

static void
test_base64url(void)
{
	char out[16];
	size_t n;

	ok(base64url_decode(slice_str("_-8"), out, &n) && n == 2, "the other alphabet");
	is_int((unsigned char)out[0], 0xff, "its first byte");
	ok(!base64url_decode(slice_str("_-9"), out, &n), "bits left over");
	ok(!base64url_decode(slice_str("A"), out, &n), "one digit");
	ok(!base64url_decode(slice_str("AA=="), out, &n), "padding");
	ok(!base64url_decode(slice_str("+/8"), out, &n), "the usual alphabet");
	ok(base64url_decode(slice_str(""), out, &n) && n == 0, "nothing");
}

int
main(void)
{
	EVP_PKEY *rsa = EVP_RSA_gen(2048), *ec = EVP_EC_gen("P-256");
	struct jwk_set set = { 0 };
	struct err err = { 0 };

	a = arena_new();
	is_int(jwk_set_parse(a,
	           slice_str(keys_of(arena_printf(a, "%s,%s", rsa_jwk(rsa, "r", ""), ec_jwk(ec, "e", "")))),
	           &set, &err), 0, "the keys");
	test_good(&set, rsa, ec);
	test_algorithms(&set, rsa, ec);
	test_header(&set, rsa);
	test_shape(&set, rsa);
	test_keys(rsa, ec);
	test_base64url();
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(ec);
	arena_free(a);
	return tap_done();
}
