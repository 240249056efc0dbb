#include "crate/package.h"

#include "base/buf.h"
#include "base/clock.h"
#include "crate/manifest/manifest.h"
#include "crate/metadata.h"
#include "crate/registry_url.h"
#include "tap.h"

#define OWN    "sparse+https://berth.example/api/v4/projects/7/packages/cargo/"
#define PUBLIC REGISTRY_PUBLIC_URL

static struct arena *arena;

static const struct package_limits limits = {
	.max_dependencies = 300,
	.max_features = 300,
	.max_keywords = 5,
	.max_categories = 5,
	.strict = "",
	.own_registry = OWN,
	.allowed_registries = PUBLIC,
};

/* The package of a manifest: the shortest way to write one down. */
static struct package
package_with(const char *rest)
{
	struct package pkg;
	struct err err = { 0 };
	const char *toml = arena_printf(arena, "[package]\nname='x'\nversion='1.0.0'\n%s", rest);

	ok(manifest_parse(arena, slice_str(toml), &pkg, &err) == 0, "manifest %s", err.pub);
	return pkg;
}

static void
test_sort(void)
{
	struct package p = package_with(
	    "[features]\nb=[]\nB=[]\na=[]\n[dev-dependencies]\nc='1'\n[build-dependencies]\nc='1'\n"
	    "[dependencies]\nz={package='a',version='1'}\nc='1'\n");
	struct package q = package_with(
	    "[features]\na=[]\nb=[]\nB=[]\n[dependencies]\nc='1'\nz={package='a',version='1'}\n"
	    "[build-dependencies]\nc='1'\n[dev-dependencies]\nc='1'\n");
	struct err err = { 0 };

	package_sort(&p);
	package_sort(&q);
	ok(package_agree(arena, &p, &q, &err) == 0, "two that say the same are equal %s", err.pub);
	is_str(p.features[0].name, "B", "byte order");
	is_str(p.features[2].name, "b", "of features");
	ok(p.deps[0].kind == DEP_NORMAL && p.deps[1].kind == DEP_BUILD && p.deps[2].kind == DEP_DEV,
	    "normal, build, dev");
	is_str(p.deps[3].alias, "z", "by the name in the manifest");
	p = q = (struct package) { .name = "x", .version = "1" };
	package_sort(&p);
	ok(package_agree(arena, &p, &q, &err) == 0, "nothing to sort");
}

/* The sentence in which metadata and manifest differ, "" where they do not. */
static const char *
agree(const char *json, const char *toml)
{
	struct package metadata, manifest = package_with(toml);
	struct err err = { 0 };

	json = arena_printf(arena, "{\"name\":\"x\",\"vers\":\"1.0.0\"%s}", json);
	if (metadata_parse(arena, slice_str(json), &metadata, &err) == -1 ||
	    package_check(arena, &metadata, &limits, &err) == -1 ||
	    package_check(arena, &manifest, &limits, &err) == -1)
		return arena_printf(arena, "not even checked: %s", err.pub);
	package_sort(&metadata);
	package_sort(&manifest);
	return package_agree(arena, &metadata, &manifest, &err) == 0 ? "" : arena_strdup(arena, err.pub);
}

#define A "[dependencies]\na='1'\n"
#define O "[dependencies]\na={version='1',optional=true}\n"
#define DEP(more) ",\"deps\":[{\"name\":\"a\",\"version_req\":\"^1\"" more "}]"
#define BUILTIN(more) ",\"builtin_deps\":[{\"name\":\"std\"" more "}]"
#define ARTIFACT(kinds, more) ",\"artifact\":[" kinds "]" more
#define FROM_PUBLIC ",\"registry\":\"" PUBLIC "\""
#define RENAMED "[dependencies]\nr={package='a',version='1',optional=true}\n"
#define RENAMED_JSON DEP(FROM_PUBLIC ",\"explicit_name_in_toml\":\"r\",\"optional\":true")

