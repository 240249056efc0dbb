#include "crate/package_rules.h"

#include <stdlib.h>
#include <string.h>

#include "base/excerpt.h"
#include "base/url.h"
#include "base/words.h"
#include "crate/cfg_expr.h"
#include "crate/crate_name.h"
#include "crate/feature.h"
#include "crate/registry_url.h"
#include "crate/semver.h"
#include "crate/version_req.h"

/*
 * Both are copied with every dependency below them, and into the index.  The
 * URL of a registry also goes into every lock file.
 */
enum { REGISTRY_URL_MAX = 1024, TARGET_MAX = 1024 };

static int
show(const char *text)
{
	return excerpt(slice_str(text));
}

/* A `*` at the end stands for any rest, one before that for a part of the path. */
static bool
matches(struct slice pattern, struct slice url)
{
	const char *star = memchr(pattern.p, '*', pattern.n);
	size_t head = star == NULL ? pattern.n : (size_t)(star - pattern.p);
	size_t tail = star == NULL ? 0 : pattern.n - head - 1;

	if (star == NULL)
		return url.n == head && memcmp(url.p, pattern.p, head) == 0;
	if (url.n < head + tail || memcmp(url.p, pattern.p, head) != 0 ||
	    memcmp(url.p + url.n - tail, star + 1, tail) != 0)
		return false;
	for (size_t i = head; tail > 0 && i < url.n - tail; i++) {
		if (strchr("/?#", url.p[i]) != NULL)
			return false;
	}
	return tail == 0 || url.n > head + tail;
}

/* Is the URL one of the words of the list? */
static bool
listed(const char *list, const char *url)
{
	struct slice word;

	while (words_next(&list, &word)) {
		if (matches(word, slice_str(url)))
			return true;
	}
	return false;
}

/* The public registry is one, by whichever of its names the list has it. */
static bool
allowed(const char *list, const char *url)
{
	if (strcmp(url, REGISTRY_PUBLIC_URL) != 0)
		return listed(list, url);
	for (size_t i = 0; i < registry_npublic_urls; i++) {
		if (listed(list, registry_public_urls[i]))
			return true;
	}
	return false;
}

/* Would a client understand the URL?  One that it does not hides the whole version. */
static bool
registry_url_valid(const char *url)
{
	bool sparse = strncmp(url, "sparse+", 7) == 0;
	size_t n = strlen(url);

	if (n > REGISTRY_URL_MAX)
		return false;
	for (const char *p = url; *p != '\0'; p++) {
		if ((unsigned char)*p > '~')
			return false;
	}
	url += sparse ? 7 : 0;
	if (!url_is_web(slice_str(url)))
		return false;
	/* cargo: a sparse index must end in a slash */
	return !sparse || url[strlen(url) - 1] == '/';
}

static int
check_registry(struct dependency *d, const struct package_limits *limits, struct err *err)
{
	if (d->registry == NULL)
		return 0;
	if (strcmp(limits->own_registry, d->registry) == 0) {
		d->registry = NULL;
		return 0;
	}
	if (!registry_url_valid(d->registry))
		return err_set(err, 400,
		    "dependency `%s`: `%.*s` is not the URL of a registry's index%s", d->name,
		    show(d->registry), d->registry,
		    limits->registry_advice != NULL ? limits->registry_advice : "");
	if (!allowed(limits->allowed_registries, d->registry))
		return err_set(err, 400,
		    "dependency `%s` is hosted on the registry `%.*s`, which is not among those "
		    "that crates here may depend on%s",
		    d->name, show(d->registry), d->registry,
		    limits->registry_advice != NULL
		        ? limits->registry_advice
		        : "; an administrator can add it to allowed_registries of the project");
	return 0;
}

/*
 * The target as cargo prints it in the metadata, whatever blanks its author put
 * into the manifest: all(a, b), key = "value".  The target has been checked.
 */
static const char *
target_canonical(struct arena *a, const char *target)
{
	char *canonical = arena_alloc(a, 3 * strlen(target) + 1), *out = canonical;
	bool quoted = false;

	for (const char *p = target; *p != '\0'; p++) {
		quoted ^= *p == '"';
		if (quoted || strchr(" ,=", *p) == NULL) {
			*out++ = *p;
		} else if (*p == '=') {
			*out++ = ' ';
			*out++ = '=';
			*out++ = ' ';
		} else if (*p == ',' && p[1 + strspn(p + 1, " ")] != ')') {
			*out++ = ',';
			*out++ = ' ';
		}
	}
	return canonical;
}

static int
check_target(struct arena *a, struct dependency *d, struct err *err)
{
	if (d->target == NULL)
		return 0;
	if (strlen(d->target) > TARGET_MAX)
		return err_set(err, 400, "dependency `%s`: the target has %zu bytes, and at most %d are allowed",
		    d->name, strlen(d->target), TARGET_MAX);
	if (cfg_expr_check(slice_str(d->target), err) == -1)
		return -1;
	d->target = target_canonical(a, d->target);
	return 0;
}

static int
check_requirement(struct arena *a, struct dependency *d, const struct package_limits *limits,
    struct err *err)
{
	struct err reason = { 0 };

	if (version_req_canonical(a, slice_str(d->req), &d->req, &reason) == -1)
		return err_set(err, 400, "dependency `%s`: %s", d->name, reason.pub);
	if (strcmp(d->req, "*") == 0 && !limits->legacy)
		return err_set(err, 400,
		    "wildcard (`*`) dependency constraints are not allowed. "
		    "Crate with this problem: `%s`",
		    d->name);
	return 0;
}

