#include "crate/manifest/manifest.h"

#include <string.h>

#include "crate/manifest/manifest_reader.h"
#include "crate/registry_url.h"

/* Where dependencies of each kind stand, in the root and in each target. */
static const struct {
	const char *key;
	const char *old_key; /* read where `key` is not there, as cargo does */
	enum dep_kind kind;
} tables[] = {
	{ "dependencies", NULL, DEP_NORMAL },
	{ "build-dependencies", "build_dependencies", DEP_BUILD },
	{ "dev-dependencies", "dev_dependencies", DEP_DEV },
};

enum { NTABLES = sizeof(tables) / sizeof(*tables) };

/* Edition 2024 took back the keys with an underscore: cargo fails where it meets one. */
static int
refuse_old_key(const struct section *s, const char *key)
{
	const char *edition = s->m->package->edition;

	if (key == NULL || edition == NULL || strcmp(edition, "2024") != 0 ||
	    toml_get(s->table, key) == NULL)
		return 0;
	return manifest_fail(s->m, "`%s` is not a key of edition 2024", manifest_name(s, key));
}

static int
read_default_features(const struct section *s, bool *out)
{
	bool old = toml_get(s->table, "default-features") == NULL;

	*out = true;
	if (refuse_old_key(s, "default_features") == -1)
		return -1;
	return manifest_bool(s, old ? "default_features" : "default-features", out);
}

/*
 * `lib` and `target` say nothing without `artifact`: cargo refuses them there, and once let them pass.  Only
 * a nightly cargo takes an empty list.  Without `lib` such a dependency is of no use, and with it is what it
 * would be without the list.
 */
static int
read_artifact(const struct section *s, struct artifact *artifact)
{
	const struct toml_value *v = toml_get(s->table, "artifact");

	if (v == NULL)
		return 0;
	if (v->type == TOML_STRING) {
		artifact->kinds = (struct strings) { arena_calloc(s->m->arena, 1, sizeof(char *)), 1 };
		if (manifest_text(s, "artifact", true, &artifact->kinds.v[0]) == -1)
			return -1;
	} else if (v->type != TOML_ARRAY) {
		return manifest_fail_type(s, "artifact", v, "a string or an array of strings");
	} else if (manifest_strings(s, "artifact", &artifact->kinds) == -1) {
		return -1;
	} else if (artifact->kinds.n == 0) {
		return manifest_fail(s->m, "`%s` is empty; name an artifact, such as `bin`, or remove it",
		    manifest_name(s, "artifact"));
	}
	return manifest_text(s, "target", false, &artifact->target) == -1
	    ? -1
	    : manifest_bool(s, "lib", &artifact->lib);
}

/*
 * `path` and `git` say where the author had the package; whoever depends on the
 * crate gets it from the registry.
 */
static int
read_details(const struct section *s, struct dependency *d)
{
	const char *package = NULL;

	if (toml_get(s->table, "registry") != NULL)
		return manifest_fail(s->m,
		    "`%s` is a name on the machine that packaged the crate; cargo writes "
		    "`registry-index`",
		    manifest_name(s, "registry"));
	if (manifest_text(s, "version", false, &d->req) == -1 ||
	    manifest_text(s, "package", false, &package) == -1 ||
	    manifest_text(s, "registry-index", false, &d->registry) == -1 ||
	    manifest_bool(s, "optional", &d->optional) == -1 ||
	    read_default_features(s, &d->default_features) == -1 ||
	    read_artifact(s, &d->artifact) == -1)
		return -1;
	if (package != NULL) {
		d->alias = d->name;
		d->name = package;
	}
	return manifest_strings(s, "features", &d->features);
}

/* One on the toolchain (RFC 3875): nothing says where else it might come from. */
static int
read_builtin(const struct section *s, struct dependency *d)
{
	static const char *const others[] = { "version", "path", "git", "registry", "registry-index",
		"package", "artifact" };
	bool builtin = false;

	if (manifest_bool(s, "builtin", &builtin) == -1)
		return -1;
	if (!builtin)
		return manifest_fail(s->m, "`%s` can only be true", manifest_name(s, "builtin"));
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		if (toml_get(s->table, others[i]) != NULL)
			return manifest_fail(s->m, "a builtin dependency cannot have `%s`",
			    manifest_name(s, others[i]));
	}
	d->registry = NULL;
	if (manifest_bool(s, "optional", &d->optional) == -1 ||
	    read_default_features(s, &d->default_features) == -1)
		return -1;
	return manifest_strings(s, "features", &d->features);
}

