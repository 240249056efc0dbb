#include "crate/manifest/manifest.h"

#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/excerpt.h"
#include "crate/manifest/manifest_reader.h"

enum {
	TARGETS_MAX = 1000, /* of one kind */
	TARGET_NAME_MAX = 64
};

/* A member of struct package and its key in [package]. */
struct field {
	const char *key;
	size_t offset;
	bool required;
};

static const struct field texts[] = {
	{ "name", offsetof(struct package, name), true },
	{ "version", offsetof(struct package, version), true },
	{ "edition", offsetof(struct package, edition), false },
	{ "rust-version", offsetof(struct package, rust_version), false },
	{ "links", offsetof(struct package, links), false },
	{ "description", offsetof(struct package, description), false },
	{ "license", offsetof(struct package, license), false },
	{ "license-file", offsetof(struct package, license_file), false },
	{ "homepage", offsetof(struct package, homepage), false },
	{ "documentation", offsetof(struct package, documentation), false },
	{ "repository", offsetof(struct package, repository), false },
};

static const struct field lists[] = {
	{ "authors", offsetof(struct package, authors), false },
	{ "keywords", offsetof(struct package, keywords), false },
	{ "categories", offsetof(struct package, categories), false },
};

/* The 70 of 1.70; as great as can be where there is nothing to compare. */
static unsigned long
rust_minor(const char *version)
{
	if (version != NULL && version[0] == '0')
		return 0;
	if (version == NULL || version[0] != '1' || (version[1] != '.' && version[1] != '\0'))
		return ULONG_MAX;
	return version[1] == '.' ? strtoul(version + 2, NULL, 10) : 0;
}

static int
check_edition(const struct manifest *m)
{
	/* `minor`: of the first 1.x that knows the edition; cargo takes no `rust-version` below it */
	static const struct {
		const char *name;
		unsigned long minor;
	} editions[] = { { "2015", 0 }, { "2018", 31 }, { "2021", 56 }, { "2024", 85 } };
	const char *edition = m->package->edition;

	for (size_t i = 0; i < sizeof(editions) / sizeof(*editions); i++) {
		if (edition == NULL)
			return 0;
		if (strcmp(edition, editions[i].name) != 0)
			continue;
		if (rust_minor(m->package->rust_version) < editions[i].minor)
			return manifest_fail(m,
			    "`rust-version` is older than 1.%lu, the first version with edition %s",
			    editions[i].minor, edition);
		return 0;
	}
	return manifest_fail(m, "unknown edition `%.*s`: expected 2015, 2018, 2021 or 2024",
	    excerpt(slice_str(edition)), edition);
}

/* The name of a file; false: none; true: the usual one. */
static int
read_readme(const struct section *s)
{
	const struct toml_value *v = toml_get(s->table, "readme");

	if (v == NULL || v->type != TOML_BOOLEAN)
		return manifest_text(s, "readme", false, &s->m->package->readme_file);
	if (v->u.boolean)
		s->m->package->readme_file = "README.md";
	return 0;
}

/* [package.metadata] is for other tools and may say anything. */
static int
refuse_inherited_members(const struct section *s)
{
	for (size_t i = 0; i < toml_table_size(s->table); i++) {
		const struct toml_member *member = toml_table_at(s->table, i);

		if (!slice_is(member->key, "metadata") &&
		    manifest_refuse_inherited(s->m, member->value) == -1)
			return -1;
	}
	return 0;
}

/* `autobins = false` and the like. */
static int
read_discovery(const struct section *s)
{
	static const char *const keys[TARGET__MAX] = { [TARGET_LIB] = "autolib", [TARGET_BIN] = "autobins",
		[TARGET_EXAMPLE] = "autoexamples", [TARGET_TEST] = "autotests",
		[TARGET_BENCH] = "autobenches" };

	for (int kind = 0; kind < TARGET__MAX; kind++) {
		bool discover = true;

		if (manifest_bool(s, keys[kind], &discover) == -1)
			return -1;
		s->m->package->targets.manual[kind] = !discover;
	}
	return 0;
}

static int
read_package(const struct manifest *m, const struct section *root)
{
	const char *key = toml_get(m->root, "package") != NULL ? "package" : "project";
	struct package *pkg = m->package;
	struct section s;

	if (manifest_section(root, key, &s) == -1)
		return -1;
	if (s.table == NULL)
		return manifest_fail(m, "missing field `package`");
	if (refuse_inherited_members(&s) == -1 || manifest_check_package_keys(&s) == -1 ||
	    read_discovery(&s) == -1)
		return -1;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		const char **text = (void *)((char *)pkg + texts[i].offset);

		if (manifest_text(&s, texts[i].key, texts[i].required, text) == -1)
			return -1;
	}
	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
		struct strings *list = (void *)((char *)pkg + lists[i].offset);

		if (manifest_strings(&s, lists[i].key, list) == -1)
			return -1;
	}
	if (read_readme(&s) == -1)
		return -1;
	return check_edition(m);
}

