#include "crate/metadata.h"

#include "tap.h"

static struct arena *arena;

#define REQUIRED "\"name\":\"x\",\"vers\":\"1.0.0\""
#define INVALID  "invalid upload request: "

/* The sentence why the metadata is refused, "" where it is not. */
static const char *
parse(const char *json, struct package *pkg)
{
	struct err err = { 0 };

	if (metadata_parse(arena, slice_str(json), pkg, &err) == 0)
		return "";
	ok(err.status == 400, "a refusal is a 400");
	return arena_strdup(arena, err.pub);
}

/* As cargo 1.95 sends it. */
static const char sent[] =
    "{\"name\":\"demo\",\"vers\":\"1.2.3\",\"deps\":["
    "{\"optional\":true,\"default_features\":false,\"name\":\"foo-bar\",\"features\":[\"std\"],"
    "\"version_req\":\"=1.0.0\",\"target\":null,\"kind\":\"normal\","
    "\"registry\":\"sparse+https://r.example/x/\",\"explicit_name_in_toml\":\"alias\"},"
    "{\"optional\":false,\"default_features\":true,\"name\":\"cc\",\"features\":[],"
    "\"version_req\":\"^1\",\"target\":\"cfg(unix)\",\"kind\":\"build\"},"
    "{\"optional\":false,\"default_features\":true,\"name\":\"dd\",\"features\":[],"
    "\"version_req\":\"^1\",\"target\":null,\"kind\":\"dev\",\"registry\":\"\"}],"
    "\"features\":{\"default\":[\"dep:alias\",\"alias?/std\"],\"none\":[]},"
    "\"authors\":[\"A\"],\"description\":\"d\",\"documentation\":\"https://d\","
    "\"homepage\":\"https://h\",\"readme\":\"# demo\",\"readme_file\":\"README.md\","
    "\"keywords\":[\"k\"],\"categories\":[\"c\"],\"license\":\"MIT\",\"license_file\":\"L\","
    "\"repository\":\"https://r\",\"badges\":{\"a\":{\"b\":\"c\"}},\"links\":\"z\","
    "\"rust_version\":\"1.70\"}";

static void
test_sent(void)
{
	struct package p;

	is_str(parse(sent, &p), "", "what cargo sends is read");
	is_str(p.name, "demo", "name");
	is_str(p.version, "1.2.3", "version");
	is_str(p.description, "d", "description");
	is_str(p.documentation, "https://d", "documentation");
	is_str(p.homepage, "https://h", "homepage");
	is_str(p.repository, "https://r", "repository");
	is_str(p.readme, "# demo", "readme");
	is_str(p.readme_file, "README.md", "readme_file");
	is_str(p.license, "MIT", "license");
	is_str(p.license_file, "L", "license_file");
	is_str(p.links, "z", "links");
	is_str(p.rust_version, "1.70", "rust_version");
	ok(p.authors.n == 1 && p.keywords.n == 1 && p.categories.n == 1, "lists");
	ok(p.nfeatures == 2, "features");
	is_str(p.features[0].name, "default", "in their order");
	ok(p.features[0].values.n == 2 && p.features[1].values.n == 0, "with their values");
	is_str(p.features[0].values.v[1], "alias?/std", "as they are");
	ok(p.edition == NULL && !p.has_lib && p.bins.n == 0, "the metadata does not tell the rest");
}

static void
test_dependencies(void)
{
	struct package p;

	is_str(parse(sent, &p), "", "again");
	is_int(p.ndeps, 3, "dependencies");
	is_str(p.deps[0].name, "foo-bar", "`name` is that of the package");
	is_str(p.deps[0].alias, "alias", "explicit_name_in_toml is the alias");
	is_str(p.deps[0].req, "=1.0.0", "requirement");
	is_str(p.deps[0].registry, "sparse+https://r.example/x/", "registry");
	ok(p.deps[0].optional && !p.deps[0].default_features, "flags");
	ok(p.deps[0].features.n == 1 && p.deps[0].kind == DEP_NORMAL, "features and kind");
	ok(p.deps[1].kind == DEP_BUILD && p.deps[1].registry == NULL && p.deps[1].alias == NULL,
	    "no registry is the own registry");
	is_str(p.deps[1].target, "cfg(unix)", "target");
	ok(p.deps[2].kind == DEP_DEV && p.deps[2].registry == NULL, "nor is an empty one any");
	is_str(parse("{" REQUIRED ",\"deps\":[{\"name\":\"a\",\"version_req\":\"^1\"}]}", &p), "",
	    "a dependency without optional fields");
	ok(p.ndeps == 1 && p.deps[0].default_features && !p.deps[0].optional &&
		p.deps[0].kind == DEP_NORMAL,
	    "has the defaults");
}

