#include "base/keyed_hash.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <string.h>

#include "base/random.h"

enum { KEY_SIZE = 32 };

struct keyed_hash {
	EVP_MAC_CTX *state;
	unsigned char key[KEY_SIZE];
	bool good; /* so far, of the current text */
};

static void
state_free(void *arg)
{
	EVP_MAC_CTX_free(arg);
}

/* NULL: OpenSSL lacks it. */
static EVP_MAC_CTX *
state_new(const char *name)
{
	char digest[] = "SHA2-256";
	/* Poly1305 has no use for it, and does not look at it */
	const OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end() };
	EVP_MAC *algorithm = EVP_MAC_fetch(NULL, name, NULL);
	EVP_MAC_CTX *state = algorithm != NULL ? EVP_MAC_CTX_new(algorithm) : NULL;

	/* the state has its own reference */
	EVP_MAC_free(algorithm);
	if (state != NULL && EVP_MAC_CTX_set_params(state, params) == 1)
		return state;
	EVP_MAC_CTX_free(state);
	return NULL;
}

struct keyed_hash *
keyed_hash_new(struct arena *arena, struct err *err)
{
	struct keyed_hash *h = arena_calloc(arena, 1, sizeof(*h));
	unsigned char hash[KEYED_HASH_SIZE];

	/* an OpenSSL that is confined to FIPS has only the second one, which is slower */
	h->state = state_new("POLY1305");
	if (h->state == NULL)
		h->state = state_new("HMAC");
	arena_defer(arena, state_free, h->state);
	if (h->state != NULL) {
		if (keyed_hash_change(h, err) == -1)
			return NULL;
		keyed_hash_begin(h);
		if (keyed_hash_end(h, hash))
			return h;
	}
	(void)err_internal(err, 500, "OpenSSL offers neither Poly1305 nor HMAC with SHA-256: activate its default "
	    "or its FIPS provider in openssl.cnf");
	return NULL;
}

int
keyed_hash_change(struct keyed_hash *h, struct err *err)
{
	return random_bytes(h->key, KEY_SIZE, err);
}

void
keyed_hash_begin(struct keyed_hash *h)
{
	h->good = EVP_MAC_init(h->state, h->key, KEY_SIZE, NULL) == 1;
}

void
keyed_hash_add(struct keyed_hash *h, const void *p, size_t n)
{
	h->good = h->good && EVP_MAC_update(h->state, p, n) == 1;
}

bool
keyed_hash_end(struct keyed_hash *h, unsigned char out[KEYED_HASH_SIZE])
{
	unsigned char whole[EVP_MAX_MD_SIZE];
	size_t n = 0;

	h->good = h->good && EVP_MAC_final(h->state, whole, &n, sizeof(whole)) == 1 && n >= KEYED_HASH_SIZE;
	if (h->good)
		memcpy(out, whole, KEYED_HASH_SIZE);
	return h->good;
}
