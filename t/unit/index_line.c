#include "crate/index_line.h"

#include "base/json.h"
#include "tap.h"

#define CKSUM     "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define PUBLISHED 1769862896 /* 2026-01-31T12:34:56Z */
#define LIST(...)                                                                                  \
	{                                                                                          \
		(const char *[]){ __VA_ARGS__ },                                                   \
		    sizeof((const char *[]){ __VA_ARGS__ }) / sizeof(const char *)                 \
	}

static const char *
encode(struct arena *a, const struct package *pkg)
{
	struct err err = { 0 };
	struct buf b;

	buf_init(&b, a, 2 * INDEX_LINE_MAX);
	if (index_line_encode(&b, pkg, CKSUM, PUBLISHED, INDEX_LINE_MAX, &err) == -1)
		return err.pub[0] != '\0' ? arena_strdup(a, err.pub) : "?";
	ok(json_check(a, buf_slice(&b), "index line", &err) == 0, "the line is JSON %s", err.pub);
	return buf_str(&b);
}

static void
test_smallest(struct arena *a)
{
	const struct package pkg = { .name = "Foo_bar", .version = "1.0.0-rc.1+b.2" };

	is_str(encode(a, &pkg),
	    "{\"name\":\"Foo_bar\",\"vers\":\"1.0.0-rc.1+b.2\",\"deps\":[],\"cksum\":\"" CKSUM "\","
	    "\"features\":{},\"yanked\":false,\"pubtime\":\"2026-01-31T12:34:56Z\"}",
	    "golden line of the smallest package");
}

static void
test_full(struct arena *a)
{
	struct dependency deps[] = {
		{ .name = "serde", .req = "^1.0", .kind = DEP_NORMAL, .default_features = true },
		{ .name = "real-name",
		    .alias = "alias",
		    .req = ">=1.2, <2",
		    .kind = DEP_BUILD,
		    .target = "cfg(target_os = \"linux\")",
		    .registry = "sparse+https://other.example/index/",
		    .optional = true,
		    .features = LIST("a", "b-c") },
		{ .name = "same", .alias = "same", .req = "*", .kind = DEP_DEV },
	};
	struct dependency builtins[] = {
		{ .name = "core", .req = "*", .default_features = true },
		{ .name = "std", .req = "*", .target = "cfg(unix)", .kind = DEP_DEV, .optional = true,
		    .features = LIST("x") },
	};
	struct feature features[] = {
		{ .name = "default", .values = LIST("std", "serde/derive") },
		{ .name = "std" },
	};
	const struct package pkg = { .name = "foo",
		.version = "0.1.0",
		.deps = deps,
		.ndeps = 3,
		.builtins = builtins,
		.nbuiltins = 2,
		.features = features,
		.nfeatures = 2,
		.links = "z\"\\\n",
		.rust_version = "1.70",
		.description = "not in the index" };

	is_str(encode(a, &pkg),
	    "{\"name\":\"foo\",\"vers\":\"0.1.0\",\"deps\":["
	    "{\"name\":\"serde\",\"req\":\"^1.0\",\"features\":[],\"optional\":false,"
	    "\"default_features\":true,\"target\":null,\"kind\":\"normal\",\"registry\":null},"
	    "{\"name\":\"alias\",\"req\":\">=1.2, <2\",\"features\":[\"a\",\"b-c\"],"
	    "\"optional\":true,\"default_features\":false,"
	    "\"target\":\"cfg(target_os = \\\"linux\\\")\",\"kind\":\"build\","
	    "\"registry\":\"sparse+https://other.example/index/\",\"package\":\"real-name\"},"
	    "{\"name\":\"same\",\"req\":\"*\",\"features\":[],\"optional\":false,"
	    "\"default_features\":false,\"target\":null,\"kind\":\"dev\",\"registry\":null,"
	    "\"package\":\"same\"}"
	    "],\"cksum\":\"" CKSUM "\","
	    "\"features\":{\"default\":[\"std\",\"serde/derive\"],\"std\":[]},\"yanked\":false,"
	    "\"links\":\"z\\\"\\\\\\n\",\"rust_version\":\"1.70\","
	    "\"builtin_deps\":[{\"name\":\"core\",\"features\":[],\"optional\":false,"
	    "\"default_features\":true,\"target\":null,\"kind\":\"normal\"},"
	    "{\"name\":\"std\",\"features\":[\"x\"],\"optional\":true,\"default_features\":false,"
	    "\"target\":\"cfg(unix)\",\"kind\":\"dev\"}],"
	    "\"pubtime\":\"2026-01-31T12:34:56Z\"}",
	    "golden line of a package that has everything");
}

