#include "http/request.h"

#include <stdlib.h>

#include "base/clock.h"
#include "fake_fcgi.h"
#include "http/response.h"
#include "tap.h"

static struct arena *arena;
static struct fcgi_conn conn;
static struct request rq;

static int
read_with(const char *uri, const char *length)
{
	arena_reset(arena);
	memset(&conn, 0, sizeof(conn));
	conn.params[0] = "REQUEST_URI";
	conn.params[1] = uri;
	conn.params[2] = "CONTENT_LENGTH";
	conn.params[3] = length;
	conn.params[4] = "REQUEST_METHOD";
	conn.params[5] = "GET";
	return request_read(&rq, arena, &conn, 60);
}

static int
read_uri(const char *uri)
{
	return read_with(uri, "");
}

/* The path as the router sees it: segments in brackets, with a `*` where a slash was encoded. */
static const char *
shown(void)
{
	static char out[2048];
	size_t n = 0;

	out[0] = '\0';
	for (size_t i = 0; i < rq.nsegments; i++) {
		const struct segment *s = &rq.segments[i];

		n += (size_t)snprintf(out + n, sizeof(out) - n, "[%.*s%s]", (int)s->text.n,
		    s->text.p, s->slash ? "*" : "");
	}
	if (rq.trailing_slash)
		snprintf(out + n, sizeof(out) - n, "/");
	return out;
}

static void
test_paths_accepted(void)
{
	static const struct {
		const char *uri, *want;
	} cases[] = {
		{ "/", "" },
		{ "/a", "[a]" },
		{ "/a/", "[a]/" },
		{ "/a/b/c", "[a][b][c]" },
		{ "/Foo/1.0.0+b.1/download", "[Foo][1.0.0+b.1][download]" },
		{ "/group%2Fproject/x", "[group/project*][x]" },
		{ "/group%2fsub%2fproject", "[group/sub/project*]" },
		{ "/%41%7e", "[A~]" },
		{ "/a%252e", "[a%2e]" },
		{ "/a%2B", "[a+]" },
		{ "/a%23b", "[a#b]" },
		{ "/a%3Fb?c", "[a?b]" },
		{ "/...", "[...]" },
		{ "/.a/..b", "[.a][..b]" },
		{ "/a;b", "[a;b]" },
		{ "/a%20b", "[a b]" },
		{ "/caf%c3%a9/%E6%97%A5", "[caf\xc3\xa9][\xe6\x97\xa5]" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		is_int(read_uri(cases[i].uri), 0, cases[i].uri);
		is_str(shown(), cases[i].want, "  its segments");
		ok(request_takes_raw_path(arena, rq.raw_path), "  its path is taken alone as well");
	}
}

static void
test_paths_refused(void)
{
	static const char *const cases[] = {
		"", "a", "http://evil/a", "*", "//", "/a//b", "/a//", "/.", "/..", "/a/../b",
		"/a/./b", "/%2e", "/%2E%2e/b", "/.%2e", "/a%2f..%2fb", "/a%2F.", "/%2Fa", "/a%2F",
		"/a%2F%2Fb",
		"/a%00b", "/a%0ab", "/a%0d%0aX-Evil:1", "/a\tb", "/a%7f", "/a\x7f", "/\xc3\xa9",
		"/%c3", "/%c3/%a9", "/%c0%af", "/%ed%a0%80", "/%80", "/%ff", "/a\\b", "/a%5cb", "/a%",
		"/a%4", "/a%zz", "/a%4g",
		"/%/b", "/a#b", "/#",
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		is_int(read_uri(cases[i]), -1, cases[i]);
		is_int(rq.err.status, 400, "  is a bad request");
		ok(!request_takes_raw_path(arena, slice_str(cases[i])), "  nor is it taken alone");
	}
}

static void
test_error_format_survives(void)
{
	is_int(read_uri("/api/v4/projects/%zz/x/%00/y"), -1, "bad escapes among good segments");
	is_str(shown(), "[api][v4][projects][%zz][x][%00][y]", "all segments are there");
	ok(slice_is(rq.raw_path, "/api/v4/projects/%zz/x/%00/y"), "so is the raw path");
	is_int((int)strlen(rq.id), 32, "and an id");
}

static void
test_limits(void)
{
	char *uri = calloc(1, REQUEST_PATH_MAX + REQUEST_QUERY_MAX + 16);
	size_t n = 0;

	memset(uri, 'a', REQUEST_PATH_MAX);
	uri[0] = '/';
	is_int(read_uri(uri), 0, "a path at its limit");
	uri[REQUEST_PATH_MAX] = 'a';
	is_int(read_uri(uri), -1, "a path past its limit");
	is_int(rq.err.status, 414, "  is too long");
	is_int((int)rq.raw_path.n, REQUEST_PATH_MAX, "  and what is kept is cut");

	memset(uri, 'q', REQUEST_QUERY_MAX + 3);
	memcpy(uri, "/a?", 3);
	is_int(read_uri(uri), 0, "a query at its limit");
	is_int((int)rq.query.n, REQUEST_QUERY_MAX, "  all of it");
	uri[REQUEST_QUERY_MAX + 3] = 'q';
	is_int(read_uri(uri), -1, "a query past its limit");
	is_int(rq.err.status, 414, "  is too long");

	for (int i = 0; i < REQUEST_SEGMENTS_MAX; i++) {
		uri[n++] = '/';
		uri[n++] = 'a';
	}
	uri[n] = '\0';
	is_int(read_uri(uri), 0, "as many segments as a route has");
	is_int((int)rq.nplain, REQUEST_SEGMENTS_MAX, "  any of which it may take");
	memcpy(uri + n, "/a", 3);
	is_int(read_uri(uri), 0, "one more");
	is_int((int)rq.nsegments, REQUEST_SEGMENTS_MAX + 1, "  is there");
	is_int((int)rq.nplain, REQUEST_SEGMENTS_MAX, "  for the rest of a path");
	is_int(read_uri("/a/b%c3%a9/c"), 0, "a character outside ASCII");
	is_int((int)rq.nplain, 1, "  is for the rest of a path, too");
	free(uri);
}

static void
test_content_length(void)
{
	static const char *const bad[] = { "+3", "-1", "3x", " 3", "0x10", "1.0",
		"1000000000000000000", "99999999999999999999" };

	is_int(read_with("/", ""), 0, "an empty length");
	is_int(rq.content_length, -1, "  is none");
	is_int(read_with("/", NULL), 0, "an absent length");
	is_int(rq.content_length, -1, "  is none");
	is_int(read_with("/", "0"), 0, "zero");
	is_int(rq.content_length, 0, "  is zero");
	is_int(read_with("/", "999999999999999999"), 0, "eighteen digits");
	is_int(rq.content_length, 999999999999999999, "  are not cut");
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		is_int(read_with("/", bad[i]), -1, bad[i]);
		is_int(rq.err.status, 400, "  is no length");
	}
}

