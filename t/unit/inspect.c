#include "crate/inspect/inspect.h"

#include "tap.h"
#include "tarball.h"

#define FOLDER   "foo-1.0.0"
/* A crate of one file, which stands for its library as well. */
#define PACKAGE  "[package]\nname = \"foo\"\nversion = \"1.0.0\"\n"
#define MANIFEST "lib.path = \"Cargo.toml\"\n" PACKAGE

static struct arena *arena;

static const struct inspect_limits ample = { .max_unpacked = 8 << 20, .max_entries = 100 };

static int repeats; /* crates that were read again */

static int
read_through(struct inspect *in, struct slice crate, struct verdict *v, struct err *err)
{
	*v = (struct verdict) { 0 };
	err_clear(err);
	for (size_t i = 0; i < crate.n; i += 1000) {
		size_t n = crate.n - i < 1000 ? crate.n - i : 1000;

		if (inspect_push(in, slice_of(crate.p + i, n), err) == -1)
			return -1;
	}
	return inspect_end(in, v, err);
}

/* Both ways: hashes from the start, and only where a path comes twice. */
static int
inspect(struct slice crate, const struct inspect_limits *limits, struct verdict *v,
    struct err *err)
{
	struct inspect *in = inspect_new(arena, limits), *once = inspect_new(arena, limits);
	struct verdict other;
	struct err why;
	int rc;

	inspect_expect_once(once);
	rc = read_through(once, crate, &other, &why);
	if (inspect_repeats(once)) {
		repeats++;
		rc = read_through(once, crate, &other, &why);
		if (inspect_repeats(once))
			ok(false, "a crate is read only twice");
	}
	if (read_through(in, crate, v, err) != rc || why.status != err->status ||
	    strcmp(why.pub, err->pub) != 0 || other.entries != v->entries || inspect_repeats(in))
		ok(false, "without hashes: %s; with hashes: %s", why.pub, err->pub);
	return rc;
}

static struct buf *
tar_new(void)
{
	struct buf *tar = arena_alloc(arena, sizeof(*tar));

	buf_init(tar, arena, TARBALL_MAX);
	return tar;
}

/* The archive, ended and compressed. */
static struct slice
crate_of(struct buf *tar)
{
	tarball_end(tar);
	return tarball_gzip(arena, buf_slice(tar), 6);
}

static void
is_accepted(struct buf *tar, struct verdict *v, const char *name)
{
	struct err err;

	if (!ok(inspect(crate_of(tar), &ample, v, &err) == 0, "%s", name))
		printf("# %s\n", err.pub);
}

static void
is_refused(struct buf *tar, const char *reason, const char *name)
{
	struct verdict v;
	struct err err;
	int rc = inspect(crate_of(tar), &ample, &v, &err);

	ok(rc == -1 && err.status == 400 && strstr(err.pub, reason) != NULL && !v.accepted,
	    "%s: %s", name, err.pub);
}

static void
test_sound(void)
{
	struct buf *tar = tar_new();
	struct verdict v;
	char *h;

	tarball_entry(tar, '0', FOLDER "/.cargo_vcs_info.json", "{");
	tarball_entry(tar, '0', FOLDER "/Cargo.toml", MANIFEST);
	tarball_entry(tar, '0', FOLDER "/Cargo.toml.orig", MANIFEST);
	tarball_entry(tar, '5', FOLDER "/src/", "");
	tarball_entry(tar, '0', FOLDER "/src/lib.rs", "");
	tarball_entry(tar, '0', FOLDER "/sub/Cargo.toml", "not read");
	is_accepted(tar, &v, "a crate");
	ok(v.accepted && v.entries == 6, "counts its entries");
	is_int(v.unpacked_size, tar->n, "and its bytes");
	is_str(v.package.name, "foo", "name");
	is_str(v.package.version, "1.0.0", "version");
	is_str(v.package.readme, NULL, "no readme");

	tar = tar_new();
	h = tarball_header(tar, '0', FOLDER "/Cargo.toml", strlen(MANIFEST));
	memcpy(h + 100, "0000777", 7);
	tarball_seal(h);
	tarball_data(tar, MANIFEST, strlen(MANIFEST));
	is_accepted(tar, &v, "rights for everybody");

	tar = tar_new();
	tarball_entry(tar, '5', FOLDER, "");
	tarball_entry(tar, '0', FOLDER "/cargo.toml", MANIFEST);
	is_accepted(tar, &v, "the folder itself, and a manifest in lower case");
}