static int
check_dependency_features(const struct dependency *d, const struct package_limits *limits,
    struct err *err)
{
	if (d->features.n > limits->max_features)
		return err_set(err, 400,
		    "at most %zu features of a dependency can be enabled, but %zu of `%s` are"
		    LIMIT_RAISE("max_features"),
		    limits->max_features, d->features.n, d->name);
	for (size_t i = 0; i < d->features.n; i++) {
		if (feature_name_check(slice_str(d->features.v[i]), err) == -1)
			return -1;
	}
	return 0;
}

static int
check_dependency(struct arena *a, struct dependency *d, const struct package_limits *limits,
    struct err *err)
{
	if (crate_name_check(slice_str(d->name), "dependency", err) == -1 ||
	    (d->alias != NULL && crate_name_check_alias(slice_str(d->alias), err) == -1))
		return -1;
	if (check_dependency_features(d, limits, err) == -1 ||
	    check_registry(d, limits, err) == -1 || check_requirement(a, d, limits, err) == -1)
		return -1;
	if (d->optional && d->kind == DEP_DEV)
		return err_set(err, 400, "dev-dependencies are not allowed to be optional: `%s`",
		    dependency_local_name(d));
	return package_check_artifact(d, err) == -1 ? -1 : check_target(a, d, err);
}

static int
compare_sources(const void *a, const void *b)
{
	const struct dependency *x = *(const struct dependency *const *)a;
	const struct dependency *y = *(const struct dependency *const *)b;

	return strcmp(dependency_local_name(x), dependency_local_name(y));
}

static bool
same_source(const struct dependency *x, const struct dependency *y)
{
	if (x->registry == NULL || y->registry == NULL)
		return x->registry == y->registry;
	return strcmp(x->registry, y->registry) == 0;
}

/* One name, one registry, whatever the kind and target: else cargo does not read the manifest. */
static int
check_sources(struct arena *a, const struct package *pkg, struct err *err)
{
	const struct dependency **v = arena_calloc(a, pkg->ndeps, sizeof(struct dependency *));

	for (size_t i = 0; i < pkg->ndeps; i++)
		v[i] = &pkg->deps[i];
	if (pkg->ndeps > 1)
		qsort(v, pkg->ndeps, sizeof(struct dependency *), compare_sources);
	for (size_t i = 1; i < pkg->ndeps; i++) {
		if (compare_sources(&v[i - 1], &v[i]) == 0 && !same_source(v[i - 1], v[i]))
			return err_set(err, 400,
			    "dependency `%s` must come from one registry, whatever its kind and "
			    "target",
			    dependency_local_name(v[i]));
	}
	return 0;
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* One on the toolchain; its name may be that of a crate in a registry, but of no other dependency. */
static int
check_builtin(struct arena *a, struct dependency *d, const char *const *names, size_t n,
    const struct package_limits *limits, struct err *err)
{
	if (crate_name_check(slice_str(d->name), "dependency", err) == -1 ||
	    check_dependency_features(d, limits, err) == -1)
		return -1;
	if (bsearch(&d->name, names, n, sizeof(*names), compare_names) != NULL)
		return err_set(err, 400, "dependency `%s` cannot be both builtin and from a registry",
		    d->name);
	if (d->optional && d->kind == DEP_DEV)
		return err_set(err, 400, "dev-dependencies are not allowed to be optional: `%s`", d->name);
	return check_target(a, d, err);
}

static int
check_builtins(struct arena *a, struct package *pkg, const struct package_limits *limits,
    struct err *err)
{
	const char **names = arena_calloc(a, pkg->ndeps, sizeof(*names));

	for (size_t i = 0; i < pkg->ndeps; i++)
		names[i] = dependency_local_name(&pkg->deps[i]);
	if (pkg->ndeps > 1)
		qsort(names, pkg->ndeps, sizeof(*names), compare_names);
	for (size_t i = 0; i < pkg->nbuiltins; i++) {
		if (check_builtin(a, &pkg->builtins[i], names, pkg->ndeps, limits, err) == -1)
			return -1;
	}
	return 0;
}

int
package_check_dependencies(struct arena *a, struct package *pkg,
    const struct package_limits *limits, struct err *err)
{
	if (pkg->ndeps + pkg->nbuiltins > limits->max_dependencies)
		return err_set(err, 400,
		    "a crate can have at most %zu dependencies, but this one declares %zu"
		    LIMIT_RAISE("max_dependencies"),
		    limits->max_dependencies, pkg->ndeps + pkg->nbuiltins);
	for (size_t i = 0; i < pkg->ndeps; i++) {
		if (check_dependency(a, &pkg->deps[i], limits, err) == -1)
			return -1;
	}
	return check_sources(a, pkg, err) == -1 ? -1 : check_builtins(a, pkg, limits, err);
}

int
package_check_id(struct arena *a, const struct package *pkg, struct package_id *id, struct err *err)
{
	struct slice name = slice_str(pkg->name);
	struct semver version;

	if (crate_name_check(name, "crate", err) == -1 ||
	    semver_parse(slice_str(pkg->version), &version, err) == -1)
		return -1;
	id->normalized_name = crate_name_normalize(a, name);
	id->version_base = semver_base(a, &version);
	return 0;
}

/* In the order in which the public registry checks. */
int
package_check(struct arena *a, struct package *pkg, const struct package_limits *limits,
    struct err *err)
{
	if (package_check_about(pkg, limits, err) == -1 ||
	    package_check_features(pkg, limits, err) == -1 ||
	    package_check_dependencies(a, pkg, limits, err) == -1)
		return -1;
	return package_check_references(a, pkg, err);
}