static void
test_method_and_headers(void)
{
	static const struct {
		const char *name;
		enum method method;
	} cases[] = {
		{ "GET", METHOD_GET }, { "HEAD", METHOD_HEAD }, { "PUT", METHOD_PUT },
		{ "POST", METHOD_POST }, { "DELETE", METHOD_DELETE }, { "PATCH", METHOD_PATCH },
		{ "OPTIONS", METHOD_OPTIONS }, { "get", METHOD_OTHER }, { "", METHOD_OTHER },
		{ "PROPFIND", METHOD_OTHER },
	};
	struct fcgi_conn none = { .params = { "REQUEST_URI", "/a" } };
	struct fcgi_conn full = { .params = { "REQUEST_URI", "/a", "REQUEST_METHOD", "PUT",
		"HTTP_AUTHORIZATION", "tok", "REMOTE_ADDR", "192.0.2.1", "HTTP_COOKIE", "",
		"REQUEST_ID", "0123456789ABCDEF0123456789abcdef" } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct fcgi_conn c = {
			.params = { "REQUEST_URI", "/", "REQUEST_METHOD", cases[i].name }
		};

		is_int(request_read(&rq, arena, &c, 60), 0, cases[i].name);
		is_int(rq.method, cases[i].method, "  is that method");
	}
	is_int(request_read(&rq, arena, &none, 60), 0, "a request without headers");
	is_int(rq.method, METHOD_OTHER, "no method");
	ok(rq.authorization == NULL, "no authorization");
	is_str(rq.remote_addr, "", "no address");
	is_int((int)strspn(rq.id, "0123456789abcdef"), 32, "an id of its own");

	is_int(request_read(&rq, arena, &full, 7), 0, "a request with headers");
	is_str(rq.authorization, "tok", "authorization");
	is_str(rq.remote_addr, "192.0.2.1", "address");
	ok(request_header(&rq, "HTTP_COOKIE") == NULL, "an empty header is none");
	is_str(rq.id, "0123456789ABCDEF0123456789abcdef", "the id that was given");
	is_int(rq.deadline_us - rq.started_us, 7000000, "the deadline");

	is_str(request_method_name(METHOD_DELETE), "DELETE", "a method has a name");
	is_str(request_method_name(METHOD_OTHER), "other", "an unknown one has none");
}

static void
test_id(void)
{
	static const char *const bad[] = { "", "0123", "1234567", "0123456789abcdef 0123456789abcdef",
		"0123456789abcdef0123456789abcdef\n", "0123456789abcdef=", "\"123456789", "0123456789\xc3\xa9",
		"0123456789012345678901234567890123456789012345678" };
	static const char *const good[] = { "12345678", "2f1c0a4e-8d55-4ab1-9a70-0123456789ab", "A.b_c-D9",
		"012345678901234567890123456789012345678901234567" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct fcgi_conn c = { .params = { "REQUEST_URI", "/", "REQUEST_ID", bad[i] } };

		is_int(request_read(&rq, arena, &c, 60), 0, "a request with a strange id");
		ok(strcmp(rq.id, bad[i]) != 0 && strlen(rq.id) == 32, "  gets one of ours");
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		struct fcgi_conn c = { .params = { "REQUEST_URI", "/", "REQUEST_ID", good[i] } };

		is_int(request_read(&rq, arena, &c, 60), 0, "a balancer's id");
		is_str(rq.id, good[i], "  stays");
	}
	is_int(request_read(&rq, arena, &(struct fcgi_conn) { 0 }, 60), -1, "no path at all");
	is_int(rq.err.status, 400, "  is a bad request");
	ok(slice_is(rq.raw_path, ""), "  with an empty one for the log");
}