/* *builtin: it is one on the toolchain. */
static int
read_dependency(const struct section *deps, const struct toml_member *member, struct dependency *d,
    bool *builtin)
{
	const struct manifest *m = deps->m;
	const struct toml_value *v = member->value;
	struct section s;

	*d = (struct dependency) {
		.req = "*",
		.registry = REGISTRY_PUBLIC_URL,
		.default_features = true,
	};
	*builtin = false;
	if (manifest_key(m, member, &d->name) == -1 || manifest_refuse_inherited(m, v) == -1)
		return -1;
	if (v->type == TOML_STRING)
		return manifest_text(deps, d->name, false, &d->req);
	if (manifest_as_section(deps, d->name, v, &s) == -1)
		return -1;
	*builtin = toml_get(s.table, "builtin") != NULL;
	return *builtin ? read_builtin(&s, d) : read_details(&s, d);
}

/* The table of one kind of dependencies; out->table is NULL where there is none. */
static int
find_table(const struct section *s, size_t i, struct section *out)
{
	bool old = toml_get(s->table, tables[i].key) == NULL && tables[i].old_key != NULL;

	if (refuse_old_key(s, tables[i].old_key) == -1)
		return -1;
	return manifest_section(s, old ? tables[i].old_key : tables[i].key, out);
}

/* Adds the dependencies that stand in the root or in one target. */
static int
read_tables(const struct section *s, const char *target)
{
	struct package *pkg = s->m->package;

	for (size_t i = 0; i < NTABLES; i++) {
		struct section deps;

		if (find_table(s, i, &deps) == -1)
			return -1;
		for (size_t k = 0; deps.table != NULL && k < toml_table_size(deps.table); k++) {
			struct dependency d;
			bool builtin;

			if (read_dependency(&deps, toml_table_at(deps.table, k), &d, &builtin) == -1)
				return -1;
			d.kind = tables[i].kind;
			d.target = target;
			if (builtin) {
				*--pkg->builtins = d;
				pkg->nbuiltins++;
			} else {
				pkg->deps[pkg->ndeps++] = d;
			}
		}
	}
	return 0;
}

static int
count_tables(const struct section *s, size_t *n)
{
	for (size_t i = 0; i < NTABLES; i++) {
		struct section deps;

		if (find_table(s, i, &deps) == -1)
			return -1;
		*n += deps.table != NULL ? toml_table_size(deps.table) : 0;
	}
	return 0;
}

/* The root, then each [target.NAME]: 0 is the root. */
static int
section_at(const struct section *root, const struct section *targets, size_t i, struct section *out,
    const char **target)
{
	const struct toml_member *member;

	*target = NULL;
	*out = *root;
	if (i == 0)
		return 0;
	member = toml_table_at(targets->table, i - 1);
	if (manifest_key(root->m, member, target) == -1)
		return -1;
	return manifest_as_section(targets, *target, member->value, out);
}

int
manifest_read_dependencies(const struct manifest *m)
{
	const struct section root = { .m = m, .table = m->root };
	struct section targets, section;
	const char *target;
	size_t nsections, n = 0;

	if (manifest_section(&root, "target", &targets) == -1)
		return -1;
	nsections = 1 + (targets.table != NULL ? toml_table_size(targets.table) : 0);
	for (size_t i = 0; i < nsections; i++) {
		if (section_at(&root, &targets, i, &section, &target) == -1 ||
		    count_tables(&section, &n) == -1)
			return -1;
	}
	m->package->deps = arena_calloc(m->arena, n, sizeof(*m->package->deps));
	/* one array for both, from its two ends */
	m->package->builtins = m->package->deps + n;
	for (size_t i = 0; i < nsections; i++) {
		if (section_at(&root, &targets, i, &section, &target) == -1 ||
		    read_tables(&section, target) == -1)
			return -1;
	}
	return 0;
}
