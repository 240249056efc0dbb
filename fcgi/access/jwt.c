#include "access/jwt.h"

#include <strings.h>

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>

#include "base/base64.h"
#include "base/json.h"

enum { HEADER, PAYLOAD, SIGNATURE, NPARTS };

/* Takes the parts off the text; false where there are more or fewer, or one is empty. */
static bool
split(struct slice text, struct slice parts[NPARTS])
{
	for (int i = 0; i < NPARTS; i++) {
		const char *dot = memchr(text.p, '.', text.n);
		bool last = i == NPARTS - 1;

		if (last != (dot == NULL))
			return false;
		parts[i] = slice_of(text.p, last ? text.n : (size_t)(dot - text.p));
		if (parts[i].n == 0)
			return false;
		if (!last)
			text = slice_of(dot + 1, text.n - parts[i].n - 1);
	}
	return true;
}

static bool
is_base64url(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		        c == '-' || c == '_'))
			return false;
	}
	return true;
}

bool
jwt_looks_like(struct slice text)
{
	struct slice parts[NPARTS];

	/* the JSON of a header begins with {" */
	return text.n <= JWT_MAX && slice_has_prefix(text, "ey") && split(text, parts) &&
	    is_base64url(parts[HEADER]) && is_base64url(parts[PAYLOAD]) &&
	    is_base64url(parts[SIGNATURE]);
}

static int
decode_part(struct arena *a, struct slice part, const char *what, struct slice *out,
    struct err *err)
{
	char *bytes = arena_alloc(a, part.n);
	size_t n;

	if (!base64url_decode(part, bytes, &n))
		return err_set(err, 400, "%s is not valid base64url", what);
	*out = slice_of(bytes, n);
	return 0;
}

static int
decode_object(struct arena *a, struct slice part, const char *what, struct json_object **out,
    struct err *err)
{
	struct slice text = slice_of("", 0);

	if (decode_part(a, part, what, &text, err) == -1 ||
	    json_parse(a, text, what, out, err) == -1)
		return -1;
	if (!json_object_is_type(*out, json_type_object))
		return err_set(err, 400, "%s is not a JSON object", what);
	return 0;
}

static int
read_header(struct json_object *header, struct jwt *jwt, struct err *err)
{
	const struct json_get get = { header, "the token's header", err };
	struct json_object *critical;
	const char *alg, *typ = "JWT";

	if (json_get_str(&get, "alg", true, &alg) == -1 ||
	    json_get_str(&get, "kid", true, &jwt->kid) == -1 ||
	    json_get_str(&get, "typ", false, &typ) == -1)
		return -1;
	for (jwt->alg = 0; jwt->alg < JWK__NALGS; jwt->alg++) {
		if (strcmp(jwk_alg_names[jwt->alg], alg) == 0)
			break;
	}
	if (jwt->alg == JWK__NALGS)
		return err_set(err, 400, "the token must be signed with RS256 or ES256");
	if (strlen(jwt->kid) > JWK_KID_MAX)
		return err_set(err, 400, "the token's `kid` is longer than %d bytes", JWK_KID_MAX);
	if (strcasecmp(typ, "JWT") != 0)
		return err_set(err, 400, "the token's `typ` must be JWT");
	/* extensions that have to be understood: we know none (RFC 7515 section 4.1.11) */
	if (json_object_object_get_ex(header, "crit", &critical))
		return err_set(err, 400, "the token's header has `crit`, which is not supported");
	return 0;
}

int
jwt_decode(struct arena *a, struct slice text, struct jwt *jwt, struct err *err)
{
	struct slice parts[NPARTS];
	struct json_object *header;

	*jwt = (struct jwt) { .kid = "" };
	if (text.n > JWT_MAX)
		return err_set(err, 400, "the token is longer than %d bytes", JWT_MAX);
	if (!split(text, parts))
		return err_set(err, 400,
		    "this is not an identity token (a JWT), which has three parts with dots between them");
	if (decode_object(a, parts[HEADER], "the token's header", &header, err) == -1 ||
	    read_header(header, jwt, err) == -1 ||
	    decode_object(a, parts[PAYLOAD], "the token's payload", &jwt->claims, err) == -1 ||
	    decode_part(a, parts[SIGNATURE], "the token's signature", &jwt->signature, err) == -1)
		return -1;
	jwt->signed_part = slice_of(text.p, parts[HEADER].n + 1 + parts[PAYLOAD].n);
	return 0;
}

/* OpenSSL wants the two numbers of an ECDSA signature in DER; a token has them side by side. */
static bool
to_der(struct slice raw, unsigned char **der, size_t *n)
{
	enum { NUMBER = 32 };
	const unsigned char *p = (const unsigned char *)raw.p;
	ECDSA_SIG *sig;
	BIGNUM *r, *s;
	int length = -1;

	if (raw.n != 2 * (size_t)NUMBER)
		return false;
	sig = ECDSA_SIG_new();
	r = BN_bin2bn(p, NUMBER, NULL);
	s = BN_bin2bn(p + NUMBER, NUMBER, NULL);
	*der = NULL;
	if (sig != NULL && r != NULL && s != NULL && ECDSA_SIG_set0(sig, r, s) == 1) {
		length = i2d_ECDSA_SIG(sig, der);
	} else {
		BN_free(r);
		BN_free(s);
	}
	ECDSA_SIG_free(sig);
	*n = length > 0 ? (size_t)length : 0;
	return length > 0;
}

static bool
is_signature(const struct jwt *jwt, EVP_PKEY *key, const unsigned char *signature, size_t n)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool good;

	/* for RSA the padding is that of PKCS #1 1.5 unless told otherwise, as RS256 has it */
	good = ctx != NULL && EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
	    EVP_DigestVerify(ctx, signature, n, (const unsigned char *)jwt->signed_part.p,
	        jwt->signed_part.n) == 1;
	EVP_MD_CTX_free(ctx);
	return good;
}

int
jwt_verify(const struct jwt *jwt, const struct jwk *key, struct err *err)
{
	const unsigned char *signature = (const unsigned char *)jwt->signature.p;
	size_t n = jwt->signature.n;
	unsigned char *der = NULL;
	bool good;

	if (jwt->alg != key->alg)
		return err_set(err, 400, "the token is not signed with the algorithm of its key");
	if (key->alg == JWK_ES256 && !to_der(jwt->signature, &der, &n))
		return err_set(err, 400, "the token's signature is not valid");
	good = is_signature(jwt, key->key, der != NULL ? der : signature, n);
	OPENSSL_free(der);
	return good ? 0 : err_set(err, 400, "the token's signature is not valid");
}
