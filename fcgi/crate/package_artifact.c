#include "crate/package_rules.h"

#include <string.h>

#include "base/excerpt.h"
#include "crate/cfg_expr.h"

/* Nobody needs more, and each is compared with all others. */
enum { KINDS_MAX = 64 };

static int
show(const char *text)
{
	return excerpt(slice_str(text));
}

static bool
is_binary(const char *kind)
{
	return strncmp(kind, "bin:", 4) == 0 && kind[4] != '\0';
}

static bool
is_kind(const char *kind)
{
	static const char *const kinds[] = { "bin", "cdylib", "staticlib" };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (strcmp(kind, kinds[i]) == 0)
			return true;
	}
	return is_binary(kind);
}

/* `bin` means all binaries, so no single one can stand beside it. */
static bool
overlap(const char *a, const char *b)
{
	return strcmp(a, b) == 0 || (strcmp(a, "bin") == 0 && is_binary(b)) ||
	    (strcmp(b, "bin") == 0 && is_binary(a));
}

static int
check_kinds(const struct dependency *d, struct err *err)
{
	const struct strings *kinds = &d->artifact.kinds;

	if (kinds->n > KINDS_MAX)
		return err_set(err, 400, "dependency `%s` has %zu artifacts, and at most %d are possible",
		    dependency_local_name(d), kinds->n, KINDS_MAX);
	for (size_t i = 0; i < kinds->n; i++) {
		if (!is_kind(kinds->v[i]))
			return err_set(err, 400,
			    "dependency `%s`: `%.*s` is not an artifact; write `bin`, `bin:NAME`, `cdylib` or "
			    "`staticlib`",
			    dependency_local_name(d), show(kinds->v[i]), kinds->v[i]);
		for (size_t k = 0; k < i; k++) {
			if (overlap(kinds->v[k], kinds->v[i]))
				return err_set(err, 400,
				    "dependency `%s` has the artifacts `%.*s` and `%.*s`, which overlap; remove one",
				    dependency_local_name(d), show(kinds->v[k]), kinds->v[k],
				    show(kinds->v[i]), kinds->v[i]);
		}
	}
	return 0;
}

/* A triple, or `target`: the platform of the build.  A JSON file exists only on its author's machine. */
static int
check_target(const struct dependency *d, struct err *err)
{
	const char *target = d->artifact.target;
	size_t n = target != NULL ? strlen(target) : 0;
	struct err why;

	if (target == NULL)
		return 0;
	if (strncmp(target, "cfg(", 4) == 0 || (n >= 5 && strcmp(target + n - 5, ".json") == 0) ||
	    cfg_expr_check(slice_str(target), &why) == -1)
		return err_set(err, 400,
		    "dependency `%s`: its artifact cannot be built for `%.*s`, which is not the triple of a "
		    "platform",
		    dependency_local_name(d), show(target), target);
	if (strcmp(target, "target") == 0 && d->kind != DEP_BUILD)
		return err_set(err, 400,
		    "dependency `%s`: `target = \"target\"` is for build-dependencies alone",
		    dependency_local_name(d));
	return 0;
}

int
package_check_artifact(const struct dependency *d, struct err *err)
{
	if (d->artifact.kinds.n == 0)
		return 0;
	return check_kinds(d, err) == -1 ? -1 : check_target(d, err);
}
