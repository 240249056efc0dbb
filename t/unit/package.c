#include "crate/package.h"

#include "crate/manifest/manifest.h"
#include "crate/registry_url.h"
#include "tap.h"

#define OWN    "sparse+https://berth.example/api/v4/projects/7/packages/cargo/"
#define OTHER  "sparse+https://r.example/x/"
#define PUBLIC REGISTRY_PUBLIC_URL

static struct arena *arena;

static const struct package_limits limits = {
	.max_dependencies = 4,
	.max_features = 3,
	.max_keywords = 5,
	.max_categories = 5,
	.strict = "documentation",
	.own_registry = OWN,
	.allowed_registries = PUBLIC " sparse+https://r.example/*",
};

/* The package of a manifest: the shortest way to write one down. */
static struct package
package_of(const char *toml)
{
	struct package pkg;
	struct err err = { 0 };

	ok(manifest_parse(arena, slice_str(toml), &pkg, &err) == 0, "manifest %s", err.pub);
	return pkg;
}

#define HEAD "[package]\nname='x'\nversion='1.0.0'\n"

static struct package
package_with(const char *rest)
{
	return package_of(arena_printf(arena, HEAD "%s", rest));
}

/* The sentence why the package is refused, "" where it is not. */
static const char *
check(struct package *pkg)
{
	struct err err = { 0 };

	struct package_id id;

	if (package_check_id(arena, pkg, &id, &err) == 0 &&
	    package_check(arena, pkg, &limits, &err) == 0)
		return "";
	if (err.status != 400)
		return "refused without a 400";
	return arena_strdup(arena, err.pub);
}

static const char *
check_with(const char *rest)
{
	struct package pkg = package_with(rest);

	return check(&pkg);
}

/* The end of a sentence about a limit that a project can have for itself. */
#define RAISE(key) "; an administrator can raise " key " for the project"

struct example {
	const char *rest, *want;
};

#define INVALID_URL(u) \
	"URL for field `documentation` must begin with http:// or https:// (url: " u ")"
#define KEYWORD \
	": a keyword begins with an ASCII letter or digit, and goes on with letters, digits, `_`, `-` or `+`"
#define INVALID_RUST(v) \
	"invalid `rust-version` value `" v "`: expected one to three numbers, such as `1.70`"
#define INVALID_LINKS(v) \
	"invalid `links` value `" v "`: expected 1 to 128 characters without blanks"
#define C20  "12345678901234567890"
#define C64  "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"
#define C128 C64 C64
#define C1000 C128 C128 C128 C128 C128 C128 C128 C64 "cccccccccccccccccccccccccccccccccccccccc"

