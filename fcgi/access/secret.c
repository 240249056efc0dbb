#include "access/secret.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/base62.h"
#include "base/hex.h"
#include "base/random.h"
#include "base/sha256.h"

enum { RANDOM_SIZE = 32, DIGITS = BASE62_256_WIDTH };

_Static_assert((int)SECRET_TEXT_SIZE == (int)DIGITS + 1, "digits and a NUL");

static bool
hash(const char *text, unsigned char digest[SECRET_DIGEST_SIZE])
{
	return sha256_digest(text, DIGITS, digest);
}

int
secret_generate(char text[SECRET_TEXT_SIZE], unsigned char digest[SECRET_DIGEST_SIZE],
    struct err *err)
{
	unsigned char bytes[RANDOM_SIZE];

	if (random_bytes(bytes, sizeof(bytes), err) == -1)
		return -1;
	base62_encode(bytes, sizeof(bytes), text, DIGITS);
	OPENSSL_cleanse(bytes, sizeof(bytes));
	if (!hash(text, digest))
		return err_internal(err, 500, "SHA-256 failed");
	return 0;
}

bool
secret_parse(struct slice text, unsigned char digest[SECRET_DIGEST_SIZE])
{
	return text.n == DIGITS && base62_valid(text) && hash(text.p, digest);
}

void
secret_form(const char *session, int64_t user_id, char out[SECRET_FORM_SIZE])
{
	enum { PURPOSE_SIZE = 32 };
	char purpose[PURPOSE_SIZE];
	unsigned char mac[EVP_MAX_MD_SIZE];
	unsigned int n = 0;
	const unsigned char *done;

	snprintf(purpose, sizeof(purpose), "form %" PRId64, user_id);
	done = HMAC(EVP_sha256(), session, (int)strlen(session), (const unsigned char *)purpose,
	    strlen(purpose), mac, &n);
	/* SHA-256 of memory fails only where there is no memory */
	assert(done != NULL && 2 * n + 1 == SECRET_FORM_SIZE);
	hex_encode(mac, n, out);
}

bool
secret_form_matches(const char *session, int64_t user_id, const char *given)
{
	char expected[SECRET_FORM_SIZE];

	secret_form(session, user_id, expected);
	return strlen(given) == SECRET_FORM_SIZE - 1 &&
	    CRYPTO_memcmp(expected, given, SECRET_FORM_SIZE - 1) == 0;
}
