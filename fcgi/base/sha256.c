#include "base/sha256.h"

#include <openssl/evp.h>

static struct {
	EVP_MD *algorithm;
	EVP_MD_CTX *state;
} kept;

static bool
start(void)
{
	if (kept.algorithm == NULL)
		kept.algorithm = EVP_MD_fetch(NULL, "SHA2-256", NULL);
	if (kept.state == NULL)
		kept.state = EVP_MD_CTX_new();
	return kept.algorithm != NULL && kept.state != NULL &&
	    EVP_DigestInit_ex(kept.state, kept.algorithm, NULL) == 1;
}

bool
sha256_digest(const void *p, size_t n, unsigned char out[SHA256_SIZE])
{
	return start() && EVP_DigestUpdate(kept.state, p, n) == 1 &&
	    EVP_DigestFinal_ex(kept.state, out, NULL) == 1;
}