static const struct example about[] = {
	{ "documentation='http://h'\nhomepage='https://u:p@h:1/?#'\nrepository='https://[::1]/x'",
	    "" },
	{ "documentation=''", "" },
	{ "documentation='javascript:alert(1)'", INVALID_URL("javascript:alert(1)") },
	{ "documentation='ftp://h'", INVALID_URL("ftp://h") },
	{ "documentation='https:/x'", INVALID_URL("https:/x") },
	{ "documentation='git@h:x'", INVALID_URL("git@h:x") },
	{ "documentation='https://'", "`documentation` is not a valid url: `https://`" },
	{ "documentation='https:///x'", "`documentation` is not a valid url: `https:///x`" },
	{ "documentation='https://u@/x'", "`documentation` is not a valid url: `https://u@/x`" },
	{ "documentation='https://:80'", "`documentation` is not a valid url: `https://:80`" },
	{ "documentation='https://h/a b'", "`documentation` is not a valid url: `https://h/a b`" },
	/* where the project is not strict */
	{ "homepage='git@h:x'\nrepository='../x'\nlicense='ours'", "" },
	{ "homepage='ssh://h/x'\nrepository='https://h/a b'", "" },
	{ "homepage=' JavaScript:alert(1)'",
	    "`homepage` must not be ` JavaScript:alert(1)`, which a browser would run or "
	    "open on its own host; write an address that begins with https://, or leave the field out" },
	{ "license='" C1000 "'", "" },
	{ "license='" C1000 "d'",
	    "`license` has 1001 bytes, and at most 1000 are allowed; put the text into a file and name it in "
	    "`license-file`" },
	{ "homepage=\"a\\nb\"", "`homepage` has a control character" },
	{ "repository=\"\\u007f\"", "`repository` has a control character" },
	{ "rust-version='1'", "" },
	{ "rust-version='1.70'", "" },
	{ "rust-version='1.70.0'", "" },
	{ "rust-version='0.0.0'", "" },
	{ "rust-version='18446744073709551615'", "" },
	{ "rust-version='18446744073709551616'", INVALID_RUST("18446744073709551616") },
	{ "rust-version=''", INVALID_RUST("") },
	{ "rust-version='1.'", INVALID_RUST("1.") },
	{ "rust-version='.1'", INVALID_RUST(".1") },
	{ "rust-version='01.70'", INVALID_RUST("01.70") },
	{ "rust-version='1.0.0-beta.2'", INVALID_RUST("1.0.0-beta.2") },
	{ "rust-version='>=1.60'", INVALID_RUST(">=1.60") },
	{ "rust-version='1.70.0.1'", INVALID_RUST("1.70.0.1") },
	{ "rust-version='1.70.0.'", INVALID_RUST("1.70.0.") },
	{ "links='git2'", "" },
	{ "links=''", INVALID_LINKS("") },
	{ "links='a b'", INVALID_LINKS("a b") },
	{ "links='" C128 "'", "" },
	{ "links='" C128 "d'", INVALID_LINKS(C128) },
	{ "keywords=['c++','1password','crates-io_index','" C20 "','a']", "" },
	{ "keywords=['a','b','c','d','e','f']",
	    "expected at most 5 keywords per crate, but this one has 6" RAISE("max_keywords") },
	{ "keywords=['" C20 "1']",
	    "\"" C20 "1\" is an invalid keyword: it has 21 bytes, and at most 20 are allowed" },
	{ "keywords=['?@?%']", "\"?@?%\" is an invalid keyword" KEYWORD },
	{ "keywords=['-a']", "\"-a\" is an invalid keyword" KEYWORD },
	{ "keywords=['']", "\"\" is an invalid keyword" KEYWORD },
	{ "keywords=['\xc3\xa1']", "\"\xc3\xa1\" is an invalid keyword" KEYWORD },
	{ "categories=['a','b','c','d','" C64 "']", "" },
	{ "categories=['a','b','c','d','e','f']",
	    "expected at most 5 categories per crate, but this one has 6" RAISE("max_categories") },
	{ "categories=['']", "\"\" is an invalid category: it has 0 bytes, and 1 to 64 are allowed" },
	{ "categories=['" C64 "c']",
	    "\"" C64 "c\" is an invalid category: it has 65 bytes, and 1 to 64 are allowed" },
};

#define WILD "wildcard (`*`) dependency constraints are not allowed. Crate with this problem: `a`"
#define FIRST(c, f) \
	"invalid character `" c "` in feature `" f "`, the first character must be a Unicode XID " \
	"start character or digit (most letters or `_` or `0` to `9`)"
#define OTHERS(c, f) \
	"invalid character `" c "` in feature `" f "`, characters must be Unicode XID " \
	"characters, `+`, `-`, or `.` (numbers, `+`, `-`, `_`, `.`, or most letters)"
#define NOT_URL(u) "dependency `a`: `" u "` is not the URL of a registry's index"

#define NO_ARTIFACT(a) \
	"dependency `a`: `" a "` is not an artifact; write `bin`, `bin:NAME`, `cdylib` or `staticlib`"
#define NO_TRIPLE(t) \
	"dependency `a`: its artifact cannot be built for `" t "`, which is not the triple of a platform"
#define SOURCES "dependency `a` must come from one registry, whatever its kind and target"

