#include "crate/package_rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/excerpt.h"
#include "crate/feature.h"
#include "crate/version_req.h"

/* Enough for "builtin dependency `NAME`: " around the longest name. */
enum { WHERE_SIZE = EXCERPT_MAX + 32 };

/* One thing that both sides say; NULL: not given. */
struct pair {
	const char *what, *metadata, *manifest;
};

/* A dependency and what its requirement means. */
struct meant {
	const struct dependency *d;
	const char *req;
};

static const char *
where(char out[WHERE_SIZE], const char *kind, const char *name)
{
	snprintf(out, WHERE_SIZE, "%s `%.*s`: ", kind, excerpt(slice_str(name)), name);
	return out;
}

/* `owner` is "" or tells what the pairs belong to. */
static int
agree_pairs(const char *owner, const struct pair *v, size_t n, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		const char *a = v[i].metadata != NULL ? v[i].metadata : "(none)";
		const char *b = v[i].manifest != NULL ? v[i].manifest : "(none)";

		/* a text "(none)" on one side only is still a difference */
		if ((v[i].metadata == NULL) == (v[i].manifest == NULL) && strcmp(a, b) == 0)
			continue;
		return err_set(err, 400, "%smetadata %s `%.*s` does not match manifest %s `%.*s`",
		    owner, v[i].what, excerpt(slice_str(a)), a, v[i].what, excerpt(slice_str(b)),
		    b);
	}
	return 0;
}

/* Something that one side has and the other lacks. */
static int
lacking(struct err *err, bool in_manifest, const char *kind, const char *name)
{
	return err_set(err, 400, "the %s has the %s `%.*s`, which the %s lacks",
	    in_manifest ? "manifest" : "metadata", kind, excerpt(slice_str(name)), name,
	    in_manifest ? "metadata" : "manifest");
}

static const char *
string_at(const struct strings *s, size_t i)
{
	return i < s->n ? s->v[i] : NULL;
}

/* Does the text come after the name, in byte order? */
static bool
slice_after(struct slice text, const char *name)
{
	return strncmp(text.p, name, text.n) > 0;
}

static const char *
yes_no(bool value)
{
	return value ? "true" : "false";
}

static int
agree_strings(const char *owner, const char *what, const struct strings *a, const struct strings *b,
    struct err *err)
{
	for (size_t i = 0; i < a->n || i < b->n; i++) {
		const struct pair p = { what, string_at(a, i), string_at(b, i) };

		if (agree_pairs(owner, &p, 1, err) == -1)
			return -1;
	}
	return 0;
}

static int
agree_artifact(const char *owner, const struct artifact *a, const struct artifact *b, struct err *err)
{
	const struct pair fields[] = {
		{ "artifact target", a->target, b->target },
		{ "lib", yes_no(a->lib), yes_no(b->lib) },
	};

	if (agree_strings(owner, "artifact", &a->kinds, &b->kinds, err) == -1)
		return -1;
	return a->kinds.n > 0 ? agree_pairs(owner, fields, sizeof(fields) / sizeof(*fields), err) : 0;
}

static int
agree_dependency(const char *kind, const struct meant *left, const struct meant *right,
    struct err *err)
{
	const struct dependency *a = left->d, *b = right->d;
	bool same_req = strcmp(left->req, right->req) == 0;
	char owner[WHERE_SIZE];
	const struct pair fields[] = {
		{ "kind", dep_kind_names[a->kind], dep_kind_names[b->kind] },
		{ "requirement", same_req ? b->req : a->req, b->req },
		{ "optional", yes_no(a->optional), yes_no(b->optional) },
		{ "default-features", yes_no(a->default_features), yes_no(b->default_features) },
		{ "target", a->target, b->target },
		{ "package", a->name, b->name },
		{ "registry", a->registry, b->registry },
	};

	where(owner, kind, dependency_local_name(a));
	if (a->registry == NULL && b->registry != NULL)
		return err_set(err, 400,
		    "%sthe metadata names no registry, which means this one, but the manifest names "
		    "another; send \"registry\": \"%.*s\" with that dependency",
		    owner, excerpt(slice_str(b->registry)), b->registry);
	if (agree_pairs(owner, fields, sizeof(fields) / sizeof(*fields), err) == -1 ||
	    agree_strings(owner, "feature", &a->features, &b->features, err) == -1)
		return -1;
	return agree_artifact(owner, &a->artifact, &b->artifact, err);
}

static int
compare_meant(const void *left, const void *right)
{
	const struct meant *a = left, *b = right;

	return dependency_order(a->d, a->req, b->d, b->req);
}

/* Dependencies of one sort. */
struct deps {
	const char *kind; /* in a sentence */
	const struct dependency *v;
	size_t n;
};

