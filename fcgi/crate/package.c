#include "crate/package.h"

#include <stdlib.h>
#include <string.h>

#include "crate/package_rules.h"

const char *const dep_kind_names[DEP__MAX] = {
	[DEP_NORMAL] = "normal",
	[DEP_BUILD] = "build",
	[DEP_DEV] = "dev",
};

/* "Not given" comes before any text. */
static int
text_compare(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		return (a != NULL) - (b != NULL);
	return strcmp(a, b);
}

static int
strings_compare(const struct strings *a, const struct strings *b)
{
	for (size_t i = 0; i < a->n && i < b->n; i++) {
		int order = strcmp(a->v[i], b->v[i]);

		if (order != 0)
			return order;
	}
	return (a->n > b->n) - (a->n < b->n);
}

static int
artifact_compare(const struct artifact *a, const struct artifact *b)
{
	int order = strings_compare(&a->kinds, &b->kinds);

	if (order == 0)
		order = text_compare(a->target, b->target);
	return order != 0 ? order : a->lib - b->lib;
}

int
dependency_order(const struct dependency *a, const char *a_req, const struct dependency *b,
    const char *b_req)
{
	int order = strcmp(dependency_local_name(a), dependency_local_name(b));

	if (order == 0)
		order = (int)a->kind - (int)b->kind;
	if (order == 0)
		order = strcmp(a_req, b_req);
	if (order == 0)
		order = a->optional - b->optional;
	if (order == 0)
		order = a->default_features - b->default_features;
	if (order == 0)
		order = text_compare(a->target, b->target);
	if (order == 0)
		order = strcmp(a->name, b->name);
	if (order == 0)
		order = strings_compare(&a->features, &b->features);
	if (order == 0)
		order = artifact_compare(&a->artifact, &b->artifact);
	return order != 0 ? order : text_compare(a->registry, b->registry);
}

static int
dependency_compare(const void *left, const void *right)
{
	const struct dependency *a = left, *b = right;

	return dependency_order(a, a->req, b, b->req);
}

static int
feature_compare(const void *a, const void *b)
{
	return strcmp(((const struct feature *)a)->name, ((const struct feature *)b)->name);
}

void
package_sort(struct package *pkg)
{
	if (pkg->ndeps > 1)
		qsort(pkg->deps, pkg->ndeps, sizeof(*pkg->deps), dependency_compare);
	if (pkg->nbuiltins > 1)
		qsort(pkg->builtins, pkg->nbuiltins, sizeof(*pkg->builtins), dependency_compare);
	if (pkg->nfeatures > 1)
		qsort(pkg->features, pkg->nfeatures, sizeof(*pkg->features), feature_compare);
}