static const struct example dependencies[] = {
	{ "[dependencies]\na='1'\n[dev-dependencies]\na='1'\n[build-dependencies]\na='1'\n"
	  "[target.t.dependencies]\na='1'",
	    "" },
	{ "[dependencies]\na='1'\nb='1'\nc='1'\nd='1'\ne='1'",
	    "a crate can have at most 4 dependencies, but this one declares 5" RAISE("max_dependencies") },
	{ "[dependencies]\n'a b'='1'",
	    "invalid character ` ` in dependency name: `a b`, characters must be ASCII "
	    "letters, digits, `-`, or `_`" },
	{ "[dependencies]\n_x={package='a',version='1'}", "" },
	{ "[dependencies]\n_x='1'", "invalid character `_` in dependency name: `_x`, the first "
				    "character must be an ASCII letter" },
	{ "[dependencies]\na='*'", WILD },
	{ "[dependencies]\na={path='x'}", WILD },
	{ "[dev-dependencies]\na='*'", WILD },
	{ "[dependencies]\na='1.*'", "" },
	{ "[dependencies]\na='broken'",
	    "dependency `a`: \"broken\" is an invalid version requirement: the major number is not a number" },
	{ "[dependencies]\na={version='1',features=['b','c','d']}", "" },
	{ "[dependencies]\na={version='1',features=['b','c','d','e']}",
	    "at most 3 features of a dependency can be enabled, but 4 of `a` are" RAISE("max_features") },
	{ "[dependencies]\na={version='1',features=['b/c']}", OTHERS("/", "b/c") },
	{ "[dependencies]\na={version='1',features=['dep:b']}", OTHERS(":", "dep:b") },
	{ "[dependencies]\na={version='1',features=['']}", "feature cannot be empty" },
	{ "[dev-dependencies]\na={version='1',optional=true}",
	    "dev-dependencies are not allowed to be optional: `a`" },
	{ "[dependencies]\na='1'\n[build-dependencies]\na={version='1',registry-index='" OTHER "'}",
	    SOURCES },
	{ "[dependencies]\na='1'\n[target.t.dependencies]\na={version='1',registry-index='" OWN "'}",
	    SOURCES },
	{ "[dependencies]\na='1'\nb={package='a',version='1',registry-index='" OTHER "'}", "" },
	{ "[target.'cfg(']\ndependencies.a='1'",
	    "\"cfg(\" is an invalid target: expected the triple of a platform or `cfg(...)`" },
	{ "[dependencies]\na={version='1',registry-index='" OTHER "'}", "" },
	{ "[dependencies]\nstd={builtin=true}\ncore={builtin=true,features=['b'],default-features=false}\n"
	  "[target.'cfg( unix )'.dev-dependencies]\nstd.builtin=true", "" },
	{ "[dependencies]\nb={builtin=true,optional=true}\n[features]\nc=['dep:b']", "" },
	{ "[dependencies]\nb={builtin=true,optional=true}\n[features]\nc=['dep:d']",
	    "feature `c` includes `dep:d`, but `d` is not a dependency" },
	{ "[dependencies]\nb={builtin=true}\n[features]\nc=['dep:b']",
	    "feature `c` includes `dep:b`, but `b` is not an optional dependency" },
	{ "[dependencies]\n'a b'={builtin=true}",
	    "invalid character ` ` in dependency name: `a b`, characters must be ASCII "
	    "letters, digits, `-`, or `_`" },
	{ "[dependencies]\na={builtin=true,features=['b/c']}",
	    "invalid character `/` in feature `b/c`, characters must be Unicode XID "
	    "characters, `+`, `-`, or `.` (numbers, `+`, `-`, `_`, `.`, or most letters)" },
	{ "[dev-dependencies]\na={builtin=true,optional=true}",
	    "dev-dependencies are not allowed to be optional: `a`" },
	{ "[dependencies]\na={builtin=true}\n[build-dependencies]\na='1'",
	    "dependency `a` cannot be both builtin and from a registry" },
	{ "[dependencies]\na={builtin=true}\n[build-dependencies]\na={package='b',version='1'}",
	    "dependency `a` cannot be both builtin and from a registry" },
	{ "[dependencies]\na={builtin=true}\n[build-dependencies]\nc={package='a',version='1'}", "" },
	{ "[target.'cfg(']\ndependencies.a.builtin=true",
	    "\"cfg(\" is an invalid target: expected the triple of a platform or `cfg(...)`" },
	{ "[dependencies]\na='1'\nb='1'\nc='1'\nd={builtin=true}\ne={builtin=true}",
	    "a crate can have at most 4 dependencies, but this one declares 5" RAISE("max_dependencies") },
	{ "[dependencies]\na={version='1',artifact='bin',target='x86_64-unknown-none',lib=true}\n"
	  "[build-dependencies]\n"
	  "b={version='1',artifact=['bin:x','bin:y','cdylib','staticlib'],target='target'}", "" },
	{ "[dependencies]\na={version='1',artifact='exe'}", NO_ARTIFACT("exe") },
	{ "[dependencies]\na={version='1',artifact=['bin','']}", NO_ARTIFACT("") },
	{ "[dependencies]\na={version='1',artifact='bin:'}", NO_ARTIFACT("bin:") },
	{ "[dependencies]\nb={package='a',version='1',artifact=['cdylib','cdylib']}",
	    "dependency `b` has the artifacts `cdylib` and `cdylib`, which overlap; remove one" },
	{ "[dependencies]\na={version='1',artifact=['bin:x','bin']}",
	    "dependency `a` has the artifacts `bin:x` and `bin`, which overlap; remove one" },
	{ "[dependencies]\na={version='1',artifact='bin',target='cfg(unix)'}", NO_TRIPLE("cfg(unix)") },
	{ "[dependencies]\na={version='1',artifact='bin',target='my.json'}", NO_TRIPLE("my.json") },
	{ "[dependencies]\na={version='1',artifact='bin',target=''}", NO_TRIPLE("") },
	{ "[dependencies]\na={version='1',artifact='bin',target='target'}",
	    "dependency `a`: `target = \"target\"` is for build-dependencies alone" },
	{ "[dependencies]\na={version='1',registry-index='sparse+https://evil.example/'}",
	    "dependency `a` is hosted on the registry `sparse+https://evil.example/`, which is not "
	    "among those that crates here may depend on; an administrator can add it to allowed_registries "
	    "of the project" },
	{ "[dependencies]\na={version='1',registry-index='sparse+https://r.example/'}", "" },
	{ "[dependencies]\na={version='1',registry-index='sparse+https://r.example/x'}",
	    NOT_URL("sparse+https://r.example/x") },
	{ "[dependencies]\na={version='1',registry-index=''}", NOT_URL("") },
	{ "[dependencies]\na={version='1',registry-index='https:///x'}", NOT_URL("https:///x") },
	{ "[dependencies]\na={version='1',registry-index='ftp://h/x'}", NOT_URL("ftp://h/x") },
	{ "[dependencies]\na={version='1',registry-index='https://h/ x'}",
	    NOT_URL("https://h/ x") },
};

