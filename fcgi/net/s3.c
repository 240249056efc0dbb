#include "net/s3.h"

#include <string.h>

#include <curl/curl.h>
#include <openssl/evp.h>

#include "base/hex.h"
#include "net/s3_request.h"
#include "net/s3_sign.h"

#define EMPTY_SHA256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

enum { CHECKSUM_SIZE = 45 /* of base 64 */, QUERY_MAX = 8 * 1024 };

static struct s3_call
call_of(const char *method, const char *key)
{
	return (struct s3_call) { .method = method, .key = key, .query = "", .payload = EMPTY_SHA256,
		.source = { .fd = -1, .text = { "", 0 } }, .sink = { .fd = -1 } };
}

/* NoSuchBucket is an error of the configuration, and does not mean that the object is missing. */
static int
found(struct s3 *s, const struct s3_call *c, struct err *err)
{
	struct slice code = s3_code(c);

	if (c->status == HTTP_OK)
		return 1;
	return c->status == HTTP_NOT_FOUND && (code.n == 0 || slice_is(code, "NoSuchKey")) ? 0 :
	    s3_refuse(s, c, err);
}

/* ---- what the store can do ---- */

/* The base64 of a header of the answer, as hexadecimal digits. */
static void
read_checksum(CURL *curl, char hex[S3_DIGEST_SIZE])
{
	unsigned char digest[CHECKSUM_SIZE];
	struct curl_header *h;

	hex[0] = '\0';
	/* 44 digits, the last one padding, are 33 bytes, the last one 0 */
	if (curl_easy_header(curl, "x-amz-checksum-sha256", 0, CURLH_HEADER, -1, &h) == CURLHE_OK &&
	    strlen(h->value) == CHECKSUM_SIZE - 1 &&
	    EVP_DecodeBlock(digest, (const unsigned char *)h->value, CHECKSUM_SIZE - 1) == SHA256_SIZE + 1)
		hex_encode(digest, SHA256_SIZE, hex);
}

int
s3_head(struct s3 *s, struct arena *a, const char *key, struct s3_object *object, struct err *err)
{
	struct s3_call c = call_of("HEAD", key);
	curl_off_t size = -1, modified = -1;

	c.ask_checksum = true;
	if (s3_perform(s, a, &c, err) == -1)
		return -1;
	if (c.status != HTTP_OK)
		return found(s, &c, err);
	if (curl_easy_getinfo(s->curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &size) != CURLE_OK || size < 0)
		return err_internal(err, 503, "object store: HEAD %s: no size", key);
	(void)curl_easy_getinfo(s->curl, CURLINFO_FILETIME_T, &modified);
	*object = (struct s3_object) { .size = size, .modified = modified > 0 ? modified : 0 };
	read_checksum(s->curl, object->sha256);
	return 1;
}

int
s3_get(struct s3 *s, struct arena *a, const char *key, int fd, int64_t max, struct s3_object *object,
    struct err *err)
{
	struct s3_call c = call_of("GET", key);
	unsigned char digest[SHA256_SIZE];
	int rc;

	c.sink.fd = fd;
	c.sink.max = max;
	rc = s3_perform(s, a, &c, err);
	if (rc == 0)
		rc = found(s, &c, err);
	if (rc == 1 && !sha256_end(&c.sink.hash, digest))
		rc = err_internal(err, 500, "SHA-256 failed");
	sha256_drop(&c.sink.hash);
	if (rc != 1)
		return rc;
	*object = (struct s3_object) { .size = c.sink.n };
	hex_encode(digest, sizeof(digest), object->sha256);
	return 1;
}

int
s3_get_text(struct s3 *s, struct arena *a, const char *key, struct slice *text, struct err *err)
{
	struct s3_call c = call_of("GET", key);
	int rc;

	if (s3_perform(s, a, &c, err) == -1)
		return -1;
	rc = found(s, &c, err);
	*text = rc == 1 ? buf_slice(&c.text) : slice_of("", 0);
	if (text->n <= S3_TEXT_MAX)
		return rc;
	return err_internal(err, 503, "object store: GET %s: the answer is too long", key);
}

/* Sets the payload's digest twice: for the signature, and for the store's check. */
static void
digests(struct arena *a, struct s3_call *c, const char *hex)
{
	unsigned char digest[SHA256_SIZE];
	char *base64 = arena_alloc(a, CHECKSUM_SIZE);

	if (hex_decode(slice_str(hex), digest, sizeof(digest)))
		(void)EVP_EncodeBlock((unsigned char *)base64, digest, sizeof(digest));
	c->payload = hex;
	c->checksum = base64;
}