/* In an order that does not depend on how a requirement is spelled. */
static struct meant *
sort_meant(struct arena *a, const struct deps *deps)
{
	struct meant *v = arena_calloc(a, deps->n, sizeof(*v));

	for (size_t i = 0; i < deps->n; i++)
		v[i] = (struct meant) { &deps->v[i], version_req_meaning(a, deps->v[i].req) };
	if (deps->n > 1)
		qsort(v, deps->n, sizeof(*v), compare_meant);
	return v;
}

static int
agree_dependencies(struct arena *arena, const struct deps *a, const struct deps *b, struct err *err)
{
	const struct meant *va = sort_meant(arena, a), *vb = sort_meant(arena, b);
	const size_t both = a->n < b->n ? a->n : b->n;

	for (size_t i = 0; i < both; i++) {
		const char *x = dependency_local_name(va[i].d);
		const char *y = dependency_local_name(vb[i].d);
		int order = strcmp(x, y);

		/* both are sorted: the smaller name is the one that the other side lacks */
		if (order != 0)
			return lacking(err, order > 0, a->kind, order > 0 ? y : x);
		if (agree_dependency(a->kind, &va[i], &vb[i], err) == -1)
			return -1;
	}
	if (a->n > both)
		return lacking(err, false, a->kind, dependency_local_name(va[both].d));
	if (b->n > both)
		return lacking(err, true, a->kind, dependency_local_name(vb[both].d));
	return 0;
}

/* Does a feature's value name a dependency by its alias? */
static bool
names_renamed(const struct package *pkg, const char *value)
{
	struct feature_value v = feature_value_parse(slice_str(value));
	size_t low = 0;

	if (v.kind == FEATURE_NAME)
		return false;
	/* the first dependency that is not before the name: they are sorted by it */
	for (size_t high = pkg->ndeps; low < high;) {
		size_t middle = low + (high - low) / 2;

		if (slice_after(v.name, dependency_local_name(&pkg->deps[middle])))
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < pkg->ndeps; low++) {
		if (!slice_is(v.name, dependency_local_name(&pkg->deps[low])))
			return false;
		if (pkg->deps[low].alias != NULL)
			return true;
	}
	return false;
}

static int
agree_feature(const struct feature *a, const struct package *manifest, const struct feature *b,
    struct err *err)
{
	char owner[WHERE_SIZE];
	size_t i = 0;

	where(owner, "feature", b->name);
	for (size_t k = 0; k < b->values.n; k++) {
		const struct pair p = { "value", string_at(&a->values, i), b->values.v[k] };

		if (p.metadata != NULL && strcmp(p.metadata, p.manifest) == 0)
			i++;
		else if (!names_renamed(manifest, p.manifest))
			return agree_pairs(owner, &p, 1, err);
	}
	/* what is left was not in the manifest */
	return agree_pairs(owner, &(struct pair) { "value", string_at(&a->values, i), NULL }, 1,
	    err);
}

static int
agree_features(const struct package *a, const struct package *b, struct err *err)
{
	const size_t both = a->nfeatures < b->nfeatures ? a->nfeatures : b->nfeatures;

	for (size_t i = 0; i < both; i++) {
		const struct feature *x = &a->features[i], *y = &b->features[i];
		int order = strcmp(x->name, y->name);

		if (order != 0)
			return lacking(err, order > 0, "feature", order > 0 ? y->name : x->name);
		if (agree_feature(x, b, y, err) == -1)
			return -1;
	}
	if (a->nfeatures > both)
		return lacking(err, false, "feature", a->features[both].name);
	if (b->nfeatures > both)
		return lacking(err, true, "feature", b->features[both].name);
	return 0;
}

int
package_agree(struct arena *a, const struct package *metadata, const struct package *manifest,
    struct err *err)
{
	/* cargo sends the rust_version since 1.71 only */
	const char *rust_version = metadata->rust_version != NULL ? metadata->rust_version
								   : manifest->rust_version;
	const struct pair pairs[] = {
		{ "name", metadata->name, manifest->name },
		{ "version", metadata->version, manifest->version },
		{ "links", metadata->links, manifest->links },
		{ "rust_version", rust_version, manifest->rust_version },
	};

	if (agree_pairs("", pairs, sizeof(pairs) / sizeof(*pairs), err) == -1 ||
	    agree_features(metadata, manifest, err) == -1 ||
	    agree_dependencies(a,
	        &(struct deps) { "builtin dependency", metadata->builtins, metadata->nbuiltins },
	        &(struct deps) { "builtin dependency", manifest->builtins, manifest->nbuiltins }, err) == -1)
		return -1;
	return agree_dependencies(a, &(struct deps) { "dependency", metadata->deps, metadata->ndeps },
	    &(struct deps) { "dependency", manifest->deps, manifest->ndeps }, err);
}