#define A "[dependencies]\na='1'\n"
#define O "[dependencies]\na={version='1',optional=true}\n"

/* Each was tried with cargo 1.95. */
static const struct example features[] = {
	{ "[features]\n'foo.bar'=[]\n0foo=[]\n_foo=[]", "" },
	{ "[features]\n'foo.\xe4\xbd\xa0\xe5\xa5\xbd'=[]\n'\xe4\xb8\x96-+'=[]", "" },
	{ "[features]\na=[]\nb=[]\nc=[]\nd=[]",
	    "a crate can have at most 3 features, but this one declares 4" RAISE("max_features") },
	{ "[features]\na=['b','b','b']\nb=[]", "" },
	{ "[features]\na=['a']", "feature `a` includes itself" },
	{ "[features]\na=['b']\nb=['a']", "" },
	{ "[features]\na=['a','a','a','a']", "a feature can enable at most 3 features or "
					     "dependencies, but `a` enables 4" RAISE("max_features") },
	{ "[features]\n''=[]", "feature cannot be empty" },
	{ "[features]\n'~foo'=[]", FIRST("~", "~foo") },
	{ "[features]\n'-foo'=[]", FIRST("-", "-foo") },
	{ "[features]\n'\xc2\xb7'=[]", FIRST("\xc2\xb7", "\xc2\xb7") },
	{ "[features]\n'a\xf0\x9f\xa6\x80'=[]", OTHERS("\xf0\x9f\xa6\x80", "a\xf0\x9f\xa6\x80") },
	{ "[features]\na=['!bar']", FIRST("!", "!bar") },
	{ "[features]\na=['']", "feature cannot be empty" },
	{ "[features]\na=['b']",
	    "feature `a` includes `b`, but `b` is neither a dependency nor another feature" },
	{ O "[features]\nb=['a']", "" },
	{ O "[features]\nb=['dep:a']", "" },
	{ O "[features]\nb=['a/x']", "" },
	{ O "[features]\nb=['a?/x']", "" },
	{ O "[features]\na=['dep:a']\nb=['a','a?/x']", "" },
	{ O "[features]\nb=['dep:a','a']", "feature `b` includes `a`, but `a` is an optional "
					   "dependency without an implicit feature (use `dep:`)" },
	{ O "[features]\na=[]", "optional dependency `a` is not included in any feature" },
	{ O "[features]\na=['a?/x']", "" },
	{ A "[features]\nb=['a']",
	    "feature `b` includes `a`, but `a` is not an optional dependency" },
	{ A "[features]\nb=['a/x']", "" },
	{ A "[features]\nb=['a?/x']",
	    "feature `b` includes `a?/x`, but `a` is not an optional dependency" },
	{ A "[features]\nb=['dep:a']",
	    "feature `b` includes `dep:a`, but `a` is not an optional dependency" },
	{ A "[features]\nb=['dep:c']",
	    "feature `b` includes `dep:c`, but `c` is not a dependency" },
	{ A "[features]\nb=['c/x']", "feature `b` includes `c/x`, but `c` is not a dependency" },
	{ A "[features]\nb=['b/x']", "feature `b` includes `b/x`, but `b` is not a dependency" },
	{ A "[features]\nb=['a/x/y']", OTHERS("/", "x/y") },
	{ A "[features]\nb=['a/']", "feature cannot be empty" },
	{ A "[features]\nb=['dep:a/x']", "feature value `dep:a/x` has both `dep:` and `/`" },
	{ A "[features]\nb=['xdep:a']", OTHERS(":", "xdep:a") },
	{ "[dev-dependencies]\na='1'\n[features]\nb=['a/x']", "" },
	{ O "[build-dependencies]\na='1'\n[features]\nb=['a?/x']", "" },
	{ "[dependencies]\na={package='c',version='1',optional=true}\n[features]\nb=['dep:c']",
	    "feature `b` includes `dep:c`, but `c` is not a dependency" },
};

