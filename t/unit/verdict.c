#include "crate/inspect/verdict.h"

#include "tap.h"

static struct arena *arena;

static const char *
encode(const struct verdict *v)
{
	struct buf b;

	buf_init(&b, arena, VERDICT_MAX);
	verdict_encode(&b, v);
	ok(!buf_full(&b), "the verdict fits");
	return buf_str(&b);
}

/* The text after a decode and another encode; or the detail of the error. */
static const char *
round_trip(const char *text)
{
	struct verdict v;
	struct err err = { 0 };

	if (verdict_decode(arena, slice_str(text), &v, &err) == 0)
		return encode(&v);
	ok(err.status == 500 && strcmp(err.pub, "internal server error") == 0,
	    "a bad verdict is a fault of ours");
	return arena_strdup(arena, err.detail);
}

static struct strings
list(const char *a, const char *b)
{
	struct strings s = { arena_calloc(arena, 2, sizeof(*s.v)), 2 };

	s.v[0] = a;
	s.v[1] = b;
	return s;
}

/* Every member has a value of its own, so that no two can be mixed up. */
static struct verdict
full_verdict(void)
{
	static struct dependency deps[2], builtins[1];
	static struct feature features[2];
	struct verdict v = {
		.accepted = true,
		.entries = 3,
		.unpacked_size = INT64_C(1) << 40,
		.package = { .name = "n", .version = "v", .deps = deps, .ndeps = 2,
		    .builtins = builtins, .nbuiltins = 1,
		    .features = features, .nfeatures = 2, .links = "li", .rust_version = "rv",
		    .edition = "ed", .description = "de\"\\\n\xc3\xa9", .homepage = "ho",
		    .documentation = "do", .repository = "re", .license = "lc",
		    .license_file = "lf", .readme_file = "rf", .readme = "rd", .has_lib = true },
	};

	deps[0] = (struct dependency){ .name = "dn",
		.alias = "da",
		.req = "dr",
		.target = "dt",
		.registry = "dg",
		.kind = DEP_BUILD,
		.optional = true,
		.features = list("f1", "f2"),
		.artifact = { list("r1", "r2"), "at", true } };
	deps[1] = (struct dependency) { .name = "en", .req = "er", .kind = DEP_DEV,
		.default_features = true };
	builtins[0] = (struct dependency) { .name = "bn", .req = "*", .target = "bt",
		.kind = DEP_DEV, .optional = true, .features = list("g1", "g2") };
	features[0] = (struct feature) { "fa", list("x", "dep:y") };
	features[1] = (struct feature) { "fb", { 0 } };
	v.package.authors = list("a1", "a2");
	v.package.keywords = list("k1", "k2");
	v.package.categories = list("c1", "c2");
	v.package.bins = list("b1", "b2");
	return v;
}

static const char full_text[] =
    "{\"accepted\":true,\"entries\":3,\"unpacked_size\":1099511627776,\"package\":{"
    "\"name\":\"n\",\"vers\":\"v\",\"description\":\"de\\\"\\\\\\n\xc3\xa9\","
    "\"documentation\":\"do\",\"homepage\":\"ho\",\"readme\":\"rd\",\"readme_file\":\"rf\","
    "\"license\":\"lc\",\"license_file\":\"lf\",\"repository\":\"re\",\"links\":\"li\","
    "\"rust_version\":\"rv\",\"authors\":[\"a1\",\"a2\"],\"keywords\":[\"k1\",\"k2\"],"
    "\"categories\":[\"c1\",\"c2\"],\"features\":{\"fa\":[\"x\",\"dep:y\"],\"fb\":[]},"
    "\"deps\":[{\"name\":\"dn\",\"version_req\":\"dr\",\"explicit_name_in_toml\":\"da\","
    "\"target\":\"dt\",\"registry\":\"dg\",\"kind\":\"build\",\"optional\":true,"
    "\"default_features\":false,\"features\":[\"f1\",\"f2\"],\"artifact\":[\"r1\",\"r2\"],"
    "\"bindep_target\":\"at\",\"lib\":true},"
    "{\"name\":\"en\",\"version_req\":\"er\",\"explicit_name_in_toml\":null,\"target\":null,"
    "\"registry\":null,\"kind\":\"dev\",\"optional\":false,\"default_features\":true,"
    "\"features\":[]}],\"builtin_deps\":[{\"name\":\"bn\",\"features\":[\"g1\",\"g2\"],"
    "\"optional\":true,\"default_features\":false,\"target\":\"bt\",\"kind\":\"dev\"}],"
    "\"edition\":\"ed\",\"has_lib\":true,\"bins\":[\"b1\",\"b2\"]}}\n";