/* Programs and libraries of a dependency, which cargo builds as files. */
static void
test_artifacts(struct arena *a)
{
	struct dependency deps[] = {
		{ .name = "d", .req = "^1", .artifact = { LIST("bin:x", "cdylib"), "x86_64-unknown-none", true } },
		{ .name = "e", .alias = "f", .req = "^1", .artifact = { .kinds = LIST("bin") } },
		{ .name = "g", .req = "^1", .artifact = { .target = "t", .lib = true } },
	};
	const struct package pkg = { .name = "foo", .version = "0.1.0", .deps = deps, .ndeps = 3 };

#define USUAL \
	"\"req\":\"^1\",\"features\":[],\"optional\":false,\"default_features\":false," \
	"\"target\":null,\"kind\":\"normal\",\"registry\":null"
	is_str(encode(a, &pkg),
	    "{\"name\":\"foo\",\"vers\":\"0.1.0\",\"deps\":["
	    "{\"name\":\"d\"," USUAL ",\"artifact\":[\"bin:x\",\"cdylib\"],"
	    "\"bindep_target\":\"x86_64-unknown-none\",\"lib\":true},"
	    "{\"name\":\"f\"," USUAL ",\"package\":\"e\",\"artifact\":[\"bin\"],\"bindep_target\":null,"
	    "\"lib\":false},"
	    "{\"name\":\"g\"," USUAL "}],\"cksum\":\"" CKSUM "\",\"features\":{},\"yanked\":false,"
	    "\"pubtime\":\"2026-01-31T12:34:56Z\",\"v\":3}",
	    "golden line with artifacts");
}

#define FEATURES_LINE(features)                                                                    \
	"{\"name\":\"foo\",\"vers\":\"0.1.0\",\"deps\":[],\"cksum\":\"" CKSUM "\"," features       \
	",\"yanked\":false,\"pubtime\":\"2026-01-31T12:34:56Z\",\"v\":2}"

static void
test_features2(struct arena *a)
{
	struct feature features[] = {
		{ .name = "all", .values = LIST("plain", "outer") },
		{ .name = "optional", .values = LIST("dep:serde") },
		{ .name = "outer", .values = LIST("weak") },
		{ .name = "plain", .values = LIST("serde/std", "xdep") },
		{ .name = "weak", .values = LIST("plain", "serde?/std") },
		{ .name = "xdep" },
	};
	const struct package pkg = {
		.name = "foo", .version = "0.1.0", .features = features, .nfeatures = 6
	};

	is_str(encode(a, &pkg),
	    FEATURES_LINE("\"features\":{\"plain\":[\"serde/std\",\"xdep\"],\"xdep\":[]},"
			  "\"features2\":{\"all\":[\"plain\",\"outer\"],"
			  "\"optional\":[\"dep:serde\"],\"outer\":[\"weak\"],"
			  "\"weak\":[\"plain\",\"serde?/std\"]}"),
	    "golden line with features2");
}

/* Features that refer to each other in a ring, one of which needs features2. */
static void
test_features2_ring(struct arena *a)
{
	struct feature features[] = {
		{ .name = "a", .values = LIST("b") },
		{ .name = "b", .values = LIST("c", "a") },
		{ .name = "c", .values = LIST("a", "d") },
		{ .name = "d", .values = LIST("dep:d", "d") },
	};
	const struct package pkg = {
		.name = "foo", .version = "0.1.0", .features = features, .nfeatures = 4
	};

	is_str(encode(a, &pkg),
	    FEATURES_LINE("\"features\":{},\"features2\":{\"a\":[\"b\"],\"b\":[\"c\",\"a\"],"
			  "\"c\":[\"a\",\"d\"],\"d\":[\"dep:d\",\"d\"]}"),
	    "golden line with a ring");
}

/* A chain of features in which the last one marks all others, in either direction. */
static void
test_features2_chain(struct arena *a, bool up)
{
	enum { N = 500 };
	struct feature *features = arena_calloc(a, N, sizeof(*features));
	const struct package pkg = {
		.name = "foo", .version = "0.1.0", .features = features, .nfeatures = N
	};

	for (int i = 0; i < N; i++)
		features[i].name = arena_printf(a, "f%03d", i);
	for (int i = 0; i < N; i++) {
		int to = up ? i + 1 : i - 1;
		const char **value = arena_calloc(a, 1, sizeof(*value));

		*value = to >= 0 && to < N ? features[to].name : "dep:x";
		features[i].values = (struct strings){ value, 1 };
	}
	ok(strstr(encode(a, &pkg), "\"features\":{},\"features2\":{\"f000\":") != NULL,
	    "a chain %s", up ? "up" : "down");
}