/* Names from every source, also beyond ASCII: libarchive must see the same ones. */
static void
test_names(void)
{
	struct buf *tar = tar_new();
	struct verdict v;
	char *h;

	tarball_entry(tar, '0', FOLDER "/Cargo.toml", MANIFEST);
	tarball_entry(tar, '0', FOLDER "/a\xc3\xa4.rs", "1");
	tarball_entry(tar, 'L', "././@LongLink", FOLDER "/b\xc3\xa4\xe6\xbc\xa2.rs");
	tarball_entry(tar, '0', "b", "2");
	tarball_entry(tar, 'x', "pax", "25 path=" FOLDER "/c\xc3\xa4.rs\n");
	tarball_entry(tar, '0', "c", "3");
	tarball_entry(tar, 'L', "././@LongLink", FOLDER "/ca\xcc\x88.rs");
	tarball_entry(tar, '0', "c", "4");
	h = tarball_header(tar, '0', "d\xc3\xa4.rs", 0);
	memcpy(h + 257, "ustar\0" "00", 8);
	memcpy(h + 345, FOLDER, strlen(FOLDER));
	tarball_seal(h);
	is_accepted(tar, &v, "names from all sources");
	is_int(v.entries, 6, "all are seen");

	/* libarchive composes such a name, cargo does not */
	tar = tar_new();
	tarball_entry(tar, 'x', "pax", "26 path=" FOLDER "/ca\xcc\x88.rs\n");
	tarball_entry(tar, '0', "c", "4");
	is_refused(tar, "tar readers do not agree", "a decomposed letter in a PAX path");
}

static void
test_paths(void)
{
	static const struct {
		const char *path, *reason;
	} paths[] = {
		{ "bar-1.0.0/a", "invalid path found: bar-1.0.0/a" },
		{ FOLDER "x/a", "invalid path found: " FOLDER "x/a" },
		{ FOLDER, "invalid path found" },
		{ "/" FOLDER "/a", "invalid path found" },
		{ FOLDER "/../a", "invalid path found: " FOLDER "/../a" },
		{ FOLDER "/a\xff", "invalid path found" },
		{ FOLDER "/.cargo-ok", "cargo reserves this name" },
		{ FOLDER "/.cargo-ok/x", "cargo reserves this name" },
		{ FOLDER "/.Cargo-OK", "cargo reserves this name" },
		{ FOLDER "/SRC/lib.rs", "invalid path found" },
		{ FOLDER "/src/lib.rs/x", "invalid path found" },
		{ FOLDER "/src", "invalid path found" },
		{ FOLDER "/Cargo.toml/x", "invalid path found" },
	};
	struct buf *tar;
	char *h;

	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
		tar = tar_new();
		tarball_entry(tar, '0', FOLDER "/Cargo.toml", MANIFEST);
		tarball_entry(tar, '0', FOLDER "/src/lib.rs", "");
		tarball_entry(tar, '0', paths[i].path, "x");
		is_refused(tar, paths[i].reason, "path");
	}
	for (const char *mode = "0004755\0" "0002755\0" "0001755"; mode[0] != '\0'; mode += 8) {
		tar = tar_new();
		tarball_entry(tar, '0', FOLDER "/Cargo.toml", MANIFEST);
		h = tarball_header(tar, '0', FOLDER "/tool", 0);
		memcpy(h + 100, mode, 8);
		tarball_seal(h);
		is_refused(tar, "set-id or sticky", mode);
		if (memcmp(mode, "0001", 4) == 0)
			break;
	}
}

