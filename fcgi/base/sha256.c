#include "base/sha256.h"

#include <openssl/evp.h>

static struct {
	EVP_MD *algorithm;
	EVP_MD_CTX *state; /* of sha256_digest */
} kept;

static bool
start(EVP_MD_CTX *state)
{
	if (kept.algorithm == NULL)
		kept.algorithm = EVP_MD_fetch(NULL, "SHA2-256", NULL);
	return kept.algorithm != NULL && state != NULL &&
	    EVP_DigestInit_ex(state, kept.algorithm, NULL) == 1;
}

bool
sha256_digest(const void *p, size_t n, unsigned char out[SHA256_SIZE])
{
	if (kept.state == NULL)
		kept.state = EVP_MD_CTX_new();
	return start(kept.state) && EVP_DigestUpdate(kept.state, p, n) == 1 &&
	    EVP_DigestFinal_ex(kept.state, out, NULL) == 1;
}

void
sha256_drop(struct sha256 *h)
{
	EVP_MD_CTX_free(h->state);
	h->state = NULL;
}

static bool
fail(struct sha256 *h)
{
	sha256_drop(h);
	return false;
}

bool
sha256_begin(struct sha256 *h)
{
	h->state = EVP_MD_CTX_new();
	return start(h->state) || fail(h);
}

bool
sha256_add(struct sha256 *h, const void *p, size_t n)
{
	return h->state != NULL && (EVP_DigestUpdate(h->state, p, n) == 1 || fail(h));
}

bool
sha256_end(struct sha256 *h, unsigned char out[SHA256_SIZE])
{
	bool good = h->state != NULL && EVP_DigestFinal_ex(h->state, out, NULL) == 1;

	sha256_drop(h);
	return good;
}
