/* crate/index_deps: the dependencies of an index file, and text that is not a dependency. */
#include "crate/index_deps.h"

#include "base/arena.h"
#include "tap.h"

static struct arena *arena;

/* "crate=registry ...", or "refused". */
static const char *
list(const char *text)
{
	struct index_deps deps = index_deps_of(slice_str(text));
	const char *all = "";
	struct index_dep dep;
	struct err err = { 0 };
	int rc;

	while ((rc = index_deps_next(&deps, &dep, &err)) == 1)
		all = arena_printf(arena, "%s%s%.*s=%.*s", all, all[0] != '\0' ? " " : "", (int)dep.crate.n, dep.crate.p,
		    (int)dep.registry.n, dep.registry.p);
	return rc == 0 ? all : err.status == 500 ? "refused" : "?";
}

#define LINE(DEPS) "{\"name\":\"deps\",\"vers\":\"1.0.0\",\"deps\":[" DEPS "],\"cksum\":\"00\"," \
	"\"features\":{\"deps\":[\"dep:x\",\"\\\"}\"]},\"yanked\":false}\n"
#define DEP(NAME, REGISTRY) "{\"name\":\"" NAME "\",\"req\":\"^1\",\"features\":[\"a]\",\"{b\"]," \
	"\"optional\":false,\"default_features\":true,\"target\":\"cfg(target_os = \\\"linux\\\")\"," \
	"\"kind\":\"normal\"," \
	"\"registry\":" REGISTRY "}"
#define RENAMED(NAME, REGISTRY, PACKAGE) \
	"{\"name\":\"" NAME "\",\"registry\":" REGISTRY ",\"package\":\"" PACKAGE "\"}"

static const struct {
	const char *text, *want;
} texts[] = {
	{ "", "" },
	{ LINE(""), "" },
	{ LINE("") LINE(""), "" },
	{ LINE(DEP("a", "null")), "a=null" },
	{ LINE(DEP("a", "null") "," DEP("b", "\"sparse+https://x/\"")), "a=null b=\"sparse+https://x/\"" },
	{ LINE(RENAMED("alias", "null", "real")), "real=null" },
	{ LINE(DEP("a", "null")) LINE("") LINE(DEP("c", "\"x\"")), "a=null c=\"x\"" },
	{ "{\"name\":\"x\",\"features\":{\"deps\":[\"y\"]},\"deps\":[" DEP("a", "null") "]}", "a=null" },
	{ "x", "refused" },
	{ "{\"deps\":[", "refused" },
	{ "{\"deps\":[1]}", "refused" },
	{ "{\"deps\":[{\"name\":\"a\"}]}", "refused" },
	{ "{\"deps\":[{\"registry\":null}]}", "refused" },
	{ "{\"deps\":[{\"name\":\"a\",\"registry\":null", "refused" },
	{ "{\"deps\":[{\"name\":\"a\",\"registry\":}]}", "refused" },
	{ "{\"deps\":[{\"name\":\"a", "refused" },
	{ "{\"a\":[[", "refused" },
	{ "{\"a\\", "refused" },
};

int
main(void)
{
	arena = arena_new();
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		is_str(list(texts[i].text), texts[i].want, texts[i].text);
	arena_free(arena);
	return tap_done();
}
