#include "net/s3_request.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <curl/curl.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/disk.h"
#include "base/fault.h"
#include "base/sha256.h"
#include "base/url.h"
#include "net/s3_credentials.h"
#include "net/s3_sign.h"

enum {
	ATTEMPTS = 3,
	PAUSE_MS = 100, /* before the second attempt, and four times as long before the third */
	CONNECT_MS = 3000,
	/* a transfer fails that moves fewer bytes a second than this, for so many seconds */
	STALL_BYTES = 1000, STALL_S = 10,
	STALL_SIZE = 16 << 20, /* a body gets one more second for each: the store writes before it answers */
	/* after a failure requests fail at once, by set_away() */
	AWAY_US = CLOCK_SECOND, AWAY_MAX_US = 10 * CLOCK_SECOND,
	ANSWER_MAX = 4 * 1024 * 1024,
	PATH_MAX_BYTES = 8 * 1024,
	HEADERS_MAX = 9,
	MS_US = 1000,
	LEAST_US = 10 * MS_US /* a request with less time than that is not made */
};

_Static_assert((int)S3_REASON_SIZE >= (int)CURL_ERROR_SIZE, "libcurl writes its reason there");

static void
s3_free(void *arg)
{
	struct s3 *s = arg;

	if (s->pid == getpid())
		curl_easy_cleanup(s->curl);
}

struct s3 *
s3_new(struct arena *a, const struct s3_conf *conf)
{
	struct s3 *s = arena_calloc(a, 1, sizeof(*s));
	const char *endpoint = conf->endpoint[0] != '\0' ? conf->endpoint
	    : arena_printf(a, "https://s3.%s.amazonaws.com", conf->region);
	struct slice host = url_host_port(slice_str(endpoint));
	int scheme = (int)(host.p - endpoint);

	s->conf = conf;
	s->patience_ms = conf->patience_ms;
	s->host = conf->path_style ? arena_slicedup(a, host)
	                           : arena_printf(a, "%s.%.*s", conf->bucket, (int)host.n, host.p);
	s->origin = arena_printf(a, "%.*s%s", scheme, endpoint, s->host);
	arena_defer(a, s3_free, s);
	return s;
}

int64_t
s3_set_patience(struct s3 *s, int64_t ms)
{
	int64_t was = s->patience_ms;

	s->patience_ms = ms;
	return was;
}

void
s3_set_deadline(struct s3 *s, int64_t us)
{
	s->deadline_us = us;
}

/* ---- source and sink ---- */

static size_t
source_read(char *p, size_t size, size_t n, void *arg)
{
	struct s3_call *c = arg;
	int64_t left = c->source.size - c->source.at;
	size_t most = size * n < (size_t)left ? size * n : (size_t)left;
	ssize_t got = (ssize_t)most;

	if (c->source.fd == -1)
		memcpy(p, c->source.text.p + c->source.at, most);
	else
		got = pread(c->source.fd, p, most, c->source.at);
	if (got < 0 || (got == 0 && most > 0))
		return CURL_READFUNC_ABORT;
	c->source.at += got;
	return (size_t)got;
}

static int
source_seek(void *arg, curl_off_t offset, int origin)
{
	struct s3_call *c = arg;

	if (origin != SEEK_SET)
		return CURL_SEEKFUNC_CANTSEEK;
	c->source.at = offset;
	return CURL_SEEKFUNC_OK;
}

/* Is the body larger than the file may be, by what the store announces, or with the next bytes? */
static bool
is_large(const struct s3_call *c, size_t next)
{
	curl_off_t announced = -1;

	(void)curl_easy_getinfo(c->curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &announced);
	return announced > c->sink.max || c->sink.n + (int64_t)next > c->sink.max;
}

/* The body of a success goes to the file, that of an error into memory. */
static size_t
sink_write(char *p, size_t size, size_t n, void *arg)
{
	struct s3_call *c = arg;
	size_t left = size * n;

	if (c->sink.fd == -1 || curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &c->status) != CURLE_OK ||
	    c->status != HTTP_OK) {
		buf_put(&c->text, p, left);
		return buf_full(&c->text) ? 0 : left;
	}
	c->sink.large = is_large(c, left);
	c->sink.n += (int64_t)left;
	if (c->sink.large || !sha256_add(&c->sink.hash, p, left))
		return 0;
	if (FAULT_FAILS("s3", "write") || disk_write(c->sink.fd, slice_of(p, left)) == -1) {
		c->sink.error = errno;
		return 0;
	}
	return left;
}