/* Dependencies on the toolchain, as the nightly of cargo 1.101 sends them (RFC 3875). */
static void
test_builtin(void)
{
	struct package p;

	is_str(parse("{" REQUIRED ",\"deps\":[],\"builtin_deps\":[{\"name\":\"core\"},{\"name\":\"std\","
		     "\"features\":[\"x\"],\"optional\":true,\"default_features\":false,"
		     "\"target\":\"cfg(unix)\",\"kind\":\"dev\"}]}", &p), "", "builtin dependencies");
	is_int(p.nbuiltins, 2, "two");
	is_int(p.ndeps, 0, "and no others");
	is_str(p.builtins[0].name, "core", "a name is enough");
	ok(p.builtins[0].default_features && !p.builtins[0].optional && p.builtins[0].kind == DEP_NORMAL &&
	    p.builtins[0].registry == NULL, "with the defaults");
	ok(!p.builtins[1].default_features && p.builtins[1].optional && p.builtins[1].kind == DEP_DEV &&
	    p.builtins[1].features.n == 1, "all fields");
	is_str(p.builtins[1].target, "cfg(unix)", "target");
	is_str(parse("{" REQUIRED ",\"features\":{\"a\":{\"enables\":[\"b\"],\"doc\":\"d\"},\"b\":[]}}", &p), "",
	    "a feature as a table (RFC 3416)");
	ok(p.nfeatures == 2 && p.features[0].values.n == 1, "what it enables");
}

/* What is to be built of a dependency, as the nightly sends it with -Zbindeps (RFC 3028). */
static void
test_artifact(void)
{
	struct package p;

	is_str(parse("{" REQUIRED ",\"deps\":[{\"name\":\"a\",\"version_req\":\"1\",\"artifact\":[\"bin\"],"
		     "\"bindep_target\":\"t\",\"lib\":true},{\"name\":\"b\",\"version_req\":\"1\",\"artifact\":null,"
		     "\"bindep_target\":null}]}", &p), "", "artifacts");
	ok(p.deps[0].artifact.kinds.n == 1 && p.deps[0].artifact.lib, "of one dependency");
	is_str(p.deps[0].artifact.target, "t", "for a platform");
	ok(p.deps[1].artifact.kinds.n == 0 && !p.deps[1].artifact.lib, "and none of another");
}

static void
test_absent(void)
{
	struct package p;

	is_str(parse("{" REQUIRED "}", &p), "", "a name and a version are enough");
	ok(p.ndeps == 0 && p.nfeatures == 0 && p.description == NULL, "the rest is absent");
	is_str(
	    parse("{" REQUIRED ",\"deps\":null,\"features\":null,\"authors\":null,\"links\":null,"
		  "\"x\":1,\"badges\":7,\"bins\":1,\"edition\":2}",
		&p),
	    "", "null is absent, and unknown members are ignored");
	ok(p.ndeps == 0 && p.links == NULL && p.edition == NULL, "whatever they hold");
	is_str(parse("{\"name\":\"\",\"vers\":\"\"}", &p), "", "content is for others to check");
}

