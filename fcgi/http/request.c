#include "http/request.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "base/clock.h"
#include "base/hex.h"
#include "base/utf8.h"
#include "http/fcgi.h"

enum { ID_BYTES = 16, ID_MIN = 8, CONTENT_LENGTH_DIGITS = 18, SENT_DIGITS = 12 };

static const struct {
	const char *name;
	enum method method;
} methods[] = {
	{ "GET", METHOD_GET },
	{ "HEAD", METHOD_HEAD },
	{ "PUT", METHOD_PUT },
	{ "POST", METHOD_POST },
	{ "DELETE", METHOD_DELETE },
	{ "PATCH", METHOD_PATCH },
	{ "OPTIONS", METHOD_OPTIONS },
};

static enum method
method_parse(const char *name)
{
	for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++) {
		if (strcmp(methods[i].name, name) == 0)
			return methods[i].method;
	}
	return METHOD_OTHER;
}

const char *
request_method_name(enum method method)
{
	for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++) {
		if (methods[i].method == method)
			return methods[i].name;
	}
	return "other";
}

/* What a log, a header and PostgreSQL show as it is. */
static bool
is_id(const char *s)
{
	size_t n = strspn(s, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._-");

	return s[n] == '\0' && n >= ID_MIN && n < REQUEST_ID_SIZE;
}

/* nginx's id, so that all logs show the same one; of our own where there is none. */
static void
id_set(struct request *rq)
{
	const char *given = fcgi_param(rq->conn, "REQUEST_ID");
	unsigned char bytes[ID_BYTES];
	ssize_t n;

	if (given != NULL && is_id(given)) {
		snprintf(rq->id, sizeof(rq->id), "%s", given);
		return;
	}
	/* so few bytes come whole, and without waiting once the system is up */
	n = getrandom(bytes, ID_BYTES, 0);
	assert(n == ID_BYTES);
	hex_encode(bytes, ID_BYTES, rq->id);
}

/*
 * The byte at in.p[*at], which is moved on; an escape counts as the byte that
 * it stands for.  -1: a bad escape.
 */
static int
byte_decode(struct slice in, size_t *at)
{
	char c = in.p[(*at)++];
	int high, low;

	if (c != '%')
		return (unsigned char)c;
	if (in.n - *at < 2)
		return -1;
	high = hex_digit(in.p[*at]);
	low = hex_digit(in.p[*at + 1]);
	*at += 2;
	return high == -1 || low == -1 ? -1 : high * 16 + low;
}

/* What is wrong with a decoded byte of a path, or NULL. */
static const char *
byte_refuse(int c)
{
	if (c == -1)
		return "a percent sign that is not followed by two hexadecimal digits";
	if (c < 0x20 || c == 0x7f)
		return "a control character";
	if (c == '\\')
		return "a backslash";
	return NULL;
}

/* The names between slashes: encoded ones count here as much as raw ones. */
static const char *
names_refuse(struct slice s)
{
	size_t start = 0;

	for (size_t i = 0; i <= s.n; i++) {
		struct slice name;

		if (i < s.n && s.p[i] != '/')
			continue;
		name = slice_of(s.p + start, i - start);
		if (name.n == 0)
			return "an empty segment";
		if (slice_is(name, ".") || slice_is(name, ".."))
			return "a dot segment";
		start = i + 1;
	}
	return NULL;
}

static bool
is_ascii(struct slice text)
{
	for (size_t i = 0; i < text.n; i++) {
		if ((unsigned char)text.p[i] >= 0x80)
			return false;
	}
	return true;
}

bool
request_takes_path(struct slice path)
{
	for (size_t i = 0; i < path.n; i++) {
		if (byte_refuse((unsigned char)path.p[i]) != NULL)
			return false;
	}
	return utf8_valid(path) && names_refuse(path) == NULL;
}

/* Decodes one segment.  NULL, or what is wrong with it; it then stays undecoded. */
static const char *
segment_decode(struct arena *a, struct slice raw, struct segment *out)
{
	char *text = arena_alloc(a, raw.n);
	const char *wrong;
	size_t n = 0;

	*out = (struct segment) { .text = raw };
	if (!is_ascii(raw))
		return "a character outside ASCII";
	for (size_t at = 0; at < raw.n;) {
		int c = byte_decode(raw, &at);

		wrong = c == '#' && raw.p[at - 1] == '#' ? "a fragment" : byte_refuse(c);
		if (wrong != NULL)
			return wrong;
		/* a raw slash ended the segment, so that this one was encoded */
		out->slash |= c == '/';
		text[n++] = (char)c;
	}
	wrong = !utf8_valid(slice_of(text, n)) ? "bytes that are not UTF-8" : names_refuse(slice_of(text, n));
	if (wrong == NULL)
		out->text = slice_of(text, n);
	return wrong;
}

/* Splits and decodes all of raw_path, also past a mistake, for the sake of router_error_format(). */
static int
path_split(struct request *rq)
{
	struct slice left = rq->raw_path;
	bool plain = true;
	size_t slashes = 0;
	int rc = 0;

	if (left.n == 0 || left.p[0] != '/')
		return err_set(&rq->err, 400, "the path must begin with a slash");
	for (size_t i = 0; i < left.n; i++)
		slashes += left.p[i] == '/';
	rq->segments = arena_calloc(rq->arena, slashes, sizeof(*rq->segments));
	while (left.n > 1) {
		struct segment *segment;
		const char *end;
		const char *wrong;
		struct slice raw;

		left = slice_of(left.p + 1, left.n - 1);
		end = memchr(left.p, '/', left.n);
		raw = slice_of(left.p, end == NULL ? left.n : (size_t)(end - left.p));
		left = slice_of(left.p + raw.n, left.n - raw.n);
		segment = &rq->segments[rq->nsegments++];
		wrong = segment_decode(rq->arena, raw, segment);
		if (wrong != NULL && rc == 0)
			rc = err_set(&rq->err, 400, "the path holds %s", wrong);
		plain = plain && rq->nplain < REQUEST_SEGMENTS_MAX && is_ascii(segment->text);
		rq->nplain += plain;
	}
	rq->trailing_slash = left.n == 1 && rq->nsegments > 0;
	return rc;
}

bool
request_takes_raw_path(struct arena *a, struct slice path)
{
	struct request rq = { .arena = a, .raw_path = path };

	return path.n <= REQUEST_PATH_MAX && path_split(&rq) == 0;
}

/* Sets raw_path and query, cut to their limits, and lets them live as long as the arena. */
static int
uri_read(struct request *rq)
{
	const char *uri = fcgi_param(rq->conn, "REQUEST_URI");
	const char *query;
	size_t path_n, query_n;

	if (uri == NULL)
		return err_set(&rq->err, 400, "the request has no path");
	path_n = strcspn(uri, "?");
	query = uri + path_n + (uri[path_n] == '?');
	query_n = strlen(query);
	rq->raw_path.n = path_n > REQUEST_PATH_MAX ? REQUEST_PATH_MAX : path_n;
	rq->raw_path.p = arena_strndup(rq->arena, uri, rq->raw_path.n);
	rq->query.n = query_n > REQUEST_QUERY_MAX ? 0 : query_n;
	rq->query.p = arena_strndup(rq->arena, query, rq->query.n);
	if (path_split(rq) == -1 && path_n <= REQUEST_PATH_MAX)
		return -1;
	if (path_n > REQUEST_PATH_MAX)
		return err_set(&rq->err, 414, "the path is longer than %d bytes", REQUEST_PATH_MAX);
	if (query_n > REQUEST_QUERY_MAX)
		return err_set(&rq->err, 414, "the query is longer than %d bytes",
		    REQUEST_QUERY_MAX);
	return 0;
}

static int
content_length_read(struct request *rq)
{
	const char *s = fcgi_param(rq->conn, "CONTENT_LENGTH");
	size_t n;

	rq->content_length = -1;
	if (s == NULL || s[0] == '\0')
		return 0;
	n = strspn(s, "0123456789");
	if (s[n] != '\0' || n > CONTENT_LENGTH_DIGITS)
		return err_set(&rq->err, 400, "Content-Length is not a number");
	rq->content_length = 0;
	for (size_t i = 0; i < n; i++)
		rq->content_length = rq->content_length * 10 + (s[i] - '0');
	return 0;
}

/* nginx's $msec: "1767225600.123" */
static bool
msec_parse(const char *s, int64_t *us)
{
	size_t whole = strspn(s, "0123456789");
	int64_t n = 0;

	if (whole == 0 || whole > SENT_DIGITS || s[whole] != '.' ||
	    strspn(s + whole + 1, "0123456789") != 3 || s[whole + 4] != '\0')
		return false;
	for (; *s != '\0'; s++) {
		if (*s != '.')
			n = n * 10 + (*s - '0');
	}
	*us = n * 1000;
	return true;
}

/* The time that the request has waited in the backlog.  Both clocks are this host's. */
static int64_t
waited_us(const struct request *rq)
{
	const char *s = fcgi_param(rq->conn, "BERTH_SENT");
	struct timespec now;
	int64_t sent, us;

	if (s == NULL || !msec_parse(s, &sent))
		return 0;
	clock_gettime(CLOCK_REALTIME, &now);
	us = (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000 - sent;
	return us > 0 ? us : 0;
}

int
request_read(struct request *rq, struct arena *a, struct fcgi_conn *conn, int64_t timeout)
{
	const char *s;
	int rc;

	*rq = (struct request) { .arena = a, .conn = conn, .started_us = clock_us() };
	rq->waited_us = waited_us(rq);
	rq->deadline_us = rq->started_us - rq->waited_us + timeout * CLOCK_SECOND;
	rq->raw_path = rq->query = slice_str("");
	id_set(rq);
	s = fcgi_param(conn, "REQUEST_METHOD");
	rq->method = s == NULL ? METHOD_OTHER : method_parse(s);
	s = fcgi_param(conn, "REMOTE_ADDR");
	rq->remote_addr = s == NULL ? "" : s;
	rq->authorization = request_header(rq, "HTTP_AUTHORIZATION");
	/* a length that is wrong leaves -1, "none": nothing is then read as a body */
	rc = content_length_read(rq);
	return uri_read(rq) == -1 ? -1 : rc;
}

int
request_defer(struct request *rq, const char *awaits)
{
	rq->deferred = rq->may_defer;
	snprintf(rq->awaits, sizeof(rq->awaits), "%s", awaits);
	return -1;
}

const char *
request_header(const struct request *rq, const char *fcgi_name)
{
	const char *s = fcgi_param(rq->conn, fcgi_name);

	return s == NULL || s[0] == '\0' ? NULL : s;
}

size_t
request_header_count(const struct request *rq, const char *fcgi_name)
{
	return fcgi_param_count(rq->conn, fcgi_name);
}

bool
request_is_subrequest(const struct request *rq)
{
	return request_header(rq, "BERTH_SUBREQUEST") != NULL;
}

static bool
subrequest_is(const struct request *rq, const char *which)
{
	const char *value = request_header(rq, "BERTH_SUBREQUEST");

	return value != NULL && strcmp(value, which) == 0;
}

bool
request_asks_first(const struct request *rq)
{
	return subrequest_is(rq, "first");
}

bool
request_asks_last(const struct request *rq)
{
	return subrequest_is(rq, "last");
}

static size_t
find_param(const struct request *rq, const char *name)
{
	size_t i = 0;

	while (i < rq->nparams && !slice_is(rq->params[i].name, name))
		i++;
	return i;
}

bool
request_has_param(const struct request *rq, const char *name)
{
	return find_param(rq, name) < rq->nparams;
}

struct slice
request_param(const struct request *rq, const char *name)
{
	size_t i = find_param(rq, name);

	assert(i < rq->nparams);
	return rq->params[i].value;
}

/* A form's decoding of one byte: as in a path, but `+` is a space. */
static int
query_byte(struct slice in, size_t *at)
{
	bool plus = in.p[*at] == '+';
	int c = byte_decode(in, at);

	return plus ? ' ' : c;
}

static bool
key_is(struct slice raw, const char *name)
{
	size_t n = strlen(name);
	size_t i = 0;

	for (size_t at = 0; at < raw.n; i++) {
		int c = query_byte(raw, &at);

		if (i == n || c != (unsigned char)name[i])
			return false;
	}
	return i == n;
}

static int
value_decode(struct request *rq, const char *name, struct slice raw, const char **out)
{
	char *text = arena_alloc(rq->arena, raw.n + 1);
	size_t n = 0;

	for (size_t at = 0; at < raw.n;) {
		int c = query_byte(raw, &at);

		if (c == -1)
			return err_set(&rq->err, 400, "parameter `%s` has a bad escape", name);
		if (c == 0)
			return err_set(&rq->err, 400, "parameter `%s` holds a NUL", name);
		text[n++] = (char)c;
	}
	if (!utf8_valid(slice_of(text, n)))
		return err_set(&rq->err, 400, "parameter `%s` is not valid UTF-8", name);
	*out = text;
	return 0;
}

int
request_form(struct request *rq, struct slice form, const char *name, size_t skip, const char **out)
{
	const char *p = form.p;
	size_t left = form.n;

	*out = NULL;
	while (left > 0) {
		const char *end = memchr(p, '&', left);
		size_t n = end == NULL ? left : (size_t)(end - p);
		const char *equals = memchr(p, '=', n);
		size_t key = equals == NULL ? n : (size_t)(equals - p);
		size_t value = equals == NULL ? n : key + 1;

		if (key_is(slice_of(p, key), name) && skip-- == 0)
			return value_decode(rq, name, slice_of(p + value, n - value), out);
		/* past the '&', where there is one */
		n += end != NULL;
		p += n;
		left -= n;
	}
	return 0;
}

int
request_query(struct request *rq, const char *name, const char **out)
{
	return request_form(rq, rq->query, name, 0, out);
}

int
request_body_read(struct request *rq, void *p, size_t n, size_t *got)
{
	int64_t length = rq->content_length == -1 ? 0 : rq->content_length;

	*got = 0;
	if (n == 0 || rq->body_ended)
		return 0;
	*got = fcgi_read(rq->conn, p, n);
	rq->body_ended = *got == 0;
	if (rq->body_ended && rq->body_read < length)
		return err_set(&rq->err, 400, "the request body ends before its Content-Length");
	rq->body_read += (int64_t)*got;
	if (rq->body_read > length)
		return err_set(&rq->err, 400, "the request body is longer than its Content-Length");
	return 0;
}

void
request_body_drain(struct request *rq)
{
	char piece[16 * 1024];

	while (!rq->body_ended && clock_us() < rq->deadline_us) {
		size_t got = fcgi_read(rq->conn, piece, sizeof(piece));

		rq->body_read += (int64_t)got;
		rq->body_ended = got == 0;
	}
}