/* Resets the call to its state before the first attempt. */
static int
rewind_call(struct s3_call *c, struct err *err)
{
	c->source.at = 0;
	c->status = 0;
	c->reason[0] = '\0';
	buf_reset(&c->text);
	if (c->sink.fd == -1)
		return 0;
	c->sink.n = 0;
	c->sink.error = 0;
	sha256_drop(&c->sink.hash);
	if (lseek(c->sink.fd, 0, SEEK_SET) == -1 || ftruncate(c->sink.fd, 0) == -1)
		return err_disk(err, "object store: a file for %s", c->key);
	return sha256_begin(&c->sink.hash) ? 0 : err_internal(err, 500, "SHA-256 failed");
}

/* ---- one attempt ---- */

const char *
s3_path(const struct s3 *s, struct arena *a, const char *key, bool bucket)
{
	const struct s3_conf *conf = s->conf;
	struct buf b;

	buf_init(&b, a, PATH_MAX_BYTES);
	buf_putc(&b, '/');
	if (bucket) {
		buf_puts(&b, conf->bucket);
		buf_putc(&b, '/');
	}
	if (key[0] != '\0' && conf->prefix[0] != '\0') {
		s3_encode(&b, slice_str(conf->prefix), true);
		buf_putc(&b, '/');
	}
	s3_encode(&b, slice_str(key), true);
	return buf_str(&b);
}

/* In the order in which they are signed. */
static void
list_headers(const struct s3 *s, struct arena *a, const struct s3_call *c, const char *date,
    const char *session,
    const char *headers[HEADERS_MAX + 1])
{
	size_t n = 0;

	headers[n++] = arena_printf(a, "host:%s", s->host);
	if (c->only_new && !s->unconditional)
		headers[n++] = "if-none-match:*";
	if (c->ask_checksum)
		headers[n++] = "x-amz-checksum-mode:ENABLED";
	if (c->checksum != NULL)
		headers[n++] = arena_printf(a, "x-amz-checksum-sha256:%s", c->checksum);
	headers[n++] = arena_printf(a, "x-amz-content-sha256:%s", c->payload);
	if (c->copy_source != NULL)
		headers[n++] = arena_printf(a, "x-amz-copy-source:%s", c->copy_source);
	headers[n++] = arena_printf(a, "x-amz-date:%s", date);
	if (session != NULL)
		headers[n++] = arena_printf(a, "x-amz-security-token:%s", session);
	headers[n] = NULL;
}

/* Wipes the credentials that the headers hold. */
static void
free_headers(struct curl_slist *headers)
{
	for (struct curl_slist *h = headers; h != NULL; h = h->next)
		explicit_bzero(h->data, strlen(h->data));
	curl_slist_free_all(headers);
}

/* The headers with their signature, for libcurl; end them by free_headers().  NULL: err. */
static struct curl_slist *
sign(const struct s3 *s, struct arena *a, const struct s3_call *c, const char *path, struct err *err)
{
	struct s3_credentials credentials;
	const char *headers[HEADERS_MAX + 1], *authorization;
	char date[sizeof("20130524T000000Z")];
	struct curl_slist *list = NULL;
	time_t now = time(NULL);
	struct tm tm;
	struct s3_signing signing = { .method = c->method, .path = path, .query = c->query, .headers = headers,
		.payload = c->payload, .date = date, .region = s->conf->region, .credentials = &credentials };
	bool good = true;

	if (s3_credentials_read(a, s->conf->credentials, &credentials, err) == -1) {
		err_context(err, "%s_credentials of berth.conf(5) says how to give them", s->conf->keys);
		return NULL;
	}
	if (gmtime_r(&now, &tm) == NULL || strftime(date, sizeof(date), "%Y%m%dT%H%M%SZ", &tm) == 0) {
		err_internal(err, 500, "the host's clock has no year");
		return NULL;
	}
	list_headers(s, a, c, date, credentials.session, headers);
	authorization = s3_authorization(a, &signing);
	/* an empty Expect: no round trip before a body */
	for (size_t i = 0; good && headers[i] != NULL; i++) {
		struct curl_slist *longer = curl_slist_append(list, headers[i]);

		good = longer != NULL;
		list = good ? longer : list;
	}
	good = good && authorization != NULL &&
	    curl_slist_append(list, arena_printf(a, "Authorization: %s", authorization)) != NULL &&
	    curl_slist_append(list, "Expect:") != NULL && curl_slist_append(list, "Content-Type:") != NULL;
	if (good)
		return list;
	free_headers(list);
	err_internal(err, 500, "object store: cannot sign a request");
	return NULL;
}

