#include "access/signed_download.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

enum {
	MD5_SIZE = 16,
	SIGNATURE_LENGTH = 22, /* base 64 without padding */
	BASE64_SIZE = 25
};

static bool
is_key(struct slice s)
{
	static const char bytes[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-_";

	for (size_t i = 0; i < s.n; i++) {
		if (memchr(bytes, s.p[i], sizeof(bytes) - 1) == NULL)
			return false;
	}
	return s.n >= SIGNED_DOWNLOAD_KEY_MIN && s.n <= SIGNED_DOWNLOAD_KEY_MAX;
}

/* `"" "KEY";`: the key.  Empty: it is none. */
static struct slice
key_in(struct slice line)
{
	static const char before[] = "\"\" \"", after[] = "\";";
	const size_t nbefore = sizeof(before) - 1, nafter = sizeof(after) - 1;
	struct slice key = { "", 0 };

	if (line.n <= nbefore + nafter || memcmp(line.p, before, nbefore) != 0 ||
	    memcmp(line.p + line.n - nafter, after, nafter) != 0)
		return key;
	key = slice_of(line.p + nbefore, line.n - nbefore - nafter);
	return is_key(key) ? key : slice_of("", 0);
}

int
signed_download_parse_key(struct slice text, struct signed_download_key *key, struct err *err)
{
	*key = (struct signed_download_key) { .text = "" };
	while (text.n > 0) {
		const char *end = memchr(text.p, '\n', text.n);
		struct slice line = { text.p, end != NULL ? (size_t)(end - text.p) : text.n }, found;
		size_t used = line.n + (end != NULL);

		text = slice_of(text.p + used, text.n - used);
		if (line.n == 0 || line.p[0] == '#')
			continue;
		found = key_in(line);
		if (found.n == 0 || key->text[0] != '\0') {
			key->text[0] = '\0';
			return err_internal(err, 500, "download_key: there must be one line `\"\" \"KEY\";`,"
			    " KEY of %d to %d letters, digits, - and _", SIGNED_DOWNLOAD_KEY_MIN,
			    SIGNED_DOWNLOAD_KEY_MAX);
		}
		memcpy(key->text, found.p, found.n);
	}
	return key->text[0] != '\0' ? 0 : err_internal(err, 500, "download_key: there is no key");
}

int
signed_download_read_key(const char *path, struct signed_download_key *key, struct err *err)
{
	char text[SIGNED_DOWNLOAD_FILE_MAX + 1];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd == -1 ? -1 : read(fd, text, sizeof(text));
	int rc;

	*key = (struct signed_download_key) { .text = "" };
	if (n == -1)
		rc = err_sys(err, "download_key: cannot read %s", path);
	else if (n > SIGNED_DOWNLOAD_FILE_MAX)
		rc = err_internal(err, 500, "download_key: %s is too long", path);
	else
		rc = signed_download_parse_key(slice_of(text, (size_t)n), key, err);
	if (fd != -1)
		close(fd);
	OPENSSL_cleanse(text, sizeof(text));
	return rc;
}

/* Key and token come together nowhere but here. */
static bool
hash(const char *key, const char *what, const char *authorization, unsigned char digest[MD5_SIZE])
{
	const char *const pieces[] = { key, what, authorization, " ", key };
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool good = ctx != NULL && EVP_DigestInit_ex(ctx, EVP_md5(), NULL) == 1;

	for (size_t i = 0; good && i < sizeof(pieces) / sizeof(*pieces); i++)
		good = EVP_DigestUpdate(ctx, pieces[i], strlen(pieces[i])) == 1;
	good = good && EVP_DigestFinal_ex(ctx, digest, NULL) == 1;
	EVP_MD_CTX_free(ctx);
	return good;
}

/* The alphabet for URLs (RFC 4648, section 5), without padding: what nginx expects. */
static void
encode(const unsigned char digest[MD5_SIZE], char out[BASE64_SIZE])
{
	EVP_EncodeBlock((unsigned char *)out, digest, MD5_SIZE);
	out[SIGNATURE_LENGTH] = '\0';
	for (char *p = out; *p != '\0'; p++)
		*p = *p == '+' ? '-' : *p == '/' ? '_' : *p;
}

char *
signed_download_query(struct arena *a, const struct signed_download_key *key,
    const struct signed_download *d)
{
	/* as secure_link_md5 of berth-locations.conf has it; no blank is in any but the header */
	const char *what = arena_printf(a, " %" PRId64 " %s %s %" PRId64 " ", d->project_id,
	    d->generation, d->who, d->until);
	unsigned char digest[MD5_SIZE];
	char signature[BASE64_SIZE];

	if (!hash(key->text, what, d->authorization, digest))
		return NULL;
	encode(digest, signature);
	return arena_printf(a, "g=%s&u=%s&e=%" PRId64 "&s=%s", d->generation, d->who, d->until,
	    signature);
}
