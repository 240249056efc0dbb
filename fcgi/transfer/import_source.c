#include "transfer/import_source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "crate/crate_name.h"
#include "crate/semver.h"
#include "store/package/crate.h"
#include "transfer/import_files.h"
#include "transfer/import_finding.h"

enum { LIST_MAX = 1 << 30 };

/* Names that differ only in spelling are one crate here, and must follow each other. */
static int
compare_names(const char *a, const char *b)
{
	int order = crate_name_compare(a, b);

	return order != 0 ? order : strcmp(a, b);
}

/* By crate; in it by precedence, and what is equal (build metadata) by the text. */
static int
compare_versions(const void *left, const void *right)
{
	const struct import_found *a = left, *b = right;
	int order = compare_names(a->name, b->name);

	if (order == 0)
		order = semver_compare(&a->semver, &b->semver);
	return order != 0 ? order : strcmp(a->version.version, b->version.version);
}

static int
compare_order(const void *left, const void *right)
{
	const struct import_found *a = left, *b = right;
	int order = compare_names(a->name, b->name);

	return order != 0 ? order : (a->order > b->order) - (a->order < b->order);
}

static int
compare_text(const void *left, const void *right)
{
	const struct import_version *const *a = left, *const *b = right;

	return strcmp((*a)->version, (*b)->version);
}

/* Makes find() work. */
static void
sort_by_text(struct arena *a, struct import_source *source)
{
	const struct import_version **next = arena_calloc(a, source->nversions, sizeof(struct import_version *));

	for (size_t i = 0; i < source->ncrates; i++) {
		struct import_crate *crate = &source->crates[i];

		crate->by_text = next;
		for (size_t k = 0; k < crate->nversions; k++)
			*next++ = &crate->versions[k];
		if (crate->nversions > 1)
			qsort(crate->by_text, crate->nversions, sizeof(struct import_version *), compare_text);
	}
}

/* The version of the crate with that text.  NULL: there is none. */
static const struct import_version *
find(const struct import_crate *crate, const char *version)
{
	const struct import_version wanted = { .version = version }, *key = &wanted, **found;

	if (crate->nversions == 0)
		return NULL;
	found = bsearch(&key, crate->by_text, crate->nversions, sizeof(struct import_version *), compare_text);
	return found == NULL ? NULL : *found;
}

static int
compare_crates(const void *left, const void *right)
{
	const struct import_crate *a = left, *b = right;

	return compare_names(a->name, b->name);
}

/* The crate of that name, in that spelling.  NULL: there is none. */
static const struct import_crate *
find_crate(const struct import_source *source, const char *name)
{
	const struct import_crate wanted = { .name = name };

	return source->ncrates == 0 ? NULL :
	    bsearch(&wanted, source->crates, source->ncrates, sizeof(wanted), compare_crates);
}

/* The file of that version.  NULL: there is none. */
static const char *
path_of(const struct import_source *files, const char *name, const char *version)
{
	const struct import_crate *crate = files == NULL ? NULL : find_crate(files, name);
	const struct import_version *found = crate == NULL ? NULL : find(crate, version);

	return found == NULL ? NULL : found->path;
}

/* Takes the file of the index that has the crate.  Of two, one may be old: nothing says which. */
static void
take_index(const struct import_finding *f, const struct import_found *found, struct import_crate *crate)
{
	if (found->wrong != NULL)
		crate->wrong = found->wrong;
	else if (found->index != NULL && crate->index != NULL)
		crate->wrong = arena_printf(f->arena, "the index has two files with the crate, %s and %s; remove the "
		    "wrong one", crate->index, found->index);
	if (found->index != NULL)
		crate->index = found->index;
}