static int
put(struct s3 *s, struct arena *a, struct s3_call *c, bool only_new, struct err *err)
{
	c->only_new = only_new;
	if (s3_perform(s, a, c, err) == -1)
		return -1;
	/* two writers at once: the other one has written the object, or the second attempt does */
	if (c->status == HTTP_CONFLICT && only_new && s3_perform(s, a, c, err) == -1)
		return -1;
	if (c->status == HTTP_PRECONDITION_FAILED && only_new)
		return 0;
	return c->status == HTTP_OK ? 1 : s3_refuse(s, c, err);
}

int
s3_put(struct s3 *s, struct arena *a, const char *key, int fd, int64_t size, const char *sha256,
    bool only_new,
    struct err *err)
{
	struct s3_call c = call_of("PUT", key);

	c.source.fd = fd;
	c.source.size = size;
	digests(a, &c, sha256);
	return put(s, a, &c, only_new, err);
}

int
s3_put_text(struct s3 *s, struct arena *a, const char *key, struct slice text, bool only_new, struct err *err)
{
	struct s3_call c = call_of("PUT", key);
	unsigned char digest[SHA256_SIZE];
	char hex[S3_DIGEST_SIZE];
	struct sha256 hash;

	if (!sha256_begin(&hash) || !sha256_add(&hash, text.p, text.n) || !sha256_end(&hash, digest))
		return err_internal(err, 500, "SHA-256 failed");
	hex_encode(digest, sizeof(digest), hex);
	c.source.text = text;
	c.source.size = (int64_t)text.n;
	digests(a, &c, hex);
	return put(s, a, &c, only_new, err);
}

int
s3_copy(struct s3 *s, struct arena *a, const char *from, const char *to, struct err *err)
{
	struct s3_call c = call_of("PUT", to);

	c.copy_source = s3_path(s, a, from, true);
	if (s3_perform(s, a, &c, err) == -1)
		return -1;
	/* a copy that fails late has the status of a success, and an error in its body */
	if (c.status == HTTP_OK && s3_code(&c).n > 0)
		return s3_refuse(s, &c, err);
	return found(s, &c, err);
}

int
s3_remove(struct s3 *s, struct arena *a, const char *key, struct err *err)
{
	struct s3_call c = call_of("DELETE", key);

	if (s3_perform(s, a, &c, err) == -1)
		return -1;
	return (c.status >= HTTP_OK && c.status < HTTP_MULTIPLE_CHOICES) ||
	    c.status == HTTP_NOT_FOUND ? 0 : s3_refuse(s, &c, err);
}

int
s3_list(struct s3 *s, struct arena *a, const char *under, const char *after, struct s3_page *page,
    struct err *err)
{
	const char *prefix = s->conf->prefix[0] == '\0' ? "" : arena_printf(a, "%s/", s->conf->prefix);
	struct s3_call c = call_of("GET", "");
	struct buf query;

	buf_init(&query, a, QUERY_MAX);
	buf_printf(&query, "list-type=2&max-keys=%d&prefix=", S3_PAGE_MAX);
	s3_encode(&query, slice_str(arena_printf(a, "%s%s", prefix, under)), false);
	if (after[0] != '\0') {
		buf_puts(&query, "&start-after=");
		s3_encode(&query, slice_str(arena_printf(a, "%s%s", prefix, after)), false);
	}
	c.query = buf_str(&query);
	if (s3_perform(s, a, &c, err) == -1)
		return -1;
	if (c.status != HTTP_OK)
		return s3_refuse(s, &c, err);
	if (s3_list_parse(a, buf_slice(&c.text), page, err) == -1)
		return s3_away(err);
	for (size_t i = 0; i < page->n; i++) {
		if (!slice_has_prefix(slice_str(page->entries[i].key), prefix))
			return err_internal(err, 503, "object store: the list of %s has other keys", under);
		page->entries[i].key += strlen(prefix);
	}
	if (page->more && page->n == 0)
		return err_internal(err, 503, "object store: the list of %s%s at %s does not go on: the store says that "
		    "there is more, and sends nothing; tell the operator of the store", prefix, under, s->origin);
	/* a store that does not know start-after would send the same page for ever */
	if (after[0] != '\0' && page->n > 0 && strcmp(page->entries[page->n - 1].key, after) == 0)
		return err_internal(err, 503, "object store: the list of %s%s at %s does not go on after %s: the store "
		    "does not know start-after of ListObjectsV2; use one that does", prefix, under, s->origin, after);
	return 0;
}