static bool
configure_method(CURL *curl, struct s3_call *c)
{
	if (strcmp(c->method, "HEAD") == 0)
		return curl_easy_setopt(curl, CURLOPT_NOBODY, 1L) == CURLE_OK;
	if (strcmp(c->method, "PUT") != 0)
		return curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, c->method) == CURLE_OK;
	return curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)c->source.size) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_READFUNCTION, source_read) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_READDATA, c) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_SEEKFUNCTION, source_seek) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_SEEKDATA, c) == CURLE_OK;
}

static bool
configure(const struct s3 *s, struct s3_call *c, const char *url, const struct curl_slist *headers, long ms)
{
	CURL *curl = c->curl;

	curl_easy_reset(curl); /* connections stay */
	return curl_easy_setopt(curl, CURLOPT_URL, url) == CURLE_OK && configure_method(curl, c) &&
	       curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_PROXY, "") == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK &&
	       /* libcurl's folder of certificates would count besides this file */
	       (s->conf->ca_file[0] == '\0' ||
	           (curl_easy_setopt(curl, CURLOPT_CAINFO, s->conf->ca_file) == CURLE_OK &&
	               curl_easy_setopt(curl, CURLOPT_CAPATH, NULL) == CURLE_OK)) &&
	       curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, ms) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, (long)STALL_BYTES) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME,
	           (long)(STALL_S + c->source.size / STALL_SIZE)) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_FILETIME, 1L) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_USERAGENT, "berth/" BERTH_VERSION) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, c->reason) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, sink_write) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_WRITEDATA, c) == CURLE_OK;
}

int
s3_away(struct err *err)
{
	return err_tell(err, "the registry's object store does not answer; try again in a few seconds");
}

struct slice
s3_code(const struct s3_call *c)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	enum { LONGEST = 64 };
	const char *text = buf_str(&c->text), *code = strstr(text, "<Code>");
	size_t n = code == NULL ? 0 : strspn(code + strlen("<Code>"), letters);

	return n > 0 && n <= LONGEST ? slice_of(code + strlen("<Code>"), n) : slice_of("", 0);
}

static bool
is_passing(long status)
{
	return status == HTTP_TOO_MANY || (status >= HTTP_SERVER_ERROR && status <= HTTP_TIMED_OUT &&
	    status != HTTP_NOT_IMPLEMENTED);
}

/* Tells the administrator what to check. */
static int
tell_remedy(const struct s3 *s, const struct s3_call *c, struct err *err)
{
	const char *keys = s->conf->keys;
	struct slice code = s3_code(c);

	if (slice_is(code, "RequestTimeTooSkewed"))
		return err_context(err, "set the clock of this host");
	if ((c->status >= HTTP_MULTIPLE_CHOICES && c->status < HTTP_BAD_REQUEST) ||
	    slice_is(code, "AuthorizationHeaderMalformed"))
		return err_context(err, "check %s_endpoint and %s_region", keys, keys);
	if (c->status == HTTP_UNAUTHORIZED || c->status == HTTP_FORBIDDEN)
		return err_context(err, "check %s_credentials, and the rights that they have in the bucket", keys);
	if (c->status == HTTP_NOT_FOUND)
		return err_context(err, "check the name of the bucket, %s", s->conf->bucket);
	return -1;
}