static const struct {
	const char *json, *want;
} bad[] = {
	{ "{}", "missing field `name`" },
	{ "{\"name\":\"x\"}", "missing field `vers`" },
	{ "{\"name\":null,\"vers\":\"1\"}", "missing field `name`" },
	{ "{\"name\":1,\"vers\":\"1\"}", "field `name` must be a string" },
	{ "{\"name\":\"x\",\"vers\":1}", "field `vers` must be a string" },
	{ "[]", "expected an object" },
	{ "\"x\"", "expected an object" },
	{ "null", "expected an object" },
	{ "{" REQUIRED ",\"description\":[]}", "field `description` must be a string" },
	{ "{" REQUIRED ",\"keywords\":\"x\"}", "field `keywords` must be an array" },
	{ "{" REQUIRED ",\"keywords\":[null]}", "field `keywords` must hold strings only" },
	{ "{" REQUIRED ",\"features\":[]}", "field `features` must be an object" },
	{ "{" REQUIRED ",\"features\":{\"a\":\"b\"}}", "each of `features` must be an array" },
	{ "{" REQUIRED ",\"features\":{\"a\":[1]}}", "field `features` must hold strings only" },
	{ "{" REQUIRED ",\"deps\":{}}", "field `deps` must be an array" },
	{ "{" REQUIRED ",\"builtin_deps\":{}}", "field `builtin_deps` must be an array" },
	{ "{" REQUIRED ",\"builtin_deps\":[\"std\"]}", "each of `builtin_deps` must be an object" },
	{ "{" REQUIRED ",\"builtin_deps\":[{}]}", "missing field `name`" },
	{ "{" REQUIRED ",\"builtin_deps\":[{\"name\":\"a\",\"req\":\"1\"}]}",
	    "a builtin dependency has no `req`" },
	{ "{" REQUIRED ",\"builtin_deps\":[{\"name\":\"a\",\"version_req\":\"1\"}]}",
	    "a builtin dependency has no `version_req`" },
	{ "{" REQUIRED ",\"builtin_deps\":[{\"name\":\"a\",\"registry\":\"r\"}]}",
	    "a builtin dependency has no `registry`" },
	{ "{" REQUIRED ",\"builtin_deps\":[{\"name\":\"a\",\"package\":\"p\"}]}",
	    "a builtin dependency has no `package`" },
	{ "{" REQUIRED ",\"builtin_deps\":[{\"name\":\"a\",\"artifact\":[\"bin\"]}]}",
	    "a builtin dependency has no `artifact`" },
	{ "{" REQUIRED ",\"deps\":[{\"name\":\"a\",\"version_req\":\"1\",\"artifact\":\"bin\"}]}",
	    "field `artifact` must be an array" },
	{ "{" REQUIRED ",\"deps\":[{\"name\":\"a\",\"version_req\":\"1\",\"lib\":1}]}",
	    "field `lib` must be true or false" },
	{ "{" REQUIRED ",\"builtin_deps\":[{\"name\":\"a\",\"kind\":\"x\"}]}",
	    "field `kind` of a dependency must be \"normal\", \"build\" or \"dev\"" },
	{ "{" REQUIRED ",\"features\":{\"a\":{\"doc\":\"d\"}}}", "each of `features` must be an array" },
	{ "{" REQUIRED ",\"deps\":[null]}", "each of `deps` must be an object" },
	{ "{" REQUIRED ",\"deps\":[{}]}", "missing field `name`" },
	{ "{" REQUIRED ",\"deps\":[{\"name\":\"a\"}]}", "missing field `version_req`" },
	{ "{" REQUIRED ",\"deps\":[{\"name\":\"a\",\"version_req\":\"1\",\"optional\":1}]}",
	    "field `optional` must be true or false" },
	{ "{" REQUIRED ",\"deps\":[{\"name\":\"a\",\"version_req\":\"1\",\"kind\":\"x\"}]}",
	    "field `kind` of a dependency must be \"normal\", \"build\" or \"dev\"" },
	{ "{" REQUIRED ",\"deps\":[{\"name\":\"a\",\"version_req\":\"1\",\"features\":[[]]}]}",
	    "field `features` must hold strings only" },
};

static void
test_refused(void)
{
	static const char *const shapes[] = { "", "{", "{" REQUIRED "} x", "{" REQUIRED ",}",
		"{" REQUIRED ",\"name\":\"y\"}", "{" REQUIRED ",\"x\":NaN}", "{'name':'x'}",
		"{\"name\":\"\\ud800\",\"vers\":\"1\"}", "{\"name\":\"\\u0000\",\"vers\":\"1\"}",
		"{\"name\":\"\xff\",\"vers\":\"1\"}" };
	struct package p;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		is_str(parse(bad[i].json, &p), arena_printf(arena, INVALID "%s", bad[i].want),
		    bad[i].want);
	for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++)
		ok(strncmp(parse(shapes[i], &p), INVALID, strlen(INVALID)) == 0,
		    "no valid JSON, %zu", i);
}

int
main(void)
{
	arena = arena_new();
	test_sent();
	test_dependencies();
	test_builtin();
	test_artifact();
	test_absent();
	test_refused();
	arena_free(arena);
	return tap_done();
}