/* A path that comes twice is no trouble where nobody can tell the two apart. */
static void
test_twice(void)
{
	static const struct {
		const char *path, *bytes;
		char type;
		const char *reason;
	} second[] = {
		{ FOLDER "/x", "1", '0', NULL },
		{ FOLDER "/x", "2", '0', "already has this path" },
		{ FOLDER "/x", "", '0', "already has this path" },
		{ FOLDER "/x", "11", '0', "already has this path" },
		{ FOLDER "/X", "1", '0', "already has this path" },
		{ FOLDER "/x", "", '5', "already has this path" },
		{ FOLDER "/x/y", "1", '0', "one of its folders is also a file" },
		{ FOLDER "/README.md", "r", '0', NULL },
		{ FOLDER "/README.md", "s", '0', "already has this path" },
		{ FOLDER "/empty", "", '0', NULL },
	};
	int before = repeats;
	struct verdict v;
	struct buf *tar;

	for (size_t i = 0; i < sizeof(second) / sizeof(*second); i++) {
		tar = tar_new();
		tarball_entry(tar, '0', FOLDER "/README.md", "r");
		tarball_entry(tar, '0', FOLDER "/Cargo.toml", MANIFEST "readme = true\n");
		tarball_entry(tar, '0', FOLDER "/x", "1");
		tarball_entry(tar, '0', FOLDER "/empty", "");
		tarball_entry(tar, second[i].type, second[i].path, second[i].bytes);
		if (second[i].reason != NULL) {
			is_refused(tar, second[i].reason, second[i].path);
			continue;
		}
		is_accepted(tar, &v, second[i].path);
		is_str(v.package.readme, "r", "and its readme");
	}
	tar = tar_new();
	tarball_entry(tar, '0', FOLDER "/Cargo.toml", MANIFEST);
	for (int i = 0; i < 102; i++)
		tarball_entry(tar, '0', FOLDER "/x", "1");
	is_refused(tar, "more than 100", "too often, or too many entries");
	/* of `second` all but the folder and the path below a file; and the crate with the same file 102 times */
	is_int(repeats - before, (int)(sizeof(second) / sizeof(*second)) - 2 + 1, "they were read again");
}

/* Each crate has a manifest of [package] and more, and these files. */
static void
test_targets(void)
{
	static const char none[] = "the crate has no target", lost[] = "is not in the crate";
	static const struct {
		const char *more, *files[3], *reason;
	} cases[] = {
		{ "", { "src/lib.rs" }, NULL },
		{ "", { "src/main.rs" }, NULL },
		{ "", { "src/bin/x.rs" }, NULL },
		{ "", { "src/bin/x/main.rs" }, NULL },
		{ "", { "examples/x.rs" }, NULL },
		{ "", { "tests/x/main.rs" }, NULL },
		{ "", { "benches/x.rs" }, NULL },
		{ "", { NULL }, none },
		{ "build = 'build.rs'", { "build.rs" }, none },
		{ "", { "lib.rs", "src/other.rs" }, none },
		{ "", { "src/Lib.rs" }, none },
		{ "", { "src/bin/x/lib.rs" }, none },
		{ "", { "src/bin/x/y/main.rs" }, none },
		{ "", { "src/bin/x.txt", "src/bin/.rs", "tests/main" }, none },
		{ "autolib = false", { "src/lib.rs" }, none },
		{ "autobins = false", { "src/main.rs", "src/bin/x.rs" }, none },
		{ "autobins = false", { "src/main.rs", "src/lib.rs" }, NULL },
		{ "autotests = false\nautobenches = false\nautoexamples = false",
		    { "tests/x.rs", "benches/x.rs", "examples/x.rs" }, none },
		{ "[[bin]]\nname = 'x'\npath = 'x.rs'", { "x.rs" }, NULL },
		{ "[[example]]\nname = 'x'\npath = 'x.rs'", { "x.rs" }, NULL },
		{ "[lib]", { "src/lib.rs" }, NULL },
		{ "[lib]", { NULL }, lost },
		{ "[lib]", { "src/foo.rs" }, NULL },
		{ "[lib]\nname = 'a_b'", { "src/a_b.rs" }, NULL },
		{ "[lib]\nname = 'a_b'", { "src/foo.rs" }, lost },
		{ "edition = '2018'\n[lib]", { "src/foo.rs" }, lost },
		{ "[lib]\npath = 'a.rs'", { "src/lib.rs" }, lost },
		{ "[lib]\npath = 'a.rs'", { "a.rs" }, NULL },
		{ "[lib]\npath = './src//../a.rs'", { "a.rs" }, NULL },
		{ "[lib]\npath = 'src\\a.rs'", { "src/a.rs" }, NULL },
		{ "[lib]\npath = '../a.rs'", { "a.rs" }, lost },
		{ "[lib]\npath = 'src'", { "src/lib.rs" }, lost },
		{ "[lib]\npath = ''", { "src/lib.rs" }, lost },
		{ "[lib]\npath = 'a.rs'\n[[bin]]\nname = 'x'", { "src/main.rs" }, lost },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *toml = arena_printf(arena, PACKAGE "%s\n", cases[i].more);
		struct buf *tar = tar_new();
		struct verdict v;

		tarball_entry(tar, '0', FOLDER "/Cargo.toml", toml);
		for (size_t k = 0; k < 3 && cases[i].files[k] != NULL; k++)
			tarball_entry(tar, '0', arena_printf(arena, FOLDER "/%s", cases[i].files[k]), "");
		if (cases[i].reason != NULL)
			is_refused(tar, cases[i].reason, arena_printf(arena, "targets %zu", i));
		else
			is_accepted(tar, &v, arena_printf(arena, "targets %zu", i));
	}
}