/* Makes crates of versions that are sorted; `files` has their bytes, or is NULL. */
static void
gather(const struct import_finding *f, const struct import_source *files, struct import_source *source)
{
	struct import_version *versions = arena_calloc(f->arena, f->n, sizeof(*versions));
	struct import_crate *crate = NULL;

	*source = (struct import_source) { .crates = arena_calloc(f->arena, f->n, sizeof(*source->crates)),
		.files = files };
	for (size_t i = 0; i < f->n; i++) {
		if (crate == NULL || strcmp(crate->name, f->v[i].name) != 0) {
			crate = &source->crates[source->ncrates++];
			*crate = (struct import_crate) { .name = f->v[i].name,
				.versions = &versions[source->nversions] };
		}
		if (f->v[i].owners.n > 0)
			crate->owners = f->v[i].owners;
		take_index(f, &f->v[i], crate);
		if (f->v[i].version.version != NULL) {
			struct import_version *v = &versions[source->nversions++];

			*v = f->v[i].version;
			if (files != NULL)
				v->path = path_of(files, crate->name, v->version);
			crate->nversions++;
		}
	}
	sort_by_text(f->arena, source);
}

/*
 * Splits NAME-VERSION.crate: the last hyphen before the first dot ends the name, since a name has no dot,
 * and the first number of a version no hyphen.  False: the file is called otherwise.
 */
static bool
split(struct arena *a, const char *file, struct import_found *out)
{
	static const char end[] = ".crate";
	size_t n = strlen(file), name;
	struct err ignored = { 0 };

	if (n <= sizeof(end) - 1 || strcmp(file + n - (sizeof(end) - 1), end) != 0)
		return false;
	n -= sizeof(end) - 1;
	name = strcspn(file, ".");
	while (name > 0 && file[name] != '-')
		name--;
	if (name == 0 || name >= n)
		return false;
	out->name = arena_strndup(a, file, name);
	out->version.version = arena_strndup(a, file + name + 1, n - name - 1);
	return crate_name_check(slice_str(out->name), "crate", &ignored) == 0 &&
	    semver_parse(slice_str(out->version.version), &out->semver, &ignored) == 0;
}

static int
take_crate(void *arg, const char *path, const char *name, struct err *err)
{
	struct import_finding *f = arg;
	struct import_found found = { .order = 0 };

	(void)err;
	if (split(f->arena, name, &found)) {
		found.version.path = path;
		import_finding_add(f, &found);
	}
	return 0;
}

/*
 * Leaves one file of each version.  CARGO_HOME keeps the same crates in several directories, since some
 * releases of cargo have begun a new one.
 */
static int
drop_copies(struct import_finding *f, struct err *err)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n; i++) {
		const char *one = n > 0 ? f->v[n - 1].version.path : NULL, *other = f->v[i].version.path;
		bool same;

		if (one == NULL || compare_versions(&f->v[n - 1], &f->v[i]) != 0) {
			f->v[n++] = f->v[i];
			continue;
		}
		if (import_files_compare(one, other, &same, err) == -1)
			return -1;
		if (!same)
			return err_set(err, 400, "%s and %s are the same version with different bytes; remove the wrong one",
			    one, other);
	}
	f->n = n;
	return 0;
}

int
import_source_directory(struct arena *a, const char *path, struct import_source *source, struct err *err)
{
	struct import_finding f = { .arena = a };

	if (import_files_walk(a, path, take_crate, &f, err) == -1)
		return -1;
	if (f.n > 1)
		qsort(f.v, f.n, sizeof(*f.v), compare_versions);
	if (drop_copies(&f, err) == -1)
		return -1;
	gather(&f, NULL, source);
	return 0;
}

/*
 * Is this the path of the crate's file in an index, by cargo's index format?  Other files do not belong to
 * the index.
 */
static bool
has_index_path(struct arena *a, const char *path, const char *name)
{
	struct err ignored = { 0 };
	const char *place;
	size_t n = strlen(path), length;

	if (crate_name_check(slice_str(name), "crate", &ignored) == -1)
		return false;
	place = arena_printf(a, "/%s/%s", crate_name_folders(a, slice_str(name)), name);
	length = strlen(place);
	return n >= length && strcmp(path + n - length, place) == 0;
}