static void
examples(const char *group, const struct example *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		is_str(check_with(v[i].rest), v[i].want, arena_printf(arena, "%s %zu", group, i));
	arena_reset(arena);
}

#define EXAMPLES(v) examples(#v, (v), sizeof(v) / sizeof(*(v)))

static void
test_name_and_version(void)
{
	struct package pkg = package_of("[package]\nname='a b'\nversion='1.0.0'");
	char *description = arena_alloc(arena, 1002);

	ok(strstr(check(&pkg), "in crate name: `a b`") != NULL, "a bad name");
	pkg = package_of("[package]\nname='a'\nversion='1.0'");
	is_str(check(&pkg), "\"1.0\" is an invalid semver version: the patch number is missing", "a bad version");
	pkg = package_with("");
	memset(description, 'h', 1000);
	pkg.homepage = arena_printf(arena, "%.1000s%.1000s", description, description);
	is_str(check(&pkg), "", "a homepage of 2000 bytes");
	pkg.homepage = arena_printf(arena, "%sx", pkg.homepage);
	is_str(check(&pkg), "`homepage` has 2001 bytes, and at most 2000 are allowed", "one of 2001");
	pkg.homepage = NULL;
	memset(description, 'd', 1000);
	pkg.description = description;
	is_str(check(&pkg), "", "a description of 1000 bytes");
	description[1000] = 'd';
	is_str(check(&pkg),
	    "The `description` is too long: it has 1001 bytes, and at most 1000 are allowed; the README has room "
	    "for more",
	    "one of 1001");
}

/* What package_check() makes of a dependency's fields. */
static void
test_canonical(void)
{
	struct package p = package_with(
	    "[dependencies]\na={version='>= 1,<2',registry-index='" OWN "'}\n"
	    "b={version='1.0',package='b',registry-index='" OWN "'}\n"
	    "[target.'cfg( all(unix,target_os=\"a, b\",) )'.dependencies]\nc='1'\n");

	is_str(check(&p), "", "a package");
	is_str(p.deps[0].req, ">=1, <2", "a requirement");
	is_str(p.deps[0].registry, NULL, "the own registry");
	is_str(p.deps[1].registry, NULL, "once more");
	is_str(p.deps[1].alias, "b", "an alias that is the name, but not that of the library");
	is_str(p.deps[1].req, "^1.0", "another requirement");
	is_str(p.deps[2].target, "cfg(all(unix, target_os = \"a, b\"))", "a target");
	is_str(p.deps[2].registry, PUBLIC, "the public registry stays");
	is_str(check(&p), "", "what is canonical stays so");
	is_str(p.deps[2].target, "cfg(all(unix, target_os = \"a, b\"))", "the same target");
}