static const struct {
	const char *json, *toml, *want;
} agreements[] = {
	{ "", "", "" },
	{ ",\"links\":\"l\",\"rust_version\":\"1.70\"", "links='l'\nrust-version='1.70'", "" },
	{ "", "rust-version='1.70'", "" },
	{ ",\"rust_version\":\"1.71\"", "rust-version='1.70'",
	    "metadata rust_version `1.71` does not match manifest rust_version `1.70`" },
	{ ",\"rust_version\":\"1.71\"", "",
	    "metadata rust_version `1.71` does not match manifest rust_version `(none)`" },
	{ "", "links='l'", "metadata links `(none)` does not match manifest links `l`" },
	{ ",\"links\":\"(none)\"", "",
	    "metadata links `(none)` does not match manifest links `(none)`" },
	{ DEP(FROM_PUBLIC), A, "" },
	{ DEP(""), "[dependencies]\na={version='1',registry-index='" OWN "'}", "" },
	{ DEP(",\"registry\":\"" OWN "\""),
	    "[dependencies]\na={version='1',registry-index='" OWN "'}", "" },
	{ DEP(FROM_PUBLIC ",\"target\":\"cfg(target_os = \\\"linux\\\")\""),
	    "[target.'cfg(target_os=\"linux\")'.dependencies]\na='1'", "" },
	{ DEP(FROM_PUBLIC ",\"explicit_name_in_toml\":\"a\""), A, "" },
	{ DEP(""), A,
	    "dependency `a`: the metadata names no registry, which means this one, but the manifest "
	    "names another; send \"registry\": \"" PUBLIC "\" with that dependency" },
	{ "", A, "the manifest has the dependency `a`, which the metadata lacks" },
	{ DEP(FROM_PUBLIC), "", "the metadata has the dependency `a`, which the manifest lacks" },
	{ DEP(FROM_PUBLIC), "[dependencies]\nb='1'",
	    "the metadata has the dependency `a`, which the manifest lacks" },
	{ DEP(FROM_PUBLIC), "[dependencies]\nA='1'",
	    "the manifest has the dependency `A`, which the metadata lacks" },
	{ DEP(FROM_PUBLIC), A "[dev-dependencies]\na='1'",
	    "the manifest has the dependency `a`, which the metadata lacks" },
	{ DEP(FROM_PUBLIC), "[build-dependencies]\na='1'",
	    "dependency `a`: metadata kind `normal` does not match manifest kind `build`" },
	{ DEP(FROM_PUBLIC), "[dependencies]\na='1.*'", "" },
	{ BUILTIN(""), "[dependencies]\nstd={builtin=true}", "" },
	{ ",\"builtin_deps\":[]", "", "" },
	{ "", "[dependencies]\nstd={builtin=true}",
	    "the manifest has the builtin dependency `std`, which the metadata lacks" },
	{ BUILTIN(""), "", "the metadata has the builtin dependency `std`, which the manifest lacks" },
	{ BUILTIN(",\"optional\":true"), "[dependencies]\nstd={builtin=true}",
	    "builtin dependency `std`: metadata optional `true` does not match manifest optional `false`" },
	{ BUILTIN(",\"features\":[\"x\"]"), "[dependencies]\nstd={builtin=true,features=['y']}",
	    "builtin dependency `std`: metadata feature `x` does not match manifest feature `y`" },
	{ DEP(FROM_PUBLIC ARTIFACT("\"bin:x\",\"cdylib\"", ",\"lib\":true,\"bindep_target\":\"t\"")),
	    "[dependencies]\na={version='1',artifact=['bin:x','cdylib'],lib=true,target='t'}", "" },
	{ DEP(FROM_PUBLIC ",\"lib\":false"), A, "" },
	{ DEP(FROM_PUBLIC), "[dependencies]\na={version='1',artifact='bin'}",
	    "dependency `a`: metadata artifact `(none)` does not match manifest artifact `bin`" },
	{ DEP(FROM_PUBLIC ARTIFACT("\"bin\"", "")), A,
	    "dependency `a`: metadata artifact `bin` does not match manifest artifact `(none)`" },
	{ DEP(FROM_PUBLIC ARTIFACT("\"bin\"", ",\"lib\":true")), "[dependencies]\na={version='1',artifact='bin'}",
	    "dependency `a`: metadata lib `true` does not match manifest lib `false`" },
	{ DEP(FROM_PUBLIC ARTIFACT("\"bin\"", ",\"bindep_target\":\"t\"")),
	    "[dependencies]\na={version='1',artifact='bin'}",
	    "dependency `a`: metadata artifact target `t` does not match manifest artifact target `(none)`" },
	{ "," "\"deps\":[" "{\"name\":\"a\",\"version_req\":\"^0\",\"target\":\"t\"" FROM_PUBLIC "},"
	  "{\"name\":\"a\",\"version_req\":\"0.*\",\"target\":\"u\"" FROM_PUBLIC "}]",
	    "[target.t.dependencies]\na='0.*'\n[target.u.dependencies]\na='^0.*'", "" },
	{ DEP(FROM_PUBLIC), "[dependencies]\na='1.2'",
	    "dependency `a`: metadata requirement `^1` does not match manifest requirement "
	    "`^1.2`" },
	{ DEP(FROM_PUBLIC), O,
	    "dependency `a`: metadata optional `false` does not match manifest optional `true`" },
	{ DEP(FROM_PUBLIC ",\"default_features\":false"), A,
	    "dependency `a`: metadata default-features `false` does not match manifest "
	    "default-features `true`" },
	{ DEP(FROM_PUBLIC ",\"target\":\"t\""), A,
	    "dependency `a`: metadata target `t` does not match manifest target `(none)`" },
	{ DEP(FROM_PUBLIC ",\"explicit_name_in_toml\":\"r\""),
	    "[dependencies]\nr={package='b',version='1'}",
	    "dependency `r`: metadata package `a` does not match manifest package `b`" },
	{ DEP(FROM_PUBLIC ",\"features\":[\"f\"]"),
	    "[dependencies]\na={version='1',features=['f']}", "" },
	{ DEP(FROM_PUBLIC), "[dependencies]\na={version='1',features=['f']}",
	    "dependency `a`: metadata feature `(none)` does not match manifest feature `f`" },
	{ DEP(FROM_PUBLIC ",\"features\":[\"f\"]"), A,
	    "dependency `a`: metadata feature `f` does not match manifest feature `(none)`" },
	{ ",\"features\":{\"f\":[]}", "[features]\nf=[]", "" },
	{ "", "[features]\nf=[]", "the manifest has the feature `f`, which the metadata lacks" },
	{ ",\"features\":{\"f\":[]}", "",
	    "the metadata has the feature `f`, which the manifest lacks" },
	{ ",\"features\":{\"f\":[\"g\"],\"g\":[]}", "[features]\nf=[]\ng=[]",
	    "feature `f`: metadata value `g` does not match manifest value `(none)`" },
	{ ",\"features\":{\"f\":[],\"g\":[]}", "[features]\nf=['g']\ng=[]",
	    "feature `f`: metadata value `(none)` does not match manifest value `g`" },
	{ ",\"features\":{\"f\":[\"h\",\"g\"],\"g\":[],\"h\":[]}",
	    "[features]\nf=['g','h']\ng=[]\nh=[]",
	    "feature `f`: metadata value `h` does not match manifest value `g`" },
	/* cargo before 1.81 drops what names a renamed dependency, and nothing else */
	{ RENAMED_JSON ",\"features\":{\"f\":[\"g\"],\"g\":[]}",
	    RENAMED "[features]\nf=['dep:r','g','r?/x']\ng=['r/y']", "" },
	{ RENAMED_JSON ",\"features\":{\"f\":[\"dep:r\"]}", RENAMED "[features]\nf=['dep:r']", "" },
	{ RENAMED_JSON ",\"features\":{\"f\":[]}", RENAMED "[features]\nf=['r']",
	    "feature `f`: metadata value `(none)` does not match manifest value `r`" },
	{ RENAMED_JSON ",\"features\":{\"f\":[\"r/x\"]}", RENAMED "[features]\nf=[]",
	    "feature `f`: metadata value `r/x` does not match manifest value `(none)`" },
	{ DEP(FROM_PUBLIC ",\"optional\":true") ",\"features\":{\"f\":[]}",
	    O "[features]\nf=['a/x']",
	    "feature `f`: metadata value `(none)` does not match manifest value `a/x`" },
};

