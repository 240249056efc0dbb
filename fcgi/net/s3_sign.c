#include "net/s3_sign.h"

#include <stdbool.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/hex.h"
#include "base/sha256.h"

#define ALGORITHM "AWS4-HMAC-SHA256"

enum { CANONICAL_MAX = 64 * 1024, DAY_LENGTH = 8, SIGNATURE_SIZE = 2 * SHA256_SIZE + 1 };

void
s3_encode(struct buf *b, struct slice text, bool path)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";

	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		if (memchr(plain, c, sizeof(plain) - 1) != NULL || (path && c == '/'))
			buf_putc(b, c);
		else
			buf_printf(b, "%%%02X", (unsigned char)c);
	}
}

/* "20130524/us-east-1/s3/aws4_request" */
static const char *
scope(struct arena *a, const struct s3_signing *s)
{
	return arena_printf(a, "%.*s/%s/s3/aws4_request", DAY_LENGTH, s->date, s->region);
}

/* "host;x-amz-date": the names of the headers. */
static const char *
signed_headers(struct arena *a, const struct s3_signing *s)
{
	struct buf b;

	buf_init(&b, a, CANONICAL_MAX);
	for (size_t i = 0; s->headers[i] != NULL; i++) {
		if (i > 0)
			buf_putc(&b, ';');
		buf_put(&b, s->headers[i], strcspn(s->headers[i], ":"));
	}
	return buf_str(&b);
}

/* The digest of the canonical request. */
static bool
digest_request(struct arena *a, const struct s3_signing *s, char hex[SIGNATURE_SIZE])
{
	unsigned char digest[SHA256_SIZE];
	struct buf b;

	buf_init(&b, a, CANONICAL_MAX);
	buf_printf(&b, "%s\n%s\n%s\n", s->method, s->path, s->query);
	for (size_t i = 0; s->headers[i] != NULL; i++)
		buf_printf(&b, "%s\n", s->headers[i]);
	buf_printf(&b, "\n%s\n%s", signed_headers(a, s), s->payload);
	if (buf_full(&b) || !sha256_digest(b.p, b.n, digest))
		return false;
	hex_encode(digest, sizeof(digest), hex);
	return true;
}

/* HMAC of the text with the key, which it replaces. */
static bool
chain(unsigned char key[SHA256_SIZE], struct slice text)
{
	unsigned char mac[SHA256_SIZE];
	bool good = HMAC(EVP_sha256(), key, SHA256_SIZE, (const unsigned char *)text.p, text.n, mac, NULL) != NULL;

	memcpy(key, mac, sizeof(mac));
	OPENSSL_cleanse(mac, sizeof(mac));
	return good;
}

/* The key of this day, region and service. */
static bool
derive_key(struct arena *a, const struct s3_signing *s, unsigned char key[SHA256_SIZE])
{
	char *secret = arena_printf(a, "AWS4%s", s->credentials->secret);
	bool good = HMAC(EVP_sha256(), secret, (int)strlen(secret), (const unsigned char *)s->date, DAY_LENGTH,
	    key, NULL) != NULL;

	OPENSSL_cleanse(secret, strlen(secret));
	return good && chain(key, slice_str(s->region)) && chain(key, slice_str("s3")) &&
	    chain(key, slice_str("aws4_request"));
}

static bool
sign(struct arena *a, const struct s3_signing *s, char signature[SIGNATURE_SIZE])
{
	char hex[SIGNATURE_SIZE];
	unsigned char key[SHA256_SIZE];
	bool good = digest_request(a, s, hex) && derive_key(a, s, key) &&
	    chain(key, slice_str(arena_printf(a, ALGORITHM "\n%s\n%s\n%s", s->date, scope(a, s), hex)));

	if (good)
		hex_encode(key, sizeof(key), signature);
	OPENSSL_cleanse(key, sizeof(key));
	return good;
}

const char *
s3_authorization(struct arena *a, const struct s3_signing *s)
{
	char signature[SIGNATURE_SIZE];

	if (!sign(a, s, signature))
		return NULL;
	return arena_printf(a, ALGORITHM " Credential=%s/%s,SignedHeaders=%s,Signature=%s", s->credentials->key_id,
	    scope(a, s), signed_headers(a, s), signature);
}