static void
test_long_texts(void)
{
	struct package p = package_with("[target.t]\ndependencies.a='1'");
	char *text = arena_alloc(arena, 1026);

	memset(text, 't', 1024);
	p.deps[0].target = text;
	is_str(check(&p), "", "a target of 1024 bytes");
	text[1024] = 't';
	p.deps[0].target = text;
	is_str(
	    check(&p), "dependency `a`: the target has 1025 bytes, and at most 1024 are allowed", "one of 1025");
	p = package_with(A);
	memcpy(text, "sparse+https://r.example/", 25);
	text[1023] = '/';
	text[1024] = '\0';
	p.deps[0].registry = text;
	is_str(check(&p), "", "a registry of 1024 bytes");
	text[1023] = 't';
	text[1024] = '/';
	ok(strstr(check(&p), "is not the URL of a registry's index") != NULL, "one of 1025");
}

static void
test_allow_list(void)
{
	static const struct {
		const char *list, *url;
		bool good;
	} lists[] = {
		{ "*", "https://any.example/index", true },
		{ "", PUBLIC, false },
		{ PUBLIC, PUBLIC, true },
		{ PUBLIC "x " OTHER, PUBLIC, false },
		{ PUBLIC ".git", PUBLIC, true },
		{ "sparse+https://index.crates.io/", PUBLIC, true },
		{ "sparse+https://index.crates.io", PUBLIC, true },
		{ "  " OTHER "\t" PUBLIC " ", PUBLIC, true },
		{ "sparse+https://r.example/*", "sparse+https://r.example.evil/", false },
		{ "https://r.example/", "https://r.example/x", false },
		{ "*", "file:///etc", false },
		{ "sparse+https://r.example/*/i/", "sparse+https://r.example/7/i/", true },
		{ "sparse+https://r.example/*/i/", "sparse+https://r.example//i/", false },
		{ "sparse+https://r.example/*/i/", "sparse+https://r.example/7/x/i/", false },
		{ "sparse+https://r.example/*/i/", "sparse+https://r.example/7/i/?x#/i/", false },
		{ "sparse+https://r.example/*/i/", "sparse+https://r.example/7?/i/", false },
		{ "sparse+https://r.example/*/i/", "sparse+https://r.example/i/", false },
	};

	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
		struct package_limits l = limits;
		struct package p = package_with(A);
		struct err err = { 0 };

		l.allowed_registries = lists[i].list;
		p.deps[0].registry = lists[i].url;
		ok((package_check(arena, &p, &l, &err) == 0) == lists[i].good, "%s in \"%s\"",
		    lists[i].url, lists[i].list);
	}
}

static void
test_warnings(void)
{
	struct package p = package_with("");
	struct strings w;

	package_warnings(arena, &p, &w);
	is_int(w.n, 2, "neither description nor licence");
	p = package_with("description=''\nlicense-file='L'");
	package_warnings(arena, &p, &w);
	is_int(w.n, 1, "an empty description");
	ok(w.n == 1 && strstr(w.v[0], "description") != NULL, "is none");
	p = package_with("description='d'\nlicense='MIT'");
	package_warnings(arena, &p, &w);
	is_int(w.n, 0, "nothing is missing");
}