static void
test_manifest(void)
{
	char *long_manifest = arena_alloc(arena, (1 << 20) + 2);
	struct verdict v;
	struct buf *tar = tar_new();

	is_refused(tar, "missing a `Cargo.toml` manifest file", "an empty archive");
	tar = tar_new();
	tarball_entry(tar, '0', FOLDER "/sub/Cargo.toml", MANIFEST);
	tarball_entry(tar, '5', FOLDER "/Cargo.toml", "");
	is_refused(tar, "missing a `Cargo.toml` manifest file", "none in the root");
	tar = tar_new();
	tarball_entry(tar, '0', FOLDER "/CARGO.TOML", MANIFEST);
	is_refused(tar, "`CARGO.TOML` was found, but must be named `Cargo.toml` with that exact casing",
	    "wrong case");
	tar = tar_new();
	tarball_entry(tar, '0', FOLDER "/Cargo.toml", MANIFEST);
	tarball_entry(tar, '0', FOLDER "/cargo.toml", MANIFEST);
	is_refused(tar, "more than one `Cargo.toml` manifest file; found `Cargo.toml`, `cargo.toml`",
	    "two");
	tar = tar_new();
	tarball_entry(tar, '0', FOLDER "/Cargo.toml", MANIFEST);
	tarball_entry(tar, '0', FOLDER "/Cargo.toml", MANIFEST);
	is_accepted(tar, &v, "the same twice");
	tar = tar_new();
	tarball_entry(tar, '0', FOLDER "/Cargo.toml", MANIFEST);
	tarball_entry(tar, '0', FOLDER "/Cargo.toml", MANIFEST "# \n");
	is_refused(tar, "Cargo.toml (the crate already has this path, with other bytes", "another one");
	tar = tar_new();
	tarball_entry(tar, '0', FOLDER "/Cargo.toml", "");
	is_refused(tar, "failed to parse `Cargo.toml`", "an empty one");
	tar = tar_new();
	tarball_entry(tar, '0', "foo-2.0.0/Cargo.toml", MANIFEST);
	is_refused(tar, "invalid path found: foo-2.0.0/Cargo.toml (but the manifest is that of "
	    "`foo-1.0.0`)", "that of another version");

	memset(long_manifest, '#', 1 << 20);
	memcpy(long_manifest, MANIFEST, strlen(MANIFEST));
	tar = tar_new();
	tarball_entry(tar, '0', FOLDER "/Cargo.toml", long_manifest);
	is_accepted(tar, &v, "1 MiB");
	long_manifest[1 << 20] = '#';
	tar = tar_new();
	tarball_entry(tar, '0', FOLDER "/Cargo.toml", long_manifest);
	is_refused(tar, "larger than 1048576 bytes", "one byte more");
}

static void
test_folder(void)
{
	struct inspect_limits limits = ample;
	struct buf *tar = tar_new();
	struct verdict v;
	struct slice crate;
	struct err err;

	tarball_entry(tar, '0', FOLDER "/Cargo.toml", MANIFEST);
	crate = crate_of(tar);
	limits.folder = FOLDER;
	is_int(inspect(crate, &limits, &v, &err), 0, "the folder that is wanted");
	limits.folder = "foo-1.0.1";
	is_int(inspect(crate, &limits, &v, &err), -1, "another one");
	is_str(err.pub, "invalid path found: " FOLDER "/Cargo.toml (it is not in the crate's folder)",
	    "says so");
}

