#include "base/keyed_hash.h"

#include <openssl/evp.h>
#include <sys/random.h>

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

struct keyed_hash *
keyed_hash_new(struct arena *arena, struct err *err)
{
	struct keyed_hash *h = arena_calloc(arena, 1, sizeof(*h));
	EVP_MAC *algorithm = EVP_MAC_fetch(NULL, "POLY1305", NULL);
	unsigned char hash[KEYED_HASH_SIZE];

	h->state = algorithm != NULL ? EVP_MAC_CTX_new(algorithm) : NULL;
	/* the state has its own reference */
	EVP_MAC_free(algorithm);
	if (h->state == NULL) {
		(void)err_internal(err, 500, "Poly1305: OpenSSL fails");
		return NULL;
	}
	arena_defer(arena, state_free, h->state);
	if (keyed_hash_change(h, err) == -1)
		return NULL;
	keyed_hash_begin(h);
	if (keyed_hash_end(h, hash))
		return h;
	(void)err_internal(err, 500, "Poly1305: OpenSSL fails");
	return NULL;
}

int
keyed_hash_change(struct keyed_hash *h, struct err *err)
{
	return getrandom(h->key, KEY_SIZE, 0) == KEY_SIZE ? 0 : err_sys(err, "getrandom");
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
	size_t n = 0;

	h->good = h->good && EVP_MAC_final(h->state, out, &n, KEYED_HASH_SIZE) == 1 && n == KEYED_HASH_SIZE;
	return h->good;
}
