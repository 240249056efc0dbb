#include "access/token.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <zlib.h>

#include "base/base62.h"
#include "base/base64.h"
#include "base/random.h"
#include "base/sha256.h"

enum {
	PREFIX_SIZE = 10,
	/* the form with a MAC */
	HANDLE_LENGTH = 16,
	SECRET_LENGTH = 32,
	NAME_AT = PREFIX_SIZE, /* slot and handle */
	NAME_LENGTH = TOKEN_SLOT_LENGTH + HANDLE_LENGTH,
	SECRET_AT = NAME_AT + NAME_LENGTH + 1,
	PROVEN_AT = sizeof("berth_") - 1, /* the text under the MAC begins with the kind */
	MAC_AT = SECRET_AT + SECRET_LENGTH + 1,
	MAC_LENGTH = 22,
	TEXT_SIZE = MAC_AT + MAC_LENGTH,
	MD5_SIZE = 16,
	BASE64_SIZE = 25,
	/* the older form */
	RANDOM_SIZE = 32,
	SIGNED_SIZE = PREFIX_SIZE + BASE62_256_WIDTH, /* what the checksum covers */
	OLD_TEXT_SIZE = SIGNED_SIZE + BASE62_32_WIDTH
};

_Static_assert((int)TEXT_SIZE < (int)TOKEN_TEXT_SIZE, "a token's text must fit with its NUL");
_Static_assert((int)NAME_LENGTH < (int)TOKEN_HANDLE_SIZE, "a handle fits");

const char *const token_kind_names[TOKEN__MAX] = {
	[TOKEN_PERSONAL] = "personal",
	[TOKEN_DEPLOY] = "deploy",
	[TOKEN_JOB] = "job",
};

static const char prefixes[TOKEN__MAX][PREFIX_SIZE + 1] = {
	[TOKEN_PERSONAL] = "berth_pat_",
	[TOKEN_DEPLOY] = "berth_dep_",
	[TOKEN_JOB] = "berth_job_",
};

static void
write_checksum(const char *text, char out[BASE62_32_WIDTH + 1])
{
	uint32_t crc = (uint32_t)crc32(0, (const unsigned char *)text, SIGNED_SIZE);
	unsigned char bytes[4] = { (unsigned char)(crc >> 24), (unsigned char)(crc >> 16),
		(unsigned char)(crc >> 8), (unsigned char)crc };

	base62_encode(bytes, sizeof(bytes), out, BASE62_32_WIDTH);
}

bool
token_digest(struct slice text, unsigned char digest[TOKEN_DIGEST_SIZE])
{
	return sha256_digest(text.p, text.n, digest);
}

/* Makes n random digits of base 62, each with the same probability.  -1: 500. */
static int
random_digits(char *out, size_t n, struct err *err)
{
	static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	const unsigned char end = 4 * 62; /* bytes from here on would favour some digits */
	unsigned char bytes[64];
	size_t have = 0;

	while (have < n) {
		if (random_bytes(bytes, sizeof(bytes), err) == -1)
			return -1;
		for (size_t i = 0; i < sizeof(bytes) && have < n; i++) {
			if (bytes[i] < end)
				out[have++] = digits[bytes[i] % 62];
		}
	}
	OPENSSL_cleanse(bytes, sizeof(bytes));
	return 0;
}

/* Computes the MAC as secure_link_md5 of berth-registry.conf does.  False: OpenSSL has no MD5. */
static bool
write_mac(const char *text, const struct token_key *key, const char *registry_id,
    char mac[BASE64_SIZE])
{
	const struct slice pieces[] = { slice_str(key->key), slice_str(" "), slice_str(registry_id),
		slice_str(" "), slice_of(text + PROVEN_AT, MAC_AT - 1 - PROVEN_AT), slice_str(" "),
		slice_str(key->key) };
	unsigned char digest[MD5_SIZE];
	const EVP_MD *md5 = token_key_md5();
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool good = ctx != NULL && md5 != NULL && EVP_DigestInit_ex(ctx, md5, NULL) == 1;

	for (size_t i = 0; good && i < sizeof(pieces) / sizeof(*pieces); i++)
		good = EVP_DigestUpdate(ctx, pieces[i].p, pieces[i].n) == 1;
	good = good && EVP_DigestFinal_ex(ctx, digest, NULL) == 1;
	EVP_MD_CTX_free(ctx);
	if (!good)
		return false;
	EVP_EncodeBlock((unsigned char *)mac, digest, MD5_SIZE);
	mac[MAC_LENGTH] = '\0';
	for (char *p = mac; *p != '\0'; p++)
		*p = *p == '+' ? '-' : *p == '/' ? '_' : *p;
	return true;
}