/* What a feature enables: a list, or a table that says more of the feature (RFC 3416). */
static int
read_feature(const struct section *features, struct feature *f)
{
	const struct toml_value *v = toml_get(features->table, f->name);
	const char *doc = NULL;
	struct section s;

	if (v->type != TOML_TABLE)
		return manifest_strings(features, f->name, &f->values);
	if (manifest_as_section(features, f->name, v, &s) == -1 ||
	    manifest_text(&s, "doc", false, &doc) == -1)
		return -1;
	return manifest_strings(&s, "enables", &f->values);
}

static int
read_features(const struct manifest *m, const struct section *root)
{
	struct package *pkg = m->package;
	struct section s;
	size_t n;

	if (manifest_section(root, "features", &s) == -1)
		return -1;
	n = s.table != NULL ? toml_table_size(s.table) : 0;
	pkg->features = arena_calloc(m->arena, n, sizeof(*pkg->features));
	for (pkg->nfeatures = 0; pkg->nfeatures < n; pkg->nfeatures++) {
		struct feature *f = &pkg->features[pkg->nfeatures];

		if (manifest_key(m, toml_table_at(s.table, pkg->nfeatures), &f->name) == -1 ||
		    read_feature(&s, f) == -1)
			return -1;
	}
	return 0;
}

/* The name of a target, which becomes a file's; lists of versions hold those of all binaries. */
static int
read_target_name(const struct section *target, const char **name)
{
	if (manifest_text(target, "name", true, name) == -1)
		return -1;
	if (strlen(*name) > TARGET_NAME_MAX)
		return manifest_fail(target->m, "the name of a target has %zu bytes, and at most %d are allowed: `%.*s`",
		    strlen(*name), TARGET_NAME_MAX, excerpt(slice_str(*name)), *name);
	return 0;
}

/* The targets of one kind, and the names of all where `names` is given. */
static int
read_target_list(const struct section *root, const char *key, struct strings *names)
{
	const struct manifest *m = root->m;
	const struct toml_value *list = toml_get(m->root, key);
	size_t n;

	if (list == NULL)
		return 0;
	if (list->type != TOML_ARRAY)
		return manifest_fail_type(root, key, list, "an array of tables");
	n = toml_array_size(list->u.array);
	if (n > TARGETS_MAX)
		return manifest_fail(m, "`[[%s]]` appears %zu times; at most %d are allowed", key, n,
		    TARGETS_MAX);
	m->package->targets.declared |= n > 0;
	if (names != NULL)
		names->v = arena_calloc(m->arena, n, sizeof(*names->v));
	for (size_t i = 0; i < n; i++) {
		struct section s;

		if (manifest_as_section(root, key, toml_array_at(list->u.array, i), &s) == -1 ||
		    manifest_check_target_keys(&s) == -1)
			return -1;
		if (names != NULL && read_target_name(&s, &names->v[names->n++]) == -1)
			return -1;
	}
	return 0;
}

/* [lib], [[bin]] and the others: cargo since 1.80 lists every one of them when it packages. */
static int
read_targets(const struct manifest *m, const struct section *root)
{
	struct package *pkg = m->package;
	struct section lib;

	if (manifest_section(root, "lib", &lib) == -1)
		return -1;
	pkg->has_lib = lib.table != NULL;
	if (pkg->has_lib && (manifest_check_target_keys(&lib) == -1 ||
	    manifest_text(&lib, "path", false, &pkg->targets.lib_path) == -1 ||
	    manifest_text(&lib, "name", false, &pkg->targets.lib_name) == -1))
		return -1;
	if (read_target_list(root, "bin", &pkg->bins) == -1 ||
	    read_target_list(root, "example", NULL) == -1 || read_target_list(root, "test", NULL) == -1)
		return -1;
	return read_target_list(root, "bench", NULL);
}

/* What makes sense in a workspace only. */
static int
check_root(const struct manifest *m, const struct section *root)
{
	const struct toml_value *lints = toml_get(m->root, "lints");
	struct section patch;

	if (manifest_section(root, "patch", &patch) == -1)
		return -1;
	if (patch.table != NULL && toml_table_size(patch.table) > 0)
		return manifest_fail(m, "crates cannot be published with `[patch]` tables");
	return lints != NULL ? manifest_refuse_inherited(m, lints) : 0;
}

static int
read_document(struct manifest *m, struct arena *tree, struct slice toml)
{
	struct section root = { .m = m };
	struct toml_table *table;
	struct err reason = { 0 };

	if (toml.n > MANIFEST_MAX)
		return manifest_fail(m, "it has %zu bytes, and at most %d are allowed", toml.n, MANIFEST_MAX);
	if (toml_parse(tree, toml, &table, &reason) == -1)
		return manifest_fail(m, "%s", reason.pub);
	m->root = root.table = table;
	if (read_package(m, &root) == -1 || read_features(m, &root) == -1 ||
	    check_root(m, &root) == -1 || manifest_read_dependencies(m) == -1)
		return -1;
	return read_targets(m, &root);
}

int
manifest_parse(struct arena *a, struct slice toml, struct package *out, struct err *err)
{
	struct manifest m = { .arena = a, .err = err, .package = out };
	/* the tree is many times as large as what is taken from it, and goes before that is used */
	struct arena *tree = arena_new();
	int rc;

	*out = (struct package) { 0 };
	rc = read_document(&m, tree, toml);
	arena_free(tree);
	return rc;
}