/* The store has answered, and not with success. */
int
s3_refuse(struct s3 *s, const struct s3_call *c, struct err *err)
{
	struct slice code = s3_code(c);

	err_internal(err, 503, "object store: %s %s at %s: status %ld%s%.*s", c->method,
	    c->key[0] != '\0' ? c->key : "(list)", s->origin, c->status, code.n > 0 ? " " : "", (int)code.n, code.p);
	(void)tell_remedy(s, c, err);
	s->refused = !is_passing(c->status);
	return s->refused ? err_tell(err, "the registry's object store refuses a request of the registry; tell the "
	    "registry's administrator") : s3_away(err);
}

/*
 * 1: answered; 0: not answered, and another attempt may help; -1: err.  Frees everything that the attempt
 * allocates.
 */
static int
attempt(struct s3 *s, struct s3_call *c, int64_t until_us, struct err *err)
{
	struct arena *a = arena_new();
	const char *path = s3_path(s, a, c->key, s->conf->path_style);
	const char *url = arena_printf(a, "%s%s%s%s", s->origin, path, c->query[0] != '\0' ? "?" : "", c->query);
	int64_t ms = (until_us - clock_us()) / MS_US;
	struct curl_slist *headers = NULL;
	int rc = rewind_call(c, err);

	if (rc == 0) {
		headers = sign(s, a, c, path, err);
		rc = headers == NULL ? -1 : 0;
	}
	if (rc == 0 && !configure(s, c, url, headers, ms > 0 ? (long)ms : 1))
		rc = err_internal(err, 500, "object store: libcurl refuses an option");
	if (rc == 0) {
		CURLcode code = curl_easy_perform(c->curl);

		rc = code == CURLE_OK && curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &c->status) == CURLE_OK;
		if (code != CURLE_OK && c->reason[0] == '\0')
			snprintf(c->reason, sizeof(c->reason), "%s", curl_easy_strerror(code));
	}
	if (headers != NULL)
		(void)curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, NULL);
	free_headers(headers);
	arena_free(a);
	return rc;
}

/* ---- attempts ---- */

/* There is no answer. */
static int
fail(struct s3 *s, const struct s3_call *c, struct err *err)
{
	if (c->sink.error != 0) {
		errno = c->sink.error;
		return err_disk(err, "object store: write %s", c->key);
	}
	if (c->sink.large)
		return err_set(err, 409, "the object %s at %s has more than %" PRId64 " bytes, so it is not what it should "
		    "be", c->key, s->origin, c->sink.max);
	if (buf_full(&c->text))
		err_internal(err, 503, "object store: %s %s at %s: the answer is too long", c->method, c->key, s->origin);
	else
		err_internal(err, 503, "object store: %s %s at %s: %s", c->method, c->key, s->origin, c->reason);
	return s3_away(err);
}

static void
pause_ms(int64_t ms)
{
	struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	(void)clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL);
}

/* As long as the request has waited, so that a store that is away takes at most half of a worker's time. */
static int64_t
away_us(int64_t waited_us)
{
	if (waited_us < AWAY_US)
		return AWAY_US;
	return waited_us < AWAY_MAX_US ? waited_us : AWAY_MAX_US;
}

/*
 * Leaves the store alone for a while after a failure.  A 500 may concern one object alone, as long as the
 * store answers for others; any other failure, or that of a second object, concerns the store.
 */
static void
set_away(struct s3 *s, const struct s3_call *c, bool answered, int64_t waited_us)
{
	bool alone = answered && c->status == HTTP_SERVER_ERROR && c->key[0] != '\0' &&
	    (!s->fails || strcmp(s->away_key, c->key) == 0);

	s->fails = true;
	snprintf(s->away_key, sizeof(s->away_key), "%s", alone ? c->key : "");
	s->away_until_us = clock_us() + away_us(waited_us);
}

bool
s3_fails_alone(const struct s3 *s, const char *key)
{
	return s->fails && strcmp(s->away_key, key) == 0;
}

static bool
is_away(const struct s3 *s, const struct s3_call *c)
{
	return clock_us() < s->away_until_us && (s->away_key[0] == '\0' || strcmp(s->away_key, c->key) == 0);
}