static void
test_agree(void)
{
	struct package a = package_with(""), b = package_with("");
	struct err err = { 0 };

	for (size_t i = 0; i < sizeof(agreements) / sizeof(*agreements); i++)
		is_str(agree(agreements[i].json, agreements[i].toml), agreements[i].want,
		    arena_printf(arena, "agreement %zu", i));
	b.name = "y";
	ok(package_agree(arena, &a, &b, &err) == -1 && err.status == 400, "another name");
	is_str(err.pub, "metadata name `x` does not match manifest name `y`", "and which");
	b.name = "x";
	b.version = "2.0.0";
	ok(package_agree(arena, &a, &b, &err) == -1, "another version");
	is_str(err.pub, "metadata version `1.0.0` does not match manifest version `2.0.0`",
	    "and which");
	arena_reset(arena);
}

/* All values name one dependency of many, and all are left out: each must be looked up fast. */
static void
test_hostile_size(void)
{
	static const size_t n = 300;
	struct package metadata, manifest;
	struct buf b;
	struct err err = { 0 };
	int64_t start;

	buf_init(&b, arena, MANIFEST_MAX);
	buf_puts(&b, "[dependencies]\n");
	for (size_t i = 0; i < n; i++)
		buf_printf(&b, "d%zu={version='1',package='p'}\n", i);
	buf_puts(&b, "[features]\n");
	for (size_t i = 0; i < n; i++) {
		buf_printf(&b, "f%zu=[", i);
		for (size_t k = 0; k < n; k++)
			buf_puts(&b, "'d99/x',");
		buf_puts(&b, "]\n");
	}
	start = clock_us();
	manifest = package_with(buf_str(&b));
	ok(package_check(arena, &manifest, &limits, &err) == 0, "90000 values %s", err.pub);
	package_sort(&manifest);
	metadata = manifest;
	metadata.features = arena_calloc(arena, n, sizeof(*metadata.features));
	for (size_t i = 0; i < n; i++)
		metadata.features[i].name = manifest.features[i].name;
	ok(package_agree(arena, &metadata, &manifest, &err) == 0, "all left out %s", err.pub);
	ok(clock_us() - start < 5 * 1000000, "in linear time");
}

int
main(void)
{
	arena = arena_new();
	test_sort();
	test_agree();
	test_hostile_size();
	arena_free(arena);
	return tap_done();
}
