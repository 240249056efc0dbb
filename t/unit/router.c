#include "http/router.h"

#include "fake_fcgi.h"
#include "tap.h"

#define R "api/v4/projects/:id%/packages/cargo"

static bool
is_long(const struct request *rq)
{
	return request_param(rq, "crate").n > 3;
}

static bool
is_odd(const struct request *rq)
{
	return rq->nsegments % 2 == 1 || rq->trailing_slash;
}

static const struct route routes[] = {
	{ .name = "config", .methods = METHOD_GET, .pattern = R "/config.json" },
	{ .name = "index_1", .methods = METHOD_GET, .pattern = R "/1/:crate" },
	{ .name = "publish", .methods = METHOD_PUT, .pattern = R "/api/v1/crates/new",
	    .error_format = ERROR_FORMAT_CARGO },
	{ .name = "owners", .methods = METHOD_GET | METHOD_DELETE,
	    .pattern = R "/api/v1/crates/:crate/owners", .error_format = ERROR_FORMAT_CARGO },
	{ .name = "owners_add", .methods = METHOD_PUT, .pattern = R "/api/v1/crates/:crate/owners",
	    .error_format = ERROR_FORMAT_CARGO },
	{ .name = "index", .methods = METHOD_GET, .pattern = R "/:a/:b/:crate", .accept = is_long },
	{ .name = "download", .methods = METHOD_GET, .pattern = R "/:crate/:version/download" },
	{ .name = "below", .methods = METHOD_GET, .pattern = "-/below",
	    .accept = is_odd, .goes_on = true },
	{ .name = "front", .methods = METHOD_GET, .pattern = "-/" },
	{ .name = "group", .methods = METHOD_GET, .pattern = "-/groups/:path*" },
	{ .name = "version", .methods = METHOD_GET, .pattern = "-/groups/:path*/-/crates/:crate/:version" },
	{ .name = "file", .methods = METHOD_GET, .pattern = "-/groups/:path*/-/files/:file+" },
	{ .name = "liveness", .methods = METHOD_GET, .pattern = "-/liveness" },
};

static const struct route_error_format error_formats[] = {
	{ .pattern = R "/api/v1", .error_format = ERROR_FORMAT_CARGO },
	{ .pattern = R, .error_format = ERROR_FORMAT_TEXT },
	{ .pattern = "api/v4", .error_format = ERROR_FORMAT_GITLAB, .missing = "no such part" },
};

static const struct router router = { routes, sizeof(routes) / sizeof(*routes), error_formats,
	sizeof(error_formats) / sizeof(*error_formats) };

static struct arena *arena;
static struct request rq;

static const char *
match(const char *method, const char *uri)
{
	static struct fcgi_conn conn;
	static char status[8];

	arena_reset(arena);
	conn = (struct fcgi_conn) { .params = { "REQUEST_URI", uri, "REQUEST_METHOD", method } };
	if (request_read(&rq, arena, &conn, 60) == 0 && router_match(&router, &rq) == 0)
		return rq.allow == NULL ? rq.route->name : arena_printf(arena, "not %s", rq.route->name);
	snprintf(status, sizeof(status), "%d", rq.err.status);
	return status;
}

#define TEN "a/a/a/a/a/a/a/a/a/a/"
#define P "/api/v4/projects/7/packages/cargo"
#define Q "/api/v4/projects/g%2Fs%2Fp/packages/cargo"