static void
test_query(void)
{
	static const struct {
		const char *uri, *want; /* "!": 400 */
	} cases[] = {
		{ "/a", NULL }, { "/a?", NULL }, { "/a?x=1", NULL }, { "/a?q=1", "1" },
		{ "/a?q=", "" }, { "/a?q", "" }, { "/a?x=2&q=1&q=3", "1" }, { "/a?qq=1", NULL }, { "/a?=1", NULL },
		{ "/a?&&q=1&", "1" }, { "/a?q=a+b%2Bc", "a b+c" }, { "/a?%71=1", "1" },
		{ "/a?q=a=b", "a=b" }, { "/a?q=%c3%a9", "\xc3\xa9" }, { "/a?q=a?b", "a?b" },
		{ "/a?%zz=1&q=2", "2" }, { "/a?q%00=1", NULL }, { "/a?q=%", "!" },
		{ "/a?q=%4", "!" }, { "/a?q=%zz", "!" }, { "/a?q=a%00b", "!" },
		{ "/a?q=%ff", "!" }, { "/a?q=%ed%a0%80", "!" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		bool bad = cases[i].want != NULL && strcmp(cases[i].want, "!") == 0;
		const char *value = "unset";

		is_int(read_uri(cases[i].uri), 0, cases[i].uri);
		is_int(request_query(&rq, "q", &value), bad ? -1 : 0, "  is read, or refused");
		if (bad)
			is_int(rq.err.status, 400, "  with 400");
		else
			is_str(value, cases[i].want, "  and is this");
	}
}

static int
body_with(const char *body, const char *length, size_t piece)
{
	char got[64];
	size_t n, total = 0;

	if (read_with("/", length) == -1)
		return -1;
	conn.body = body;
	conn.body_n = strlen(body);
	conn.piece = piece;
	do {
		if (request_body_read(&rq, got + total, sizeof(got) - total, &n) == -1)
			return -1;
		total += n;
	} while (n > 0);
	return memcmp(got, body, total) == 0 ? (int)total : -2;
}

static void
test_body(void)
{
	size_t n;
	char c;

	is_int(body_with("", "", 0), 0, "no body");
	is_int(body_with("", "0", 0), 0, "an empty body");
	is_int(body_with("hello world", "11", 0), 11, "a body at once");
	is_int(body_with("hello world", "11", 1), 11, "a body byte by byte");
	is_int(request_body_read(&rq, &c, 1, &n), 0, "after its end");
	is_int((int)n, 0, "  there is nothing");
	is_int(body_with("hello world", "12", 3), -1, "a body that is short by one");
	is_int(rq.err.status, 400, "  is a bad request");
	is_int(body_with("hello world", "10", 3), -1, "a body that is long by one");
	is_int(rq.err.status, 400, "  is a bad request");
	is_int(body_with("x", "", 0), -1, "a body without a length");

	is_int(read_with("/", "11"), 0, "a request");
	conn.body = "hello world";
	conn.body_n = 11;
	request_body_drain(&rq);
	is_int((int)conn.body_at, 11, "its body is drained");
	is_int((int)rq.body_read, 11, "and counted");

	is_int(read_with("/", "11"), 0, "a request");
	conn.body = "hello world";
	conn.body_n = 11;
	rq.deadline_us = clock_us() - 1;
	request_body_drain(&rq);
	is_int((int)conn.body_at, 0, "nothing is drained past the deadline");
}

static void
test_params(void)
{
	is_int(read_uri("/"), 0, "a request");
	rq.params[rq.nparams++] = (struct param) { slice_str("id"), slice_str("7") };
	rq.params[rq.nparams++] = (struct param) { slice_str("crate"), slice_str("foo") };
	ok(slice_is(request_param(&rq, "crate"), "foo"), "a parameter by its name");
	ok(slice_is(request_param(&rq, "id"), "7"), "another");
}

/* A worker has one of each; what grows here is wiped and filled for each request. */
static void
test_sizes(void)
{
	static const struct {
		const char *what;
		size_t is, most;
	} sizes[] = {
		{ "struct request", sizeof(struct request), 3840 },
		{ "struct response", sizeof(struct response), 512 },
		{ "struct err", sizeof(struct err), 2688 },
	};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
		ok(sizes[i].is <= sizes[i].most, "%s has %zu bytes, at most %zu",
		    sizes[i].what, sizes[i].is, sizes[i].most);
}

int
main(void)
{
	arena = arena_new();
	test_sizes();
	test_paths_accepted();
	test_paths_refused();
	test_error_format_survives();
	test_limits();
	test_content_length();
	test_method_and_headers();
	test_id();
	test_query();
	test_body();
	test_params();
	arena_free(arena);
	return tap_done();
}