/* The digest of the form with a MAC. */
static bool
digest_proven(struct slice text, const char *registry_id, unsigned char digest[TOKEN_DIGEST_SIZE])
{
	struct sha256 hash;

	(void)sha256_begin(&hash);
	(void)sha256_add(&hash, registry_id, strlen(registry_id));
	(void)sha256_add(&hash, " ", 1);
	(void)sha256_add(&hash, text.p, text.n);
	return sha256_end(&hash, digest);
}

static int
generate_proven(const struct token_keys *keys, struct token *t, struct err *err)
{
	const struct token_key *key = &keys->v[keys->n - 1];
	char mac[BASE64_SIZE];

	memcpy(t->text + NAME_AT, key->slot, TOKEN_SLOT_LENGTH);
	if (random_digits(t->text + NAME_AT + TOKEN_SLOT_LENGTH, HANDLE_LENGTH, err) == -1 ||
	    random_digits(t->text + SECRET_AT, SECRET_LENGTH, err) == -1)
		return -1;
	t->text[SECRET_AT - 1] = t->text[MAC_AT - 1] = '_';
	if (!write_mac(t->text, key, keys->registry_id, mac))
		return err_internal(err, 500, "MD5 failed");
	memcpy(t->text + MAC_AT, mac, MAC_LENGTH);
	memcpy(t->handle, t->text + NAME_AT, NAME_LENGTH);
	return digest_proven(slice_of(t->text, TEXT_SIZE), keys->registry_id, t->digest)
	    ? 0 : err_internal(err, 500, "SHA-256 failed");
}

static int
generate_old(struct token *t, struct err *err)
{
	unsigned char secret[RANDOM_SIZE];

	if (random_bytes(secret, sizeof(secret), err) == -1)
		return -1;
	base62_encode(secret, sizeof(secret), t->text + PREFIX_SIZE, BASE62_256_WIDTH);
	OPENSSL_cleanse(secret, sizeof(secret));
	write_checksum(t->text, t->text + SIGNED_SIZE);
	return token_digest(slice_of(t->text, OLD_TEXT_SIZE), t->digest)
	    ? 0 : err_internal(err, 500, "SHA-256 failed");
}

int
token_generate(enum token_kind kind, const struct token_keys *keys, struct token *t,
    struct err *err)
{
	*t = (struct token) { .kind = kind };
	memcpy(t->text, prefixes[kind], PREFIX_SIZE);
	return keys->n > 0 ? generate_proven(keys, t, err) : generate_old(t, err);
}

/* Parses SLOT HANDLE_SECRET_MAC, with the MAC in its one spelling. */
static bool
is_proven_form(struct slice text)
{
	static const char mac[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	static const char last[] = "AQgw"; /* 16 bytes leave two bits for the last character */

	if (text.n != TEXT_SIZE || text.p[SECRET_AT - 1] != '_' || text.p[MAC_AT - 1] != '_' ||
	    !token_slot_valid(slice_of(text.p + NAME_AT, TOKEN_SLOT_LENGTH)) ||
	    !base62_valid(slice_of(text.p + NAME_AT + TOKEN_SLOT_LENGTH, HANDLE_LENGTH)) ||
	    !base62_valid(slice_of(text.p + SECRET_AT, SECRET_LENGTH)))
		return false;
	for (size_t i = MAC_AT; i < TEXT_SIZE; i++) {
		if (memchr(mac, text.p[i], sizeof(mac) - 1) == NULL)
			return false;
	}
	return memchr(last, text.p[TEXT_SIZE - 1], sizeof(last) - 1) != NULL;
}

static bool
parse_proven(struct slice text, const struct token_keys *keys, struct token *t)
{
	const struct token_key *key =
	    token_keys_find(keys, slice_of(text.p + NAME_AT, TOKEN_SLOT_LENGTH));
	char mac[BASE64_SIZE];

	if (key != NULL && (!write_mac(text.p, key, keys->registry_id, mac) ||
	                       CRYPTO_memcmp(mac, text.p + MAC_AT, MAC_LENGTH) != 0))
		return false;
	memcpy(t->handle, text.p + NAME_AT, NAME_LENGTH);
	return digest_proven(text, keys->registry_id, t->digest);
}

static bool
parse_old(struct slice text, struct token *t)
{
	char sum[BASE62_32_WIDTH + 1];

	if (text.n != OLD_TEXT_SIZE ||
	    !base62_valid(slice_of(text.p + PREFIX_SIZE, OLD_TEXT_SIZE - PREFIX_SIZE)))
		return false;
	/* the checksum tells typing errors from tokens; it is no secret */
	write_checksum(text.p, sum);
	return memcmp(sum, text.p + SIGNED_SIZE, BASE62_32_WIDTH) == 0 &&
	    token_digest(text, t->digest);
}

bool
token_parse(struct slice text, const struct token_keys *keys, struct token *t)
{
	size_t kind = 0;

	*t = (struct token) { .text = "" };
	if (text.n < PREFIX_SIZE)
		return false;
	while (kind < TOKEN__MAX && memcmp(text.p, prefixes[kind], PREFIX_SIZE) != 0)
		kind++;
	if (kind == TOKEN__MAX)
		return false;
	t->kind = (enum token_kind)kind;
	return is_proven_form(text) ? parse_proven(text, keys, t) : parse_old(text, t);
}

void
token_wipe(struct token *t)
{
	OPENSSL_cleanse(t, sizeof(*t));
}

struct secret {
	char *p;
	size_t size; /* of the memory */
	size_t n; /* of the text in it */
};

static void
cleanse(void *arg)
{
	struct secret *s = arg;

	OPENSSL_cleanse(s->p, s->size);
}

/* Does the text have the form of a token? */
static bool
looks_like_token(struct slice s)
{
	const struct token_keys none = { .n = 0 };
	struct token token;

	return token_parse(s, &none, &token);
}

/* Everything that a credential may consist of: visible ASCII. */
static bool
is_visible(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] <= 0x20 || s.p[i] >= 0x7f)
			return false;
	}
	return true;
}

