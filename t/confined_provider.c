/*
 * A provider for OpenSSL: the default one without the digests and MACs that a FIPS module lacks.  A
 * configuration that loads only this one stands for a host where OpenSSL is confined to FIPS.
 */
#include <openssl/core_dispatch.h>
#include <openssl/crypto.h>
#include <openssl/provider.h>
#include <stdbool.h>
#include <string.h>

enum { LIST_MAX = 64 };

OSSL_provider_init_fn OSSL_provider_init;

static OSSL_LIB_CTX *inside; /* the library of the default provider */
static OSSL_PROVIDER *whole;
static OSSL_ALGORITHM digests[LIST_MAX], macs[LIST_MAX];

static bool
is_kept(const char *names)
{
	static const char *const kept[] = { "SHA", "KECCAK", "CMAC", "GMAC", "HMAC", "KMAC" };

	for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++) {
		if (strncmp(names, kept[i], strlen(kept[i])) == 0)
			return true;
	}
	return false;
}

/* The list ends with an entry without names. */
static const OSSL_ALGORITHM *
confine(const OSSL_ALGORITHM *from, OSSL_ALGORITHM to[LIST_MAX])
{
	size_t n = 0;

	for (; from != NULL && from->algorithm_names != NULL && n < LIST_MAX - 1; from++) {
		if (is_kept(from->algorithm_names))
			to[n++] = *from;
	}
	return to;
}

static const OSSL_ALGORITHM *
query(void *context, int operation, int *no_cache)
{
	const OSSL_ALGORITHM *all = OSSL_PROVIDER_query_operation(whole, operation, no_cache);

	(void)context;
	if (operation == OSSL_OP_DIGEST)
		return confine(all, digests);
	return operation == OSSL_OP_MAC ? confine(all, macs) : all;
}

static void
end(void *context)
{
	(void)context;
	OSSL_PROVIDER_unload(whole);
	OSSL_LIB_CTX_free(inside);
}

/* the groups of TLS */
static int
tell(void *context, const char *capability, OSSL_CALLBACK *each, void *arg)
{
	(void)context;
	return OSSL_PROVIDER_get_capabilities(whole, capability, each, arg);
}

int
OSSL_provider_init(const OSSL_CORE_HANDLE *core, const OSSL_DISPATCH *in, const OSSL_DISPATCH **out,
    void **context)
{
	static const OSSL_DISPATCH functions[] = {
		{ OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))query },
		{ OSSL_FUNC_PROVIDER_GET_CAPABILITIES, (void (*)(void))tell },
		{ OSSL_FUNC_PROVIDER_TEARDOWN, (void (*)(void))end },
		{ 0, NULL },
	};

	(void)core;
	(void)in;
	inside = OSSL_LIB_CTX_new();
	whole = OSSL_PROVIDER_load(inside, "default");
	if (whole == NULL)
		return 0;
	*context = OSSL_PROVIDER_get0_provider_ctx(whole);
	*out = functions;
	return 1;
}
