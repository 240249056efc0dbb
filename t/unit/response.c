#include "http/response.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/utf8.h"
#include "fake_fcgi.h"
#include "http/request.h"
#include "tap.h"

#define ID "0123456789abcdef0123456789abcdef"
#define TAIL "X-Content-Type-Options: nosniff\r\nX-Request-Id: " ID "\r\nX-Served-By: " ID "\r\n"

static struct arena *arena;
static struct fcgi_conn conn;
static struct request rq;
static struct response rs;

static void
begin(enum method method)
{
	arena_reset(arena);
	memset(&conn, 0, sizeof(conn));
	rq = (struct request) { .arena = arena, .conn = &conn, .method = method, .id = ID };
	response_init(&rs, arena);
}

static const char *
error_with(enum error_format error_format, int status, const char *pub, const char *allow)
{
	struct err err = { 0 };

	err_set(&err, status, "%s", pub);
	response_error(&rs, error_format, &err, allow);
	response_send(&rs, &rq);
	return conn.out;
}

static void
test_bodies(void)
{
	begin(METHOD_GET);
	response_body(&rs, 200, "text/plain", slice_str("hello"));
	response_header(&rs, "ETag", "\"x\"");
	is_int(response_send(&rs, &rq), 5, "a body is counted");
	is_str(conn.out, "Status: 200 OK\r\nContent-Type: text/plain\r\nETag: \"x\"\r\n" TAIL
	    "Content-Length: 5\r\n\r\nhello", "and sent whole");

	begin(METHOD_HEAD);
	response_body(&rs, 200, "text/plain", slice_str("hello"));
	is_int(response_send(&rs, &rq), 0, "HEAD has no body");
	is_str(conn.out, "Status: 200 OK\r\nContent-Type: text/plain\r\n" TAIL
	    "Content-Length: 5\r\n\r\n", "but the same headers");

	begin(METHOD_GET);
	is_int(response_send(&rs, &rq), 0, "an empty body");
	is_str(conn.out, "Status: 200 OK\r\n" TAIL "Content-Length: 0\r\n\r\n", "has a length too");

	begin(METHOD_GET);
	rs.status = 304;
	rs.body = slice_str("never");
	is_int(response_send(&rs, &rq), 0, "304 has no body");
	is_str(conn.out, "Status: 304 Not Modified\r\n" TAIL "\r\n", "and no length");

	begin(METHOD_GET);
	rs.status = 204;
	is_int(response_send(&rs, &rq), 0, "204 has no body");
	is_str(conn.out, "Status: 204 No Content\r\n" TAIL "\r\n", "and no length");

	begin(METHOD_GET);
	conn.gone = 1;
	is_int(response_send(&rs, &rq), -1, "a peer that has gone");
}

static void
test_binary_body(void)
{
	static const char bytes[] = { 0, 1, '\r', '\n', (char)0xff, 0 };

	begin(METHOD_GET);
	response_body(&rs, 200, "application/octet-stream", slice_of(bytes, sizeof(bytes)));
	is_int(response_send(&rs, &rq), sizeof(bytes), "a binary body is counted");
	ok(memcmp(conn.out + conn.out_n - sizeof(bytes), bytes, sizeof(bytes)) == 0,
	    "and sent as it is");
}

