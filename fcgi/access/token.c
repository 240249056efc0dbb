#include "access/token.h"

#include <errno.h>
#include <stdint.h>
#include <strings.h>
#include <sys/random.h>

#include <openssl/crypto.h>
#include <zlib.h>

#include "base/base62.h"
#include "base/base64.h"
#include "base/sha256.h"

enum {
	RANDOM_SIZE = 32,
	PREFIX_SIZE = 10,
	SIGNED_SIZE = PREFIX_SIZE + BASE62_256_WIDTH, /* what the checksum covers */
	TEXT_SIZE = SIGNED_SIZE + BASE62_32_WIDTH
};

_Static_assert((int)TEXT_SIZE < (int)TOKEN_TEXT_SIZE, "a token's text must fit with its NUL");

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

int
token_generate(enum token_kind kind, char text[TOKEN_TEXT_SIZE],
    unsigned char digest[TOKEN_DIGEST_SIZE], struct err *err)
{
	unsigned char secret[RANDOM_SIZE];
	ssize_t n;

	/* up to 256 bytes come whole or not at all, but for a signal before the pool is ready */
	do
		n = getrandom(secret, sizeof(secret), 0);
	while (n == -1 && errno == EINTR);
	if (n != (ssize_t)sizeof(secret))
		return err_sys(err, "getrandom");
	memset(text, 0, TOKEN_TEXT_SIZE);
	memcpy(text, prefixes[kind], PREFIX_SIZE);
	base62_encode(secret, sizeof(secret), text + PREFIX_SIZE, BASE62_256_WIDTH);
	OPENSSL_cleanse(secret, sizeof(secret));
	write_checksum(text, text + SIGNED_SIZE);
	if (!token_digest(slice_of(text, TEXT_SIZE), digest))
		return err_internal(err, 500, "SHA-256 failed");
	return 0;
}

bool
token_parse(struct slice text, enum token_kind *kind, unsigned char digest[TOKEN_DIGEST_SIZE])
{
	char sum[BASE62_32_WIDTH + 1];
	size_t k = 0;

	if (text.n != TEXT_SIZE)
		return false;
	while (k < TOKEN__MAX && memcmp(text.p, prefixes[k], PREFIX_SIZE) != 0)
		k++;
	if (k == TOKEN__MAX ||
	    !base62_valid(slice_of(text.p + PREFIX_SIZE, TEXT_SIZE - PREFIX_SIZE)))
		return false;
	/* the checksum tells typing errors from tokens; it is no secret */
	write_checksum(text.p, sum);
	if (memcmp(sum, text.p + SIGNED_SIZE, BASE62_32_WIDTH) != 0)
		return false;
	*kind = (enum token_kind)k;
	return token_digest(text, digest);
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

static bool
is_token(struct slice s)
{
	unsigned char digest[TOKEN_DIGEST_SIZE];
	enum token_kind kind;

	return token_parse(s, &kind, digest);
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
	if (is_token(user) && is_token(password))
		return err_set(err, 400, "more than one token in the Authorization header");
	token = password.n == 0 || is_token(user) ? user : password;
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

static bool
is_scheme(struct slice word, const char *scheme)
{
	return word.n == strlen(scheme) && strncasecmp(word.p, scheme, word.n) == 0;
}

int
token_from_authorization(struct arena *a, const char *header, struct slice *out, struct err *err)
{
	struct slice all, scheme, value;

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
	/* no word before it: the token alone, as cargo sends it */
	if (value.n == 0 && !is_scheme(scheme, "bearer")) {
		*out = scheme;
		return 0;
	}
	if (!is_scheme(scheme, "bearer"))
		return err_set(err, 401, "unexpected scheme in the Authorization header");
	if (value.n == 0 || !is_visible(value))
		return err_set(err, 401, "no token after Bearer in the Authorization header");
	*out = value;
	return 0;
}
