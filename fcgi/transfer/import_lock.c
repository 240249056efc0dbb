#include "transfer/import_lock.h"

#include <stdlib.h>
#include <string.h>

#include "access/naming.h"
#include "base/hex.h"
#include "crate/crate_name.h"
#include "crate/semver.h"
#include "crate/toml/toml.h"
#include "transfer/import_files.h"

/* The most keys and values of a lock file (toml.h).  A package has about twenty. */
enum { ITEMS_MAX = 4000000, SHA256_SIZE = 32 };

/* Reads one file. */
struct reading {
	struct arena *arena, *tree;
	const struct toml_value *metadata; /* NULL: the file has none */
	const char *what;
	const char *const *registries;
	struct import_lock *lock;
	struct import_wanted *wanted;
	size_t n;
	struct err *err;
};

/* A string of the package; *out empty: it has none.  -1: it must have one, or it is no string. */
static int
take_string(const struct reading *r, const struct toml_value *package, const char *key, bool must,
    struct slice *out)
{
	const struct toml_value *v = toml_get(package->u.table, key);

	*out = slice_str("");
	if (v == NULL && !must)
		return 0;
	if (v == NULL || v->type != TOML_STRING)
		return err_set(r->err, 400, "%s: line %u: `%s` of the package must be a string", r->what,
		    (unsigned)(v != NULL ? v->line : package->line), key);
	*out = v->u.string;
	return 0;
}

/* Lock files of version 1, as of cargo 1.40, have the checksums in a table of their own. */
static int
take_checksum(const struct reading *r, const struct toml_value *package, const struct import_wanted *wanted,
    const char *source, struct slice *out)
{
	const char *key = arena_printf(r->tree, "checksum %s %s (%s)", wanted->name, wanted->version, source);

	if (toml_get(package->u.table, "checksum") == NULL && r->metadata != NULL &&
	    r->metadata->type == TOML_TABLE)
		return take_string(r, r->metadata, key, false, out);
	return take_string(r, package, "checksum", false, out);
}

/* Takes name, version and checksum of a package of the registry. */
static int
take_wanted(struct reading *r, const struct toml_value *package, struct slice name, struct slice version,
    const char *source)
{
	struct import_wanted *wanted = &r->wanted[r->n];
	unsigned char sum[SHA256_SIZE];
	struct slice checksum;
	struct semver semver;
	struct err wrong = { 0 };

	if (crate_name_check(name, "crate", &wrong) == -1)
		return err_set(r->err, 400, "%s: line %u: %s", r->what, (unsigned)package->line, wrong.pub);
	if (semver_parse(version, &semver, &wrong) == -1)
		return err_set(r->err, 400, "%s: line %u: %s", r->what, (unsigned)package->line, wrong.pub);
	*wanted = (struct import_wanted) {
		.name = arena_slicedup(r->arena, name),
		.version = arena_slicedup(r->arena, version),
	};
	if (take_checksum(r, package, wanted, source, &checksum) == -1)
		return -1;
	if (checksum.n > 0 && !hex_decode(checksum, sum, sizeof(sum)))
		return err_set(r->err, 400, "%s: line %u: the checksum must have 64 hexadecimal digits", r->what,
		    (unsigned)package->line);
	if (checksum.n > 0) {
		char *text = arena_alloc(r->arena, 2 * SHA256_SIZE + 1);

		hex_encode(sum, sizeof(sum), text);
		wanted->cksum = text;
	}
	r->n++;
	return 0;
}

/* Counts a package that the import does not bring, whose name may be one that no registry takes. */
static int
take_elsewhere(struct reading *r, const struct toml_value *package, struct slice name)
{
	const char *text = arena_slicedup(r->arena, name);
	struct err wrong = { 0 };

	/* the warning shows it on a terminal */
	if (naming_check_text("the name of a package", text, &wrong) == -1)
		return err_set(r->err, 400, "%s: line %u: %s", r->what, (unsigned)package->line, wrong.pub);
	r->lock->elsewhere++;
	if (r->lock->example == NULL)
		r->lock->example = text;
	return 0;
}