static void
test_shapes(void)
{
#define PRIVATE "Cache-Control: private, no-store\r\nVary: Authorization\r\n"
	begin(METHOD_GET);
	is_str(error_with(ERROR_FORMAT_TEXT, 404, "no such \"crate\"", NULL),
	    "Status: 404 Not Found\r\nContent-Type: text/plain; charset=utf-8\r\n" PRIVATE TAIL
	    "Content-Length: 16\r\n\r\nno such \"crate\"\n", "a sentence");
	begin(METHOD_GET);
	is_str(error_with(ERROR_FORMAT_CARGO, 403, "no such \"crate\"", NULL),
	    "Status: 403 Forbidden\r\nContent-Type: application/json\r\n" PRIVATE TAIL
	    "Content-Length: 43\r\n\r\n{\"errors\":[{\"detail\":\"no such \\\"crate\\\"\"}]}",
	    "cargo's JSON");
	begin(METHOD_GET);
	is_str(error_with(ERROR_FORMAT_GITLAB, 404, "Project Not Found", NULL),
	    "Status: 404 Not Found\r\nContent-Type: application/json\r\n" PRIVATE TAIL
	    "Content-Length: 35\r\n\r\n{\"message\":\"404 Project Not Found\"}", "GitLab's JSON");
	begin(METHOD_HEAD);
	is_str(error_with(ERROR_FORMAT_GITLAB, 404, "Project Not Found", NULL),
	    "Status: 404 Not Found\r\nContent-Type: application/json\r\n" PRIVATE TAIL
	    "Content-Length: 35\r\n\r\n", "without a body for HEAD");
}

static void
test_error_headers(void)
{
	struct err err = { 0 };

	begin(METHOD_GET);
	response_header(&rs, "ETag", "\"secret\"");
	response_body(&rs, 200, "text/plain", slice_str("secret"));
	rs.www_authenticate = "Cargo login_url=\"https://x/me\"";
	error_with(ERROR_FORMAT_TEXT, 401, "log in", NULL);
	ok(strstr(conn.out, "WWW-Authenticate: Cargo login_url=\"https://x/me\"\r\n") != NULL,
	    "401 says where to log in");
	ok(strstr(conn.out, "secret") == NULL, "nothing is left of an answer before the error");

	begin(METHOD_GET);
	rs.www_authenticate = "Cargo login_url=\"https://x/me\"";
	ok(strstr(error_with(ERROR_FORMAT_TEXT, 403, "no", NULL), "WWW-Auth") == NULL, "403 does not");

	begin(METHOD_GET);
	ok(strstr(error_with(ERROR_FORMAT_TEXT, 405, "no", "GET, HEAD"), "Allow: GET, HEAD\r\n") != NULL,
	    "405 lists the methods");
	begin(METHOD_GET);
	ok(strstr(error_with(ERROR_FORMAT_TEXT, 405, "no", NULL), "Allow:") == NULL,
	    "unless none are known");
	begin(METHOD_GET);
	ok(strstr(error_with(ERROR_FORMAT_CARGO, 429, "slow", NULL), "Retry-After: 10\r\n") != NULL,
	    "429 says when to try again");
	begin(METHOD_GET);
	err_set(&err, 429, "slow");
	err.retry_after = 42;
	response_error(&rs, ERROR_FORMAT_CARGO, &err, NULL);
	response_send(&rs, &rq);
	ok(strstr(conn.out, "Retry-After: 42\r\n") != NULL, "where it is known, exactly");

	begin(METHOD_GET);
	err_internal(&err, 503, "could not connect to server \"db7\"");
	response_error(&rs, ERROR_FORMAT_CARGO, &err, NULL);
	response_send(&rs, &rq);
	ok(strstr(conn.out, "Retry-After: 5\r\n") != NULL, "so does 503");
	ok(strstr(conn.out, "db7") == NULL, "and it tells nothing internal");
}

/* The body of an error whose sentence is n times the character. */
static const char *
long_error(enum error_format error_format, const char *character, size_t n)
{
	struct err err = { .status = 400 };

	for (size_t i = 0; i < n; i++)
		memcpy(err.pub + i * strlen(character), character, strlen(character) + 1);
	begin(METHOD_GET);
	response_error(&rs, error_format, &err, NULL);
	response_send(&rs, &rq);
	return strstr(conn.out, "\r\n\r\n") + 4;
}