/* Which half of user:password is the token?  Clients that cannot do otherwise use either. */
static int
from_basic(struct arena *a, struct slice value, struct slice *out, struct err *err)
{
	struct secret *s = arena_alloc(a, sizeof(*s));
	struct slice user, password, token;
	const char *colon;

	s->p = arena_alloc(a, value.n);
	s->size = value.n;
	arena_defer(a, cleanse, s);
	if (value.n == 0 || !base64_decode(value, s->p, &s->n))
		return err_set(err, 401, "invalid base64 in the Authorization header");
	colon = memchr(s->p, ':', s->n);
	if (colon == NULL)
		return err_set(
		    err, 401, "no colon between user and password in the Authorization header");
	user = slice_of(s->p, (size_t)(colon - s->p));
	password = slice_of(colon + 1, s->n - user.n - 1);
	if (looks_like_token(user) && looks_like_token(password))
		return err_set(err, 400, "more than one token in the Authorization header");
	token = password.n == 0 || looks_like_token(user) ? user : password;
	if (token.n == 0 || !is_visible(token))
		return err_set(err, 401, "no token in the Authorization header");
	*out = token;
	return 0;
}

static struct slice
trim(struct slice s)
{
	while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t'))
		s = slice_of(s.p + 1, s.n - 1);
	while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	return s;
}

/* What may stand before a token; GitHub's manual has the second. */
static const char *const schemes[] = { "Bearer", "Token" };

static bool
is_scheme(struct slice word, const char *scheme)
{
	return word.n == strlen(scheme) && strncasecmp(word.p, scheme, word.n) == 0;
}

/* "Bearer" ...: NULL, it is none before a token. */
static const char *
scheme_of(struct slice word)
{
	for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++) {
		if (is_scheme(word, schemes[i]))
			return schemes[i];
	}
	return NULL;
}

int
token_from_authorization(struct arena *a, const char *header, struct slice *out, struct err *err)
{
	struct slice all, scheme, value;
	const char *known;

	*out = slice_of("", 0);
	if (header == NULL)
		return 0;
	if (strnlen(header, TOKEN_HEADER_MAX + 1) > TOKEN_HEADER_MAX)
		return err_set(
		    err, 401, "the Authorization header is longer than %d bytes", TOKEN_HEADER_MAX);
	all = trim(slice_str(header));
	for (size_t i = 0; i < all.n; i++) {
		if ((all.p[i] < 0x20 && all.p[i] != '\t') || all.p[i] >= 0x7f)
			return err_set(
			    err, 401, "the Authorization header holds bytes outside ASCII");
	}
	scheme = all;
	for (size_t i = 0; i < all.n; i++) {
		if (all.p[i] == ' ' || all.p[i] == '\t') {
			scheme.n = i;
			break;
		}
	}
	value = trim(slice_of(all.p + scheme.n, all.n - scheme.n));
	if (is_scheme(scheme, "basic"))
		return from_basic(a, value, out, err);
	known = scheme_of(scheme);
	/* no word before it: the token alone, as cargo sends it */
	if (value.n == 0 && known == NULL) {
		*out = scheme;
		return 0;
	}
	if (known == NULL)
		return err_set(err, 401, "unexpected scheme in the Authorization header");
	if (value.n == 0 || !is_visible(value))
		return err_set(err, 401, "no token after %s in the Authorization header", known);
	*out = value;
	return 0;
}