static int
take_package(struct reading *r, const struct toml_value *package)
{
	struct slice name, version, source;
	const char *from;

	if (package->type != TOML_TABLE)
		return err_set(r->err, 400, "%s: line %u: `package` must be tables", r->what, (unsigned)package->line);
	if (take_string(r, package, "name", true, &name) == -1 ||
	    take_string(r, package, "version", true, &version) == -1 ||
	    take_string(r, package, "source", false, &source) == -1)
		return -1;
	if (source.n == 0)
		return 0;
	from = arena_slicedup(r->tree, source);
	if (import_registry_is_among(r->registries, from))
		return take_wanted(r, package, name, version, from);
	return take_elsewhere(r, package, name);
}

static int
compare_wanted(const void *left, const void *right)
{
	const struct import_wanted *a = left, *b = right;
	int order = strcmp(a->name, b->name);

	return order != 0 ? order : strcmp(a->version, b->version);
}

/*
 * A version can be there twice, from two URLs of the registry.  Then it has one checksum.  The last of the
 * two counts (import_source_wanted()), so it gets that checksum.
 */
static int
check_twice(const struct reading *r)
{
	qsort(r->wanted, r->n, sizeof(*r->wanted), compare_wanted);
	for (size_t i = 1; i < r->n; i++) {
		struct import_wanted *one = &r->wanted[i - 1], *other = &r->wanted[i];

		if (compare_wanted(one, other) != 0)
			continue;
		if (one->cksum != NULL && other->cksum != NULL && strcmp(one->cksum, other->cksum) != 0)
			return err_set(r->err, 400, "%s has the crate `%s` %s twice, with the checksums %s and %s: remove the "
			    "wrong one, or let cargo make the file anew", r->what, one->name, one->version, one->cksum,
			    other->cksum);
		if (other->cksum == NULL)
			other->cksum = one->cksum;
	}
	return 0;
}

static int
refuse_empty(const struct reading *r)
{
	const char *example = r->lock->example;

	if (example == NULL)
		return err_set(r->err, 400, "%s has no package of a registry", r->what);
	if (r->registries[0] == NULL)
		return err_set(r->err, 400, "%s: nothing says which of its packages come from the registry that you "
		    "import from: set mirror_url of the project or, where the command has it, give --registry-url URL "
		    "with the `source` of one, such as `%s`", r->what, example);
	return err_set(r->err, 400, "%s has no package of the registry that you import from, %s; `%s`, for example, "
	    "comes from elsewhere: compare its `source` with the URL that you import from, and with mirror_url of "
	    "the project", r->what, r->registries[0], example);
}

static int
take_packages(struct reading *r, const struct toml_table *root)
{
	const struct toml_value *packages = toml_get(root, "package");
	size_t n;

	if (packages == NULL || packages->type != TOML_ARRAY)
		return err_set(r->err, 400, "%s has no [[package]]: give a Cargo.lock", r->what);
	r->metadata = toml_get(root, "metadata");
	n = toml_array_size(packages->u.array);
	r->wanted = arena_calloc(r->arena, n, sizeof(*r->wanted));
	for (size_t i = 0; i < n; i++) {
		if (take_package(r, toml_array_at(packages->u.array, i)) == -1)
			return -1;
	}
	return r->n > 0 ? check_twice(r) : refuse_empty(r);
}

int
import_lock_parse(struct arena *a, struct slice text, const char *what,
    const char *const registries[IMPORT_REGISTRIES_MAX], struct import_lock *lock, struct err *err)
{
	struct arena *tree = arena_new();
	struct reading r = { .arena = a, .tree = tree, .what = what, .registries = registries, .lock = lock,
		.err = err };
	struct toml_table *root;
	struct err wrong = { 0 };
	int rc;

	*lock = (struct import_lock) { .elsewhere = 0 };
	if (toml_parse_large(tree, text, ITEMS_MAX, &root, &wrong) == -1)
		rc = err_set(err, 400, "%s: %s", what, wrong.pub);
	else
		rc = take_packages(&r, root);
	if (rc == 0)
		import_source_wanted(a, r.wanted, r.n, &lock->wanted);
	arena_free(tree);
	return rc;
}

int
import_lock_read(struct arena *a, const char *path, const char *const registries[IMPORT_REGISTRIES_MAX],
    struct import_lock *lock, struct err *err)
{
	struct slice text;

	return import_files_read_given(a, path, IMPORT_LOCK_MAX, &text, err) == -1 ? -1 :
	    import_lock_parse(a, text, path, registries, lock, err);
}