static void
test_matches(void)
{
	static const struct {
		const char *method, *uri, *want;
	} cases[] = {
		{ "GET", P "/config.json", "config" },
		{ "HEAD", P "/config.json", "config" },
		{ "GET", Q "/config.json", "config" },
		{ "GET", P "/config.json?x=/y", "config" },
		{ "GET", P "/1/a", "index_1" },
		{ "PUT", P "/api/v1/crates/new", "publish" },
		{ "GET", P "/api/v1/crates/foo/owners", "owners" },
		{ "DELETE", P "/api/v1/crates/foo/owners", "owners" },
		{ "PUT", P "/api/v1/crates/foo/owners", "owners_add" },
		{ "GET", P "/fo/ob/foob", "index" },
		{ "GET", P "/fo/1.0.0/download", "index" },
		{ "GET", P "/fo/ob/foo", "404" },
		{ "GET", "/-/liveness", "liveness" },
		{ "GET", "/-/below", "404" },
		{ "GET", "/-/below/", "below" },
		{ "GET", "/-/below/x", "below" },
		{ "GET", "/-/below/x/y", "404" },
		{ "POST", "/-/below/x", "not below" },
		{ "GET", "/-/belo/x", "404" },
		{ "GET", "/", "404" },
		{ "GET", "/-", "404" },
		{ "GET", "/-/", "front" },
		{ "POST", "/-/", "not front" },
		{ "GET", "/-/groups", "404" },
		{ "GET", "/-/groups/", "404" },
		{ "GET", "/-/groups/a", "group" },
		{ "GET", "/-/groups/a/", "404" },
		{ "GET", "/-/groups/a/b/c", "group" },
		{ "GET", "/-/groups/a%2Fb", "400" },
		{ "GET", "/-/groups/a/b%2Fc/d", "400" },
		{ "GET", "/-/groups/-", "404" },
		{ "GET", "/-/groups/-/crates/x/1.0.0", "404" },
		{ "GET", "/-/groups/a/-", "404" },
		{ "GET", "/-/groups/a/b/-/crates/x/1.0.0", "version" },
		{ "GET", "/-/groups/a/-/crates/x", "404" },
		{ "GET", "/-/groups/a/-/crates/x/1.0.0/y", "404" },
		{ "GET", "/-/groups/a/-/-/crates/x/1.0.0", "404" },
		{ "GET", "/-/groups/a/-/crates/x%2Fy/1.0.0", "400" },
		{ "GET", "/-/groups/a/-/files/x", "file" },
		{ "GET", "/-/groups/a/-/files/x/-/y/z", "file" },
		{ "GET", "/-/groups/a/-/files/", "404" },
		{ "GET", "/-/groups/a/-/files/x/", "404" },
		{ "GET", "/-/groups/a/-/files/x%2Fy", "400" },
		{ "GET", "/-/groups/a/-/files/caf%c3%a9/x", "file" },
		{ "GET", "/-/groups/a/-/files/x/%E6%97%A5", "file" },
		{ "GET", "/-/groups/a/-/files/caf%c3%a9%2Fx", "400" },
		{ "GET", "/-/groups/a/-/files/caf%e9", "400" },
		{ "GET", "/-/groups/a/-/files/caf\xc3\xa9", "400" },
		{ "GET", "/-/groups/a/-/files/" TEN TEN TEN "x", "file" },
		{ "GET", "/-/groups/" TEN TEN "x", "group" },
		{ "GET", "/-/groups/" TEN TEN "a/x/y", "404" },
		{ "GET", "/-/groups/" TEN TEN "x/-/files/y", "404" },
		{ "GET", "/-/groups/caf%c3%a9", "400" },
		{ "GET", "/-/groups/a/caf%c3%a9/-/files/x", "400" },
		{ "GET", "/-/groups/a/-/crates/caf%c3%a9/1.0.0", "400" },
		{ "GET", "/-/below/caf%c3%a9", "400" },
		{ "GET", "/-/below/" TEN TEN "a/b/x", "404" },
		{ "GET", "/caf%c3%a9", "400" },
		{ "GET", P "/fo/ob/foo%c3%a9", "400" },
		{ "GET", "/-/liveness/x", "404" },
		{ "GET", "/-/liveness/", "404" },
		{ "GET", "/-/livenes", "404" },
		{ "GET", "/-/Liveness", "404" },
		{ "GET", P, "404" },
		{ "GET", P "/config.json/", "404" },
		{ "GET", P "/config.json.git/", "404" },
		{ "POST", P "/config.json", "not config" },
		{ "OPTIONS", P "/config.json", "not config" },
		{ "BREW", P "/config.json", "not config" },
		{ "PATCH", P "/api/v1/crates/foo/owners", "not owners" },
		{ "GET", P "/1/a%2Fb", "400" },
		{ "GET", P "%2Fconfig.json", "404" },
		{ "GET", Q "/nonsense", "404" },
		{ "GET", P "/../config.json", "400" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		is_str(match(cases[i].method, cases[i].uri), cases[i].want, cases[i].uri);
}

static void
test_params(void)
{
	match("GET", Q "/api/v1/crates/fo%6F/owners");
	ok(slice_is(request_param(&rq, "id"), "g/s/p"), "a path as one parameter");
	ok(slice_is(request_param(&rq, "crate"), "foo"), "a parameter, decoded");
	is_int((int)rq.nparams, 2, "and no more");
	match("GET", "/-/groups/a/%62/c/-/crates/x/1.0.0%2B1");
	ok(slice_is(request_param(&rq, "path"), "a/b/c"), "a path of several segments");
	ok(slice_is(request_param(&rq, "version"), "1.0.0+1"), "and what comes behind it");
	match("GET", "/-/groups/a/-/files/src/-/lib.rs");
	ok(slice_is(request_param(&rq, "file"), "src/-/lib.rs"), "the rest of a path, whatever it is");
	match("GET", P "/nonsense");
	is_int((int)rq.nparams, 0, "none where nothing matched");
	ok(rq.route == NULL, "and no route");
	is_str(rq.err.pub, "Not Found", "of which little is said");
	match("GET", "/api/v4/nonsense");
	is_str(rq.err.pub, "Not Found - no such part", "or what the path says");
}

static void
test_allow(void)
{
	match("PATCH", P "/api/v1/crates/foo/owners");
	is_str(rq.allow, "GET, HEAD, PUT, DELETE", "what all entries of the path allow");
	ok(slice_is(request_param(&rq, "crate"), "foo"), "with the parameters of the first");
	match("GET", P "/api/v1/crates/new");
	is_str(rq.allow, "PUT", "or just the one");
	match("GET", P "/nonsense");
	ok(rq.allow == NULL, "404 lists none");
}

static void
test_shapes(void)
{
	static const struct {
		const char *method, *uri;
		enum error_format want;
	} cases[] = {
		{ "GET", P "/api/v1/crates/foo/owners", ERROR_FORMAT_CARGO },
		{ "GET", P "/api/v1/crates/x/nonsense", ERROR_FORMAT_CARGO },
		{ "GET", P "/api/v1", ERROR_FORMAT_CARGO },
		{ "GET", P "/api/v1/", ERROR_FORMAT_CARGO },
		{ "PATCH", P "/api/v1/crates/new", ERROR_FORMAT_CARGO },
		{ "GET", P "/api/v1/crates/%zz", ERROR_FORMAT_CARGO },
		{ "GET", "/api/v4/projects/%00/packages/cargo/api/v1/crates/new", ERROR_FORMAT_CARGO },
		{ "GET", P "/api/v2/x", ERROR_FORMAT_TEXT },
		{ "GET", P "/1/..", ERROR_FORMAT_TEXT },
		{ "GET", "/api/v4/projects/7", ERROR_FORMAT_GITLAB },
		{ "GET", "/api/v4/%zz", ERROR_FORMAT_GITLAB },
		{ "GET", "/api/v44", ERROR_FORMAT_TEXT },
		{ "GET", "/api", ERROR_FORMAT_TEXT },
		{ "GET", "/", ERROR_FORMAT_TEXT },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		match(cases[i].method, cases[i].uri);
		is_int(router_error_format(&router, &rq), cases[i].want, cases[i].uri);
	}
}

/* nginx asks before it reads a body: it can do nothing with the shape of the route. */
static void
test_subrequest(void)
{
	struct fcgi_conn conn = { .params = { "REQUEST_URI", P "/nonsense", "REQUEST_METHOD", "PUT",
				      "BERTH_SUBREQUEST", "1" } };

	arena_reset(arena);
	ok(request_read(&rq, arena, &conn, 60) == 0 && request_is_subrequest(&rq), "a subrequest");
	is_int(router_error_format(&router, &rq), ERROR_FORMAT_SUBREQUEST, "has a shape of its own");
}

int
main(void)
{
	arena = arena_new();
	test_matches();
	test_params();
	test_allow();
	test_shapes();
	test_subrequest();
	arena_free(arena);
	return tap_done();
}