/* Adds the crate of a file, whose lines are read again when its turn comes: those of all are too many. */
static void
add_indexed(struct import_finding *f, const struct import_finding *lines, const char *path, const char *file)
{
	/* the name of the file has small letters, that of the crate can have capitals */
	bool belongs = crate_name_equal(slice_str(lines->v[0].name), slice_str(file));
	const char *name = belongs ? lines->v[0].name : file;
	struct import_found found = { .name = arena_strdup(f->arena, name), .index = path };

	for (size_t i = 0; i < lines->n && found.wrong == NULL; i++) {
		if (strcmp(lines->v[i].name, name) != 0)
			found.wrong = arena_printf(f->arena, "the index file %s has lines of the crate `%s`, not only of `%s`",
			    path, lines->v[i].name, name);
	}
	import_finding_add(f, &found);
}

/* Reads a file of the index, so that a wrong line ends the import before it begins. */
static int
check_index_file(struct import_finding *f, const char *path, const char *name, struct err *err)
{
	struct import_finding lines = { .arena = arena_new() };
	struct slice text;
	struct stat st;
	int rc = import_files_read(lines.arena, path, CRATE_INDEX_MAX, &text, err);

	if (rc == 0)
		rc = import_finding_take(&lines, text, path, err);
	else if (lstat(path, &st) == -1 && errno == ENOENT) {
		/* it has gone away meanwhile, as import_files_walk() says */
		err_clear(err);
		rc = 0;
	}
	if (rc == 0 && lines.n > 0)
		add_indexed(f, &lines, path, name);
	arena_free(lines.arena);
	return rc;
}

static int
take_index_file(void *arg, const char *path, const char *name, struct err *err)
{
	struct import_finding *f = arg;
	struct stat st;

	if (!has_index_path(f->arena, path, name))
		return 0;
	if (lstat(path, &st) == -1 || st.st_size <= CRATE_INDEX_MAX)
		return check_index_file(f, path, name, err);
	import_finding_add(f, &(struct import_found) { .name = arena_strdup(f->arena, name),
	    .wrong = arena_printf(f->arena, "the index file %s has %lld bytes, and %d is the most", path,
	        (long long)st.st_size, CRATE_INDEX_MAX) });
	return 0;
}

static bool
is_same_version(const struct import_found *a, const struct import_found *b)
{
	return a->version.version != NULL && b->version.version != NULL && strcmp(a->name, b->name) == 0 &&
	    strcmp(a->version.version, b->version.version) == 0;
}

static int
compare_lines(const void *left, const void *right)
{
	const struct import_found *a = left, *b = right;
	const char *u = a->version.version, *v = b->version.version;
	int order = strcmp(a->name, b->name);

	if (order == 0)
		order = strcmp(u != NULL ? u : "", v != NULL ? v : "");
	return order != 0 ? order : (a->order > b->order) - (a->order < b->order);
}

/*
 * Of several lines about one version, as after it was published again, the last one counts, as for cargo.
 * The others keep what they say about the crate.
 */
static void
drop_replaced(struct import_finding *f)
{
	if (f->n > 1)
		qsort(f->v, f->n, sizeof(*f->v), compare_lines);
	for (size_t i = 1; i < f->n; i++) {
		if (is_same_version(&f->v[i - 1], &f->v[i]))
			f->v[i - 1].version.version = NULL;
	}
}

static void
gather_lines(struct import_finding *f, const struct import_source *files, struct import_source *source)
{
	drop_replaced(f);
	if (f->n > 1)
		qsort(f->v, f->n, sizeof(*f->v), compare_order);
	gather(f, files, source);
}

int
import_source_index(struct arena *a, const char *path, const struct import_source *files,
    struct import_source *source, struct err *err)
{
	struct import_finding f = { .arena = a };

	if (import_files_walk(a, path, take_index_file, &f, err) == -1)
		return -1;
	gather_lines(&f, files, source);
	return 0;
}

int
import_source_list_parse(struct arena *a, struct slice lines, const char *what,
    const struct import_source *files, struct import_source *source, struct err *err)
{
	struct import_finding f = { .arena = a, .is_list = true };

	if (import_finding_take(&f, lines, what, err) == -1)
		return -1;
	gather_lines(&f, files, source);
	return 0;
}

int
import_source_list(struct arena *a, const char *path, const struct import_source *files,
    struct import_source *source, struct err *err)
{
	struct slice lines;

	return import_files_read_given(a, path, LIST_MAX, &lines, err) == -1 ? -1 :
	    import_source_list_parse(a, lines, path, files, source, err);
}

