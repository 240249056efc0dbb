#include "access/token_key.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "base/base62.h"
#include "base/disk.h"
#include "base/hex.h"
#include "base/random.h"
#include "base/sha256.h"

enum { KEY_BYTES = 32 };

static bool
is_registry_id(struct slice s)
{
	static const char digits[] = "0123456789abcdef";

	if (s.n != REGISTRY_ID_LENGTH)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? s.p[i] != '-' : memchr(digits, s.p[i], sizeof(digits) - 1) == NULL)
			return false;
	}
	return true;
}

bool
token_slot_valid(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (!((s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'a' && s.p[i] <= 'z')))
			return false;
	}
	return s.n == TOKEN_SLOT_LENGTH;
}

/* Parses `NAME "VALUE";`, a line of an nginx map.  False: the line is something else. */
static bool
split_line(struct slice line, struct slice *name, struct slice *value)
{
	const char *quote = memchr(line.p, '"', line.n);
	size_t n = quote == NULL ? 0 : (size_t)(quote - line.p);

	if (n < 2 || line.n < n + 3 || memcmp(line.p + line.n - 2, "\";", 2) != 0)
		return false;
	*value = slice_of(quote + 1, line.n - n - 3);
	while (n > 0 && (line.p[n - 1] == ' ' || line.p[n - 1] == '\t'))
		n--;
	*name = slice_of(line.p, n);
	return n > 0;
}

static int
refuse(struct err *err, size_t line, const char *what)
{
	return err_internal(err, 500, "line %zu %s", line, what);
}

/* Takes one line that is neither empty nor a comment. */
static int
take_line(struct slice line, size_t number, struct token_keys *keys, struct err *err)
{
	struct slice name, value;
	struct token_key *key;

	if (!split_line(line, &name, &value))
		return refuse(err, number, "is not of the form NAME \"VALUE\";");
	if (slice_is(name, "registry")) {
		if (keys->registry_id[0] != '\0' || !is_registry_id(value))
			return refuse(err, number, "must be the only one for registry, and name a UUID");
		memcpy(keys->registry_id, value.p, value.n);
		return 0;
	}
	if (!token_slot_valid(name))
		return refuse(err, number,
		    "must begin with registry or with a slot of two digits or lower-case letters");
	if (value.n != TOKEN_KEY_LENGTH || !base62_valid(value))
		return refuse(err, number, "needs a key of 43 letters and digits");
	if (token_keys_find(keys, name) != NULL)
		return refuse(err, number, "repeats a slot; remove one of the two lines");
	if (keys->n == TOKEN_KEYS_MAX)
		return refuse(err, number, "is the 65th key of at most 64; remove lines of retired slots");
	key = &keys->v[keys->n++];
	memcpy(key->slot, name.p, name.n);
	memcpy(key->key, value.p, value.n);
	return 0;
}

int
token_keys_parse(struct slice text, struct token_keys *keys, struct err *err)
{
	*keys = (struct token_keys) { .n = 0 };
	for (size_t number = 1; text.n > 0; number++) {
		const char *end = memchr(text.p, '\n', text.n);
		struct slice line = slice_of(text.p, end != NULL ? (size_t)(end - text.p) : text.n);
		size_t used = line.n + (end != NULL);

		text = slice_of(text.p + used, text.n - used);
		if (line.n > 0 && line.p[0] != '#' && take_line(line, number, keys, err) == -1) {
			token_keys_wipe(keys);
			return -1;
		}
	}
	if (keys->registry_id[0] != '\0')
		return 0;
	token_keys_wipe(keys);
	return err_internal(err, 500, "the line registry \"UUID\"; is missing");
}

const EVP_MD *
token_key_md5(void)
{
	static EVP_MD *md5;

	if (md5 == NULL)
		md5 = EVP_MD_fetch(NULL, "MD5", NULL);
	return md5;
}

int
token_keys_read(const char *path, struct token_keys *keys, struct err *err)
{
	char text[TOKEN_KEY_FILE_MAX];
	struct err wrong = { 0 };
	int fd, rc = 0;
	ssize_t n;

	*keys = (struct token_keys) { .n = 0 };
	if (token_key_md5() == NULL)
		return err_internal(err, 500, "token_key: %s: OpenSSL has no MD5, since FIPS mode or its "
		    "configuration does not allow it: remove token_key from berth.conf", path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd == -1 ? -1 : disk_read_all(fd, text, sizeof(text));
	if (n == -1 && errno == EFBIG)
		rc = err_internal(err, 500, "token_key: %s is longer than %d bytes", path, TOKEN_KEY_FILE_MAX);
	else if (n == -1)
		rc = err_sys(err, "token_key: cannot read %s", path);
	else if (token_keys_parse(slice_of(text, (size_t)n), keys, &wrong) == -1)
		rc = err_internal(err, 500, "token_key: %s: %s", path, wrong.detail);
	if (fd != -1)
		close(fd);
	OPENSSL_cleanse(text, sizeof(text));
	return rc;
}

const struct token_key *
token_keys_find(const struct token_keys *keys, struct slice slot)
{
	for (size_t i = 0; i < keys->n; i++) {
		if (slice_is(slot, keys->v[i].slot))
			return &keys->v[i];
	}
	return NULL;
}

bool
token_key_fingerprint(const struct token_key *key, char out[TOKEN_KEY_FINGERPRINT_SIZE])
{
	unsigned char digest[SHA256_SIZE];

	if (!sha256_digest(key->key, TOKEN_KEY_LENGTH, digest))
		return false;
	hex_encode(digest, sizeof(digest), out);
	return true;
}

int
token_key_generate(const char *slot, struct token_key *key, struct err *err)
{
	unsigned char bytes[KEY_BYTES];

	if (random_bytes(bytes, sizeof(bytes), err) == -1)
		return -1;
	memcpy(key->slot, slot, sizeof(key->slot));
	base62_encode(bytes, sizeof(bytes), key->key, TOKEN_KEY_LENGTH);
	OPENSSL_cleanse(bytes, sizeof(bytes));
	return 0;
}

void
token_keys_wipe(struct token_keys *keys)
{
	OPENSSL_cleanse(keys, sizeof(*keys));
}