/* A request that had less time than a store may need says nothing about the store. */
static bool
is_verdict(bool answered, bool is_cut, int64_t waited_us)
{
	return answered || !is_cut || waited_us >= AWAY_US;
}

static int
try_all(struct s3 *s, struct s3_call *c, struct err *err)
{
	int64_t began_us = clock_us(), until_us = began_us + s->patience_ms * MS_US, pause = PAUSE_MS, waited_us;
	bool is_cut = s->deadline_us != 0 && s->deadline_us < until_us;
	int answered = 0;

	if (is_cut)
		until_us = s->deadline_us;
	if (is_away(s, c)) {
		err_internal(err, 503, s->away_key[0] != '\0' ? "object store: %s failed for %s a moment ago"
		    : "object store: %s failed a moment ago", s->origin, s->away_key);
		return s3_away(err);
	}
	if (until_us - began_us < LEAST_US) {
		err_internal(err, 503, "object store: %s %s at %s: no time is left for it", c->method, c->key, s->origin);
		return s3_away(err);
	}
	for (int i = 0; i < ATTEMPTS; i++, pause *= 4) {
		if (i > 0) {
			if (clock_us() + pause * MS_US >= until_us)
				break;
			pause_ms(pause);
		}
		answered = attempt(s, c, until_us, err);
		if (answered == -1)
			return -1;
		if ((answered == 1 && !is_passing(c->status)) || c->sink.error != 0 || c->sink.large)
			break;
	}
	if (answered == 1 && !is_passing(c->status)) {
		s->fails = false;
		return 0;
	}
	waited_us = clock_us() - began_us;
	if (c->sink.error == 0 && !c->sink.large && is_verdict(answered == 1, is_cut, waited_us))
		set_away(s, c, answered == 1, waited_us);
	return answered == 1 ? s3_refuse(s, c, err) : fail(s, c, err);
}

const char *const s3_operations[S3__OPS] = {
	[S3_OP_GET] = "get",
	[S3_OP_HEAD] = "head",
	[S3_OP_PUT] = "put",
	[S3_OP_COPY] = "copy",
	[S3_OP_LIST] = "list",
	[S3_OP_DELETE] = "delete",
};

static enum s3_operation
operation_of(const struct s3_call *c)
{
	if (c->copy_source != NULL)
		return S3_OP_COPY;
	if (c->key[0] == '\0')
		return S3_OP_LIST;
	if (strcmp(c->method, "GET") == 0)
		return S3_OP_GET;
	if (strcmp(c->method, "HEAD") == 0)
		return S3_OP_HEAD;
	return strcmp(c->method, "PUT") == 0 ? S3_OP_PUT : S3_OP_DELETE;
}

/* An answer that a key is missing, or exists already, is no failure. */
static bool
is_answer(long status)
{
	return status < HTTP_BAD_REQUEST || status == HTTP_NOT_FOUND || status == HTTP_CONFLICT ||
	    status == HTTP_PRECONDITION_FAILED;
}

int
s3_perform(struct s3 *s, struct arena *a, struct s3_call *c, struct err *err)
{
	int64_t began_us = clock_us();
	int rc = -1;

	s->refused = false;
	buf_init(&c->text, a, ANSWER_MAX);
	/* a file of that name would get the secrets of the connection */
	unsetenv("SSLKEYLOGFILE");
	if (s->curl != NULL && s->pid != getpid()) {
		s->inherited = s->curl;
		s->curl = NULL;
	}
	if (s->curl == NULL) {
		s->curl = curl_easy_init();
		s->pid = getpid();
	}
	c->curl = s->curl;
	if (c->curl == NULL)
		err_internal(err, 500, "object store: libcurl does not start");
	else
		rc = try_all(s, c, err);
	if (rc == 0 && c->status == HTTP_NOT_IMPLEMENTED && c->only_new && !s->unconditional) {
		s->unconditional = true;
		rc = try_all(s, c, err);
	}
	c->curl = NULL;
	if (s->watch != NULL)
		s->watch(s->watch_arg, operation_of(c), clock_us() - began_us, rc == -1 || !is_answer(c->status));
	return rc;
}