void
import_source_wanted(struct arena *a, const struct import_wanted *wanted, size_t n,
    struct import_source *source)
{
	struct import_finding f = { .arena = a };

	for (size_t i = 0; i < n; i++)
		import_finding_add(&f, &(struct import_found) { .name = wanted[i].name,
		    .version = { .version = wanted[i].version, .cksum = wanted[i].cksum } });
	gather_lines(&f, NULL, source);
}

/* Leaves the versions of crate->only, in the order of the source; those that it lacks follow. */
static void
select_versions(struct arena *a, struct import_crate *crate)
{
	const struct import_crate *only = crate->only;
	struct import_version *left = arena_calloc(a, only->nversions, sizeof(*left));
	struct import_source source = { .crates = crate, .ncrates = 1 };

	for (size_t i = 0; i < crate->nversions; i++) {
		const struct import_version *wanted = find(only, crate->versions[i].version);

		if (wanted == NULL)
			continue;
		left[source.nversions] = crate->versions[i];
		left[source.nversions++].cksum = wanted->cksum;
	}
	for (size_t i = 0; i < only->nversions; i++) {
		if (find(crate, only->versions[i].version) == NULL)
			left[source.nversions++] = only->versions[i];
	}
	crate->versions = left;
	crate->nversions = source.nversions;
	sort_by_text(a, &source);
}

void
import_source_select(struct arena *a, struct import_source *source, const struct import_source *wanted)
{
	struct import_crate *crates = arena_calloc(a, wanted->ncrates, sizeof(*crates));

	for (size_t i = 0; i < wanted->ncrates; i++) {
		const struct import_crate *crate = find_crate(source, wanted->crates[i].name);

		crates[i] = crate != NULL ? *crate : (struct import_crate) { .name = wanted->crates[i].name };
		crates[i].only = &wanted->crates[i];
		if (!source->is_indexed_there && crates[i].index == NULL && crates[i].wrong == NULL)
			select_versions(a, &crates[i]);
	}
	source->crates = crates;
	source->ncrates = wanted->ncrates;
}

void
import_source_names(struct arena *a, const struct strings *names, struct import_source *source)
{
	struct import_finding f = { .arena = a };

	for (size_t i = 0; i < names->n; i++)
		import_finding_add(&f, &(struct import_found) { .name = names->v[i] });
	gather_lines(&f, NULL, source);
}

/* Adds what the list knows about the version to the version of the index. */
static void
add_listed(struct import_version *version, const struct import_crate *listed)
{
	const struct import_version *v = find(listed, version->version);

	if (v == NULL)
		return;
	version->downloads = v->downloads;
	version->published_at = v->published_at;
}

/* Takes what the lines say of a crate that has been listed. */
static void
adopt(struct import_crate *crate, const struct import_crate *lines, const struct import_crate *listed)
{
	crate->name = lines->name;
	if (strcmp(crate->name, listed->name) != 0)
		crate->alias = listed->name;
	crate->versions = lines->versions;
	crate->nversions = lines->nversions;
	crate->by_text = lines->by_text;
	for (size_t i = 0; i < crate->nversions; i++)
		add_listed(&crate->versions[i], listed);
}

int
import_source_lines(struct arena *a, struct slice lines, const char *what,
    const struct import_crate *listed, const struct import_source *files, struct import_crate *crate,
    struct err *err)
{
	struct import_finding f = { .arena = a };
	struct import_source source;

	*crate = (struct import_crate) { .name = listed->name, .owners = listed->owners, .only = listed->only };
	if (import_finding_take(&f, lines, what, err) == -1)
		return -1;
	gather_lines(&f, files, &source);
	if (source.ncrates > 1 || (source.ncrates == 1 &&
	        !crate_name_equal(slice_str(source.crates[0].name), slice_str(listed->name))))
		return err_set(err, 400, "%s has lines of the crate `%s`, not only of `%s`", what,
		    source.crates[source.ncrates - 1].name, listed->name);
	if (source.ncrates == 1)
		adopt(crate, &source.crates[0], listed);
	if (crate->only != NULL)
		select_versions(a, crate);
	return 0;
}