static void
test_too_long(struct arena *a)
{
	char *links = arena_alloc(a, INDEX_LINE_MAX);
	struct package pkg = { .name = "foo", .version = "1.0.0", .links = "" };
	size_t room = INDEX_LINE_MAX - strlen(encode(a, &pkg));
	struct err err = { 0 };
	struct buf b;

	pkg.links = links;
	memset(links, 'x', room + 1);
	links[room] = '\0';
	buf_init(&b, a, 3 * INDEX_LINE_MAX);
	buf_puts(&b, "a line before\n");
	is_int(index_line_encode(&b, &pkg, CKSUM, PUBLISHED, INDEX_LINE_MAX, &err), 0, "as long as may be");
	is_int((long long)b.n, INDEX_LINE_MAX + 14, "its length");
	links[room] = 'x';
	links[room + 1] = '\0';
	is_int(index_line_encode(&b, &pkg, CKSUM, PUBLISHED, INDEX_LINE_MAX, &err), -1, "one byte more");
	is_int(err.status, 400, "400");
	ok(strstr(err.pub, "would have 1048577 bytes, and the limit is 1048576") != NULL &&
	    strstr(err.pub, "max_index_line_size") != NULL, "told: %s", err.pub);
	buf_init(&b, a, 100);
	err_clear(&err);
	is_int(index_line_encode(&b, &pkg, CKSUM, PUBLISHED, INDEX_LINE_MAX, &err), -1, "no room in the buffer");
	is_int(err.status, 400, "400");
	ok(strstr(err.pub, "would have more than ") != NULL, "told: %s", err.pub);
}

/* Names, texts and features that look like the flag. */
static void
test_set_yanked(struct arena *a)
{
	struct dependency deps[] = {
		{ .name = "yanked", .req = "^1", .target = "\\\"yanked\\\":" }
	};
	struct feature features[] = { { .name = "yanked",
	    .values = LIST("yanked", "\"yanked\":true,") } };
	const struct package pkg = { .name = "yanked",
		.version = "1.0.0",
		.deps = deps,
		.ndeps = 1,
		.features = features,
		.nfeatures = 1,
		.links = "\"yanked\":true,\"\\" };
	const char *line = encode(a, &pkg);
	const char *flag = strstr(line, "},\"yanked\":false,\"links\"");
	struct slice yanked, again, back;
	struct err err = { 0 };
	const char *want;

	if (!ok(flag != NULL, "the line has its flag"))
		return;
	want = arena_printf(a, "%.*s},\"yanked\":true,%s", (int)(flag - line), line,
	    flag + strlen("},\"yanked\":false,"));
	is_int(index_line_set_yanked(a, slice_str(line), true, &yanked, &err), 0, "yank");
	is_str(yanked.p, want, "nothing else changes");
	is_int(index_line_set_yanked(a, yanked, true, &again, &err), 0, "yank again");
	is_str(again.p, want, "stays");
	is_int(index_line_set_yanked(a, again, false, &back, &err), 0, "unyank");
	is_str(back.p, line, "as it was");
	is_int((long long)back.n, (long long)strlen(line), "its length");
}

static void
test_set_yanked_refused(struct arena *a)
{
	static const char *const lines[] = { "", "{", "}", "{}", "[]", "null", "\"yanked\":true",
		"{\"name\":\"yanked\"}", "{\"a\":{\"yanked\":true}}", "{\"a\":[{\"yanked\":true}]}",
		"{\"yanked\":null}", "{\"yanked\":}", "{\"yanked\":", "{\"yanked\":true",
		"{\"yanked\":truefalse}", "{\"yanked\":\"true\"}", "{\"yanked\":true}}",
		"{\"yanked\":true}\n", "{\"yanked\":true,\"a\":\"}", "{\"yanked\":true,\"a\":\"\\",
		"{\"a\":\"\\\"yanked\\\":true\"}", "{\"yanked\\\":true}" };

	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		struct err err = { 0 };
		struct slice out;

		ok(index_line_set_yanked(a, slice_str(lines[i]), true, &out, &err) == -1 &&
			err.status == 500 && err.detail[0] != '\0',
		    "no index line of ours: case %zu", i);
	}
}

int
main(void)
{
	struct arena *a = arena_new();

	test_smallest(a);
	test_full(a);
	test_artifacts(a);
	test_features2(a);
	test_features2_ring(a);
	test_features2_chain(a, true);
	test_features2_chain(a, false);
	test_too_long(a);
	test_set_yanked(a);
	test_set_yanked_refused(a);
	arena_free(a);
	return tap_done();
}