/* Every shape, and characters of each length in bytes and in JSON. */
static void
test_longest_error(void)
{
	static const struct {
		const char *character;
		size_t width; /* in JSON */
	} cases[] = { { "x", 1 }, { "\"", 2 }, { "\\", 2 }, { "\n", 2 }, { "\x01", 6 }, { "\xc3\xa9", 1 },
		{ "\xe2\x82\xac", 1 }, { "\xf0\x9f\xa6\x80", 1 } };
	static const struct {
		enum error_format error_format;
		const char *end;
	} error_formats[] = { { ERROR_FORMAT_TEXT, "\xe2\x80\xa6\n" }, { ERROR_FORMAT_CARGO, "\xe2\x80\xa6\"}]}" },
		{ ERROR_FORMAT_GITLAB, "\xe2\x80\xa6\"}" } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		size_t fits = 486 / cases[i].width;

		for (size_t k = 0; k < sizeof(error_formats) / sizeof(*error_formats); k++) {
			const char *end = error_formats[k].end;
			const char *body = long_error(error_formats[k].error_format, cases[i].character, 511);

			ok(utf8_valid(slice_str(body)) && utf8_length(slice_str(body)) <= 512,
			    "case %zu, shape %zu: at most 512 characters", i, k);
			ok(strcmp(body + strlen(body) - strlen(end), end) == 0, "and an ellipsis");
			body = long_error(error_formats[k].error_format, cases[i].character, fits);
			ok(utf8_length(slice_str(body)) <= 512 &&
			        strcmp(body + strlen(body) - strlen(end), end) != 0,
			    "%zu are not cut", fits);
		}
	}
}

/* Does this end the process?  Such a mistake is ours and must not become a response. */
static void
dies(void (*fn)(void), const char *name)
{
	const struct rlimit no_core = { 0, 0 };
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		setrlimit(RLIMIT_CORE, &no_core);
		if (freopen("/dev/null", "w", stderr) == NULL)
			_exit(1);
		fn();
		_exit(0);
	}
	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		continue;
	ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT, "%s", name);
}

static void
inject_newline(void)
{
	response_header(&rs, "X-Accel-Redirect", "/a\r\nSet-Cookie: x");
}

static void
inject_high_byte(void)
{
	response_header(&rs, "X-A", "\xff");
}

static void
inject_name(void)
{
	response_header(&rs, "X\n", "a");
}

static void
too_many(void)
{
	for (int i = 0; i <= RESPONSE_HEADERS_MAX; i++)
		response_header(&rs, "X-A", "a");
}

static void
no_error(void)
{
	const struct err err = { 0 };

	response_error(&rs, ERROR_FORMAT_TEXT, &err, NULL);
}

/* nginx understands 401 and 403; what the client shall see goes along in headers. */
static void
test_subrequest(void)
{
	begin(METHOD_PUT);
	rs.www_authenticate = "Cargo login_url=\"https://x/\"";
	error_with(ERROR_FORMAT_SUBREQUEST, 401, "no token", NULL);
	ok(strstr(conn.out, "Status: 401 ") == conn.out, "401 stays");
	ok(strstr(conn.out, "\r\nX-Berth-Status: 401\r\n") != NULL, "and is told");
	ok(strstr(conn.out, "\r\nX-Berth-Refusal: {\"errors\":[{\"detail\":\"no token\"}]}\r\n") != NULL,
	    "with its body");
	ok(strstr(conn.out, "\r\nWWW-Authenticate: Cargo ") != NULL, "and where to log in");
	begin(METHOD_PUT);
	error_with(ERROR_FORMAT_SUBREQUEST, 404, "not \xc3\xa9 found", NULL);
	ok(strstr(conn.out, "Status: 403 ") == conn.out, "all else becomes 403");
	ok(strstr(conn.out, "\r\nX-Berth-Status: 404\r\n") != NULL, "but is told");
	ok(strstr(conn.out, "\"detail\":\"not ?? found\"") != NULL, "a header holds ASCII");
}

int
main(void)
{
	arena = arena_new();
	test_bodies();
	test_binary_body();
	test_shapes();
	test_error_headers();
	test_longest_error();
	begin(METHOD_GET);
	dies(inject_newline, "a header value with a line break");
	dies(inject_high_byte, "a header value outside ASCII");
	dies(inject_name, "a header name with a line break");
	dies(too_many, "one header more than can be");
	dies(no_error, "an error without a status");
	test_subrequest();
	arena_free(arena);
	return tap_done();
}