/* What is taken all the same, and what is said of it then; and what a strict project says. */
static void
test_not_strict(void)
{
	static const struct {
		const char *field, *value, *warning, *refusal;
	} cases[] = {
		{ "repository", "https://h.example/x^y", NULL, NULL },
		{ "repository", "http://h.example", NULL, NULL },
		{ "repository", "", NULL, NULL },
		{ "repository", "ssh://git@h.example/x.git", "is not a web address", "must begin with http://" },
		{ "repository", "git@h.example:g/x.git", "is not a web address", "must begin with http://" },
		{ "repository", "git://h.example/x", "is not a web address", "must begin with http://" },
		{ "homepage", "../x", "is not a web address", "must begin with http://" },
		{ "homepage", "h.example", "is not a web address", "must begin with http://" },
		{ "documentation", "https://h.example/a b", "is not a web address", "is not a valid url" },
		{ "license", "MIT OR Apache-2.0", NULL, NULL },
		{ "license", "", "has no license", NULL },
		{ "license", "Proprietary", "is not an SPDX expression", "invalid license expression" },
		{ "license", "mit", "is not an SPDX expression", "invalid license expression" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct package p = package_with(arena_printf(arena, "description='d'\n%s%s='%s'",
		    strcmp(cases[i].field, "license") == 0 ? "" : "license='MIT'\n", cases[i].field,
		    cases[i].value));
		struct package_limits l = limits;
		struct strings w;
		struct err err = { 0 };

		l.strict = "";
		ok(package_check(arena, &p, &l, &err) == 0, "%s = %s", cases[i].field, cases[i].value);
		package_warnings(arena, &p, &w);
		ok(cases[i].warning == NULL ? w.n == 0
		    : w.n == 1 && strstr(w.v[0], cases[i].warning) != NULL,
		    "%zu warnings: %s", w.n, w.n > 0 ? w.v[0] : "");
		l.strict = arena_printf(arena, "%s readme", cases[i].field);
		ok(cases[i].refusal == NULL ? package_check(arena, &p, &l, &err) == 0
		    : package_check(arena, &p, &l, &err) == -1 && strstr(err.pub, cases[i].refusal) != NULL,
		    "strict: %s", err.pub);
	}
}

/* The limits, and one more. */
static void
test_about_limits(void)
{
	struct package_limits l = limits;
	struct package p = package_with("keywords=['a','b','c']\ncategories=['a','b']");
	struct err err = { 0 };

	l.max_keywords = 3;
	l.max_categories = 2;
	ok(package_check(arena, &p, &l, &err) == 0, "as many keywords and categories as allowed");
	l.max_keywords = 2;
	ok(package_check(arena, &p, &l, &err) == -1, "a keyword too many");
	is_str(err.pub, "expected at most 2 keywords per crate, but this one has 3" RAISE("max_keywords"),
	    "says so");
	err_clear(&err);
	l.max_keywords = 3;
	l.max_categories = 1;
	ok(package_check(arena, &p, &l, &err) == -1, "a category too many");
	is_str(err.pub, "expected at most 1 categories per crate, but this one has 2" RAISE("max_categories"),
	    "says so");
}

/* The public registry has had its limit for descriptions since 2024 only. */
static void
test_legacy(void)
{
	enum { LONG = 3000 };
	struct package_limits l = limits;
	struct package p = package_with("");
	char *description = arena_alloc(arena, LONG + 1);
	struct err err = { 0 };

	memset(description, 'd', LONG);
	p.description = description;
	l.legacy = true;
	ok(package_check(arena, &p, &l, &err) == 0, "an import takes a long description: %s", err.pub);
}

static const struct {
	const char *rest, *required, *missing;
} required[] = {
	{ "", "", "" },
	{ "description='d'\nlicense='MIT'", "description license", "" },
	{ "license='MIT'", "description license", "description" },
	{ "", "license description", "description, license" },
	{ "description=''\nlicense=''", "license  description", "description, license" },
	{ "license-file='L'", "license", "" },
	{ "license-file=''", "license", "license" },
	{ "keywords=[]\ncategories=['a']", "keywords categories", "keywords" },
	{ "keywords=['a']", "keywords categories", "categories" },
	{ "homepage='https://h'\ndocumentation='https://h'", "homepage documentation repository",
	    "repository" },
	{ "rust-version='1.70'", "rust-version", "" },
	{ "", "rust-version", "rust-version" },
	{ "readme='README.md'", "readme", "readme" },
};

static void
test_required(void)
{
	struct package p = package_with("");
	struct err err = { 0 };

	for (size_t i = 0; i < sizeof(required) / sizeof(*required); i++) {
		const char *missing = required[i].missing;

		p = package_with(required[i].rest);
		err_clear(&err);
		ok((package_check_required(arena, &p, required[i].required, &err) == 0) ==
		    (missing[0] == '\0'), "required: %s", required[i].required);
		is_str(err.pub, missing[0] == '\0' ? "" : arena_printf(arena,
		    "missing or empty metadata fields: %s", missing), "what is missing");
	}
	p.readme = "text";
	ok(package_check_required(arena, &p, "readme", &err) == 0, "the text of a readme");
	p.readme = "";
	ok(package_check_required(arena, &p, "readme", &err) == -1, "an empty one");
}

int
main(void)
{
	arena = arena_new();
	EXAMPLES(about);
	EXAMPLES(dependencies);
	EXAMPLES(features);
	test_name_and_version();
	test_canonical();
	test_long_texts();
	test_allow_list();
	test_about_limits();
	test_legacy();
	test_required();
	test_warnings();
	test_not_strict();
	arena_free(arena);
	return tap_done();
}