static void
test_limits(void)
{
	struct inspect_limits limits = ample;
	struct buf *tar = tar_new();
	struct verdict v;
	struct slice crate;
	struct err err;

	tarball_entry(tar, '0', FOLDER "/Cargo.toml", MANIFEST);
	tarball_entry(tar, '0', FOLDER "/a", "");
	crate = crate_of(tar);
	limits.max_entries = 2;
	is_int(inspect(crate, &limits, &v, &err), 0, "as many entries as allowed");
	limits.max_entries = 1;
	is_int(inspect(crate, &limits, &v, &err), -1, "one more");
	is_str(err.pub, "uploaded tarball contains more than 1 entries; "
	    "an administrator can raise max_entries for the project", "says so");
	limits.max_entries = 2;
	limits.max_unpacked = tar->n + 1;
	is_int(inspect(crate, &limits, &v, &err), 0, "one byte less than the limit");
	limits.max_unpacked = tar->n;
	is_int(inspect(crate, &limits, &v, &err), -1, "at the limit");
	is_str(err.pub, arena_printf(arena, "uploaded tarball is malformed or too large when decompressed: "
	    "it has %zu bytes or more; an administrator can raise max_unpacked_size for the project", tar->n),
	    "says so");
}

/* What the readme of a crate is with this file in it, put before or after the manifest. */
static void
is_readme(const char *key, const char *file, const char *text, size_t n, bool first,
    const char *want, const char *name)
{
	const char *manifest = arena_printf(arena, "%sreadme = %s\n", MANIFEST, key);
	const char *path = arena_printf(arena, FOLDER "/%s", file);
	struct buf *tar = tar_new();
	struct verdict v;

	if (!first)
		tarball_entry(tar, '0', FOLDER "/Cargo.toml", manifest);
	tarball_header(tar, '0', path, n);
	tarball_data(tar, text, n);
	if (first)
		tarball_entry(tar, '0', FOLDER "/Cargo.toml", manifest);
	is_accepted(tar, &v, name);
	is_str(v.package.readme, want, "and its readme");
}

static void
test_readme(void)
{
	char *text = arena_alloc(arena, (1 << 20) + 2);

	is_readme("\"README.md\"", "README.md", "# foo", 5, false, "# foo", "after the manifest");
	is_readme("\"README.md\"", "README.md", "# foo", 5, true, "# foo", "before the manifest");
	is_readme("\"./docs/x.md\"", "docs/x.md", "x", 1, false, "x", "elsewhere");
	is_readme("\"README.md\"", "README.md", "", 0, false, "", "an empty one");
	is_readme("false", "README.md", "# foo", 5, true, NULL, "not wanted");
	is_readme("\"README.md\"", "README.txt", "# foo", 5, true, NULL, "another file");
	is_readme("\"README.md\"", "sub/README.md", "# foo", 5, true, NULL, "in another folder");
	is_readme("\"README.md\"", "README.md", "a\xff", 2, false, NULL, "not UTF-8");
	is_readme("\"README.md\"", "README.md", "a\0b", 3, false, NULL, "with a NUL");
	memset(text, 'a', (1 << 20) + 1);
	is_readme("\"README.md\"", "README.md", text, (1 << 20) + 1, false, NULL, "too long");
	text[1 << 20] = '\0';
	is_readme("\"README.md\"", "README.md", text, 1 << 20, false, text, "as long as may be");
}

int
main(void)
{
	struct verdict v;
	struct err err;

	arena = arena_new();
	test_sound();
	test_names();
	test_paths();
	test_twice();
	test_targets();
	test_manifest();
	test_folder();
	test_limits();
	test_readme();
	is_int(inspect(slice_of("", 0), &ample, &v, &err), -1, "an empty crate");
	ok(err.status == 400 && strstr(err.pub, "malformed") != NULL, "%s", err.pub);
	arena_free(arena);
	return tap_done();
}
