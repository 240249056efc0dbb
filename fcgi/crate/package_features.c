#include "crate/package_rules.h"

#include <stdlib.h>
#include <string.h>

#include "base/excerpt.h"
#include "crate/feature.h"

/*
 * A client checks the features of every version in the index, and silently
 * ignores a version that fails (cargo, build_feature_map).  The same rules here,
 * so that such a version is refused with a reason.
 */

static int
check_value(struct slice text, struct err *err)
{
	struct feature_value v = feature_value_parse(text);

	if (v.kind == FEATURE_OF_DEP && slice_has_prefix(v.name, "dep:"))
		return err_set(err, 400, "feature value `%.*s` has both `dep:` and `/`",
		    excerpt(text), text.p);
	if (v.kind == FEATURE_OF_DEP && feature_name_check(v.feature, err) == -1)
		return -1;
	/* what is before the slash or after `dep:` must be a dependency, whose name is checked */
	return v.kind == FEATURE_NAME ? feature_name_check(v.name, err) : 0;
}

int
package_check_features(const struct package *pkg, const struct package_limits *limits,
    struct err *err)
{
	if (pkg->nfeatures > limits->max_features)
		return err_set(err, 400,
		    "a crate can have at most %zu features, but this one declares %zu"
		    LIMIT_RAISE("max_features"),
		    limits->max_features, pkg->nfeatures);
	for (size_t i = 0; i < pkg->nfeatures; i++) {
		const struct feature *f = &pkg->features[i];

		if (feature_name_check(slice_str(f->name), err) == -1)
			return -1;
		if (f->values.n > limits->max_features)
			return err_set(err, 400,
			    "a feature can enable at most %zu features or dependencies, but `%.*s` "
			    "enables %zu" LIMIT_RAISE("max_features"),
			    limits->max_features, excerpt(slice_str(f->name)), f->name,
			    f->values.n);
		for (size_t k = 0; k < f->values.n; k++) {
			if (check_value(slice_str(f->values.v[k]), err) == -1)
				return -1;
		}
	}
	return 0;
}

/* What is known of one name: a feature, a dependency, or both. */
struct subject {
	const char *name;
	bool feature;
	bool dependency;
	bool optional; /* at least one dependency of that name is */
	bool explicit; /* named by a `dep:`: has no implicit feature */
	bool enabled; /* named by a `dep:` or a `/` */
};

struct subjects {
	struct subject *v; /* sorted by name, each once */
	size_t n;
};

static int
subject_compare(const void *a, const void *b)
{
	return strcmp(((const struct subject *)a)->name, ((const struct subject *)b)->name);
}

static struct subject *
subject_find(const struct subjects *s, struct slice name)
{
	for (size_t low = 0, high = s->n; low < high;) {
		size_t middle = low + (high - low) / 2;
		int order = strncmp(name.p, s->v[middle].name, name.n);

		/* equal so far: the name in the table may be longer */
		if (order == 0 && s->v[middle].name[name.n] == '\0')
			return &s->v[middle];
		if (order > 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static void
subjects_add(struct subjects *s, const struct dependency *deps, size_t n)
{
	for (size_t i = 0; i < n; i++)
		s->v[s->n++] = (struct subject) {
			.name = dependency_local_name(&deps[i]),
			.dependency = true,
			.optional = deps[i].optional,
		};
}

static struct subjects
subjects_collect(struct arena *a, const struct package *pkg)
{
	struct subjects s = { arena_calloc(a, pkg->ndeps + pkg->nbuiltins + pkg->nfeatures,
	    sizeof(*s.v)), 0 };
	size_t kept = 0;

	for (size_t i = 0; i < pkg->nfeatures; i++)
		s.v[s.n++] = (struct subject) { .name = pkg->features[i].name, .feature = true };
	subjects_add(&s, pkg->deps, pkg->ndeps);
	subjects_add(&s, pkg->builtins, pkg->nbuiltins);
	if (s.n > 1)
		qsort(s.v, s.n, sizeof(*s.v), subject_compare);
	for (size_t i = 0; i < s.n; i++) {
		if (kept > 0 && strcmp(s.v[kept - 1].name, s.v[i].name) == 0) {
			s.v[kept - 1].feature |= s.v[i].feature;
			s.v[kept - 1].dependency |= s.v[i].dependency;
			s.v[kept - 1].optional |= s.v[i].optional;
		} else {
			s.v[kept++] = s.v[i];
		}
	}
	s.n = kept;
	return s;
}

static void
note_value(const struct subjects *s, const char *text)
{
	struct feature_value v = feature_value_parse(slice_str(text));
	struct subject *subject = v.kind != FEATURE_NAME ? subject_find(s, v.name) : NULL;

	if (subject == NULL)
		return;
	subject->enabled = true;
	subject->explicit |= v.kind == FEATURE_DEP;
}

/* NULL, or what is wrong with what the value names. */
static const char *
value_fault(const struct subjects *s, const struct feature_value *v)
{
	const struct subject *subject = subject_find(s, v->name);

	if (v->kind == FEATURE_NAME) {
		if (subject != NULL && subject->feature)
			return NULL;
		if (subject == NULL)
			return "is neither a dependency nor another feature";
		if (!subject->optional)
			return "is not an optional dependency";
		return subject->explicit ? "is an optional dependency without an implicit feature "
					   "(use `dep:`)" : NULL;
	}
	if (subject == NULL || !subject->dependency)
		return "is not a dependency";
	if ((v->kind == FEATURE_DEP || v->weak) && !subject->optional)
		return "is not an optional dependency";
	return NULL;
}

static int
check_reference(const struct subjects *s, const char *feature, const char *value, struct err *err)
{
	struct feature_value v = feature_value_parse(slice_str(value));
	const char *fault = value_fault(s, &v);

	/* longer ways round are no trouble to a resolver */
	if (fault == NULL && strcmp(feature, value) == 0)
		return err_set(err, 400, "feature `%.*s` includes itself",
		    excerpt(slice_str(feature)), feature);
	if (fault == NULL)
		return 0;
	return err_set(err, 400, "feature `%.*s` includes `%.*s`, but `%.*s` %s",
	    excerpt(slice_str(feature)), feature, excerpt(slice_str(value)), value,
	    excerpt(v.name), v.name.p, fault);
}

int
package_check_references(struct arena *a, const struct package *pkg, struct err *err)
{
	struct subjects s = subjects_collect(a, pkg);

	for (size_t i = 0; i < pkg->nfeatures; i++) {
		for (size_t k = 0; k < pkg->features[i].values.n; k++)
			note_value(&s, pkg->features[i].values.v[k]);
	}
	for (size_t i = 0; i < pkg->nfeatures; i++) {
		const struct feature *f = &pkg->features[i];

		for (size_t k = 0; k < f->values.n; k++) {
			if (check_reference(&s, f->name, f->values.v[k], err) == -1)
				return -1;
		}
	}
	for (size_t i = 0; i < s.n; i++) {
		/* a feature of its name takes the place of the implicit one */
		if (s.v[i].optional && s.v[i].feature && !s.v[i].enabled)
			return err_set(err, 400,
			    "optional dependency `%s` is not included in any feature", s.v[i].name);
	}
	return 0;
}