static void
test_accepted(void)
{
	struct verdict v = full_verdict();
	struct err err = { 0 };

	is_str(encode(&v), full_text, "one line says everything");
	is_str(round_trip(full_text), full_text, "and comes back whole");
	ok(verdict_decode(arena, slice_str(full_text), &v, &err) == 0, "decoded");
	is_str(v.package.description, "de\"\\\n\xc3\xa9", "texts are unescaped");
	ok(v.accepted && v.status == 0 && v.error == NULL, "an acceptance has no error");
	ok(v.package.deps[1].alias == NULL && v.package.deps[1].kind == DEP_DEV, "null is NULL");
	v = (struct verdict) { .accepted = true, .package = { .name = "n", .version = "v" } };
	is_str(round_trip(encode(&v)), encode(&v), "the smallest package");
}

static void
test_refused(void)
{
	struct verdict v = { .status = 400, .error = "unexpected `x`" };
	static const char text[] =
	    "{\"accepted\":false,\"status\":400,\"error\":\"unexpected `x`\"}\n";
	struct err err = { 0 };

	is_str(encode(&v), text, "a refusal");
	v = full_verdict();
	ok(verdict_decode(arena, slice_str(text), &v, &err) == 0, "decoded");
	ok(!v.accepted && v.status == 400 && v.package.name == NULL, "nothing old stays");
	is_str(v.error, "unexpected `x`", "its sentence");
}

static void
test_bad(void)
{
	static const struct {
		const char *text, *want;
	} bad[] = {
		{ "[]", "verdict: expected an object" },
		{ "{}", "verdict: missing field `accepted`" },
		{ "{\"accepted\":1}", "verdict: field `accepted` must be true or false" },
		{ "{\"accepted\":false}", "verdict: missing field `status`" },
		{ "{\"accepted\":false,\"status\":400}", "verdict: missing field `error`" },
		{ "{\"accepted\":false,\"status\":399,\"error\":\"x\"}",
		    "verdict: field `status` is not that of an error" },
		{ "{\"accepted\":false,\"status\":600,\"error\":\"x\"}",
		    "verdict: field `status` is not that of an error" },
		{ "{\"accepted\":true}", "verdict: missing field `entries`" },
		{ "{\"accepted\":true,\"entries\":1}", "verdict: missing field `unpacked_size`" },
		{ "{\"accepted\":true,\"entries\":1,\"unpacked_size\":1}",
		    "verdict: missing field `package`" },
		{ "{\"accepted\":true,\"entries\":1,\"unpacked_size\":1,\"package\":{}}",
		    "verdict: missing field `name`" },
		{ "{\"accepted\":true,\"entries\":1,\"unpacked_size\":1,"
		  "\"package\":{\"name\":\"n\",\"vers\":\"v\"}}",
		    "verdict: missing field `has_lib`" },
	};
	char *huge = arena_alloc(arena, VERDICT_MAX + 2);

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		is_str(round_trip(bad[i].text), bad[i].want, bad[i].want);
	ok(strncmp(round_trip(""), "verdict: ", 9) == 0, "nothing at all");
	ok(strncmp(round_trip("{\"accepted\":tr"), "verdict: ", 9) == 0, "half a verdict");
	memset(huge, ' ', VERDICT_MAX + 1);
	is_str(round_trip(huge), "verdict: longer than 8388608 bytes", "too long");
}

int
main(void)
{
	arena = arena_new();
	test_accepted();
	test_refused();
	test_bad();
	arena_free(arena);
	return tap_done();
}
