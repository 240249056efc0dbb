#include "store/version_check.h"

#include <string.h>

#include "store/protection.h"

/* The crates of the same registry that the package depends on. */
static const char **
own_dependencies(struct arena *a, const struct package *pkg, size_t *n)
{
	const char **names = arena_calloc(a, pkg->ndeps, sizeof(*names));

	*n = 0;
	for (size_t i = 0; i < pkg->ndeps; i++) {
		if (pkg->deps[i].registry == NULL)
			names[(*n)++] = pkg->deps[i].name;
	}
	return names;
}

int
version_check_limits(const struct version_new *v, bool is_new, struct err *err)
{
	return token_limits_check(&v->limits, is_new ? TOKEN_PUBLISH_NEW : TOKEN_PUBLISH_UPDATE,
	    v->normalized_name, err);
}

int
version_check_new(struct db *db, struct arena *a, const struct version_new *v, struct err *err)
{
	enum { NAME, THERE, UNKNOWN };
	struct db_call calls[] = { { .stmt = STMT_VERSION_CHECK_NEW }, { 0 } };
	struct db_params *p = &calls[0].params;
	const struct db_result *r = &calls[0].result;
	size_t n;
	const char **names = own_dependencies(a, v->package, &n);

	db_bind_int(p, v->project_id);
	db_bind_str(p, v->package->name);
	db_bind_str(p, v->normalized_name);
	db_bind_str(p, v->version_base);
	db_bind_array(p, a, names, n);
	protection_call(&calls[1], v->project_id, v->normalized_name, v->push_level);
	if (db_run(db, a, calls, 2, err) == -1 || protection_judge(&calls[1], err) == -1)
		return -1;
	if (version_check_limits(v, db_is_null(r, 0, NAME), err) == -1)
		return -1;
	if (!db_is_null(r, 0, NAME) && strcmp(db_str(r, 0, NAME), v->package->name) != 0)
		return err_set(err, 400, "crate was previously named `%s`", db_str(r, 0, NAME));
	if (db_bool(r, 0, THERE))
		return err_set(err, 400, "crate version `%s` is already uploaded", v->version_base);
	if (!db_is_null(r, 0, UNKNOWN))
		return err_set(err, 400, "no known crate named `%s`", db_str(r, 0, UNKNOWN));
	return 0;
}
