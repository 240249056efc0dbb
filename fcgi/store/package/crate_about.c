#include "store/package/crate_about.h"

#include <stdlib.h>

#include "crate/crate_name.h"

/* -1: 404. */
static int
refuse_crate(struct slice name, struct err *err)
{
	return err_set(err, 404, "crate `%.*s` does not exist", (int)name.n, name.p);
}

/* The highest first; of equal ones, which differ by build metadata, the newest. */
static int
compare(const void *one, const void *other)
{
	const struct about_number *x = one, *y = other;
	int order = semver_compare(&y->semver, &x->semver);

	return order != 0 ? order : (y->id > x->id) - (y->id < x->id);
}

static void
read_numbers(struct arena *a, const struct db_result *r, struct about_crate *out)
{
	enum { COLUMNS_ABOUT_NUMBERS };
	struct err wrong;

	out->numbers = arena_calloc(a, (size_t)r->rows, sizeof(*out->numbers));
	for (int i = 0; i < r->rows; i++) {
		struct about_number *number = &out->numbers[out->n];

		*number = (struct about_number) { .id = db_int(r, i, ID),
			.version = db_str(r, i, VERSION), .yanked = db_bool(r, i, YANKED) };
		/* the table has only valid versions */
		if (semver_parse(slice_str(number->version), &number->semver, &wrong) == 0)
			out->n++;
	}
	qsort(out->numbers, out->n, sizeof(*out->numbers), compare);
}

static struct about_crate
read_crate(const struct db_result *r)
{
	enum { COLUMNS_ABOUT_CRATE };

	return (struct about_crate) {
		.id = db_int(r, 0, ID),
		.name = db_str(r, 0, NAME),
		.created_at = db_str(r, 0, CREATED_AT),
		.updated_at = db_str(r, 0, UPDATED_AT),
		.shown_id = db_int(r, 0, SHOWN_ID),
		.shown = db_str(r, 0, SHOWN),
		.shown_is_yanked = db_bool(r, 0, SHOWN_IS_YANKED),
		.description = db_str(r, 0, DESCRIPTION),
		.homepage = db_str(r, 0, HOMEPAGE),
		.documentation = db_str(r, 0, DOCUMENTATION),
		.repository = db_str(r, 0, REPOSITORY),
		.keywords = db_str(r, 0, KEYWORDS),
		.categories = db_str(r, 0, CATEGORIES),
	};
}

int
crate_about_find(struct db *db, struct arena *a, int64_t project_id, struct slice name,
    struct about_crate *out, struct err *err)
{
	enum { CRATE, NUMBERS, NCALLS };
	struct db_call calls[NCALLS] = { [CRATE] = { .stmt = STMT_ABOUT_CRATE },
		[NUMBERS] = { .stmt = STMT_ABOUT_NUMBERS } };
	struct err wrong;

	if (crate_name_check(name, "crate", &wrong) == -1)
		return refuse_crate(name, err);
	for (int i = 0; i < NCALLS; i++) {
		db_bind_int(&calls[i].params, project_id);
		db_bind_str(&calls[i].params, crate_name_normalize(a, name));
	}
	if (db_run(db, a, calls, NCALLS, err) == -1)
		return -1;
	if (calls[CRATE].result.rows == 0)
		return refuse_crate(name, err);
	*out = read_crate(&calls[CRATE].result);
	read_numbers(a, &calls[NUMBERS].result, out);
	return 0;
}

static struct about_version
read_version(const struct db_result *r, int i)
{
	enum { COLUMNS_ABOUT_VERSIONS };

	return (struct about_version) {
		.crate = db_str(r, i, CRATE),
		.id = db_int(r, i, ID),
		.version = db_str(r, i, VERSION),
		.published_at = db_str(r, i, PUBLISHED_AT),
		.yanked = db_bool(r, i, YANKED),
		.yank_message = db_str(r, i, YANK_MESSAGE),
		.size = db_int(r, i, SIZE),
		.cksum = db_str(r, i, CKSUM),
		.license = db_str(r, i, LICENSE),
		.links = db_str(r, i, LINKS),
		.rust_version = db_str(r, i, RUST_VERSION),
		.edition = db_str(r, i, EDITION),
		.has_lib = db_bool(r, i, HAS_LIB),
		.bins = db_str(r, i, BINS),
		.description = db_str(r, i, DESCRIPTION),
		.homepage = db_str(r, i, HOMEPAGE),
		.documentation = db_str(r, i, DOCUMENTATION),
		.repository = db_str(r, i, REPOSITORY),
		.features = db_str(r, i, FEATURES),
		.downloads = db_int(r, i, DOWNLOADS),
		.user_id = db_int_or_0(r, i, USER_ID),
		.username = db_str(r, i, USERNAME),
		.user_name = db_str(r, i, USER_NAME),
	};
}

int
crate_about_versions(struct db *db, struct arena *a, const int64_t *ids, size_t n,
    struct about_version **out, size_t *nfound, struct err *err)
{
	struct db_params p = { 0 };
	struct db_result r = { 0 };

	db_bind_ids(&p, a, ids, n);
	if (db_exec(db, a, STMT_ABOUT_VERSIONS, &p, &r, err) == -1)
		return -1;
	*nfound = (size_t)r.rows;
	*out = arena_calloc(a, *nfound, sizeof(**out));
	for (int i = 0; i < r.rows; i++)
		(*out)[i] = read_version(&r, i);
	return 0;
}

/* -1: 404. */
static int
refuse_version(struct slice name, struct slice version, struct err *err)
{
	return err_set(err, 404, "crate `%.*s` does not have a version `%.*s`", (int)name.n, name.p,
	    (int)version.n, version.p);
}

int
crate_about_find_version(struct db *db, struct arena *a, int64_t project_id, struct slice name,
    struct slice version, struct about_version *out, struct err *err)
{
	enum { COLUMNS_ABOUT_VERSION };
	struct about_version *found;
	struct db_params p = { 0 };
	struct db_result r = { 0 };
	struct semver semver;
	struct err wrong;
	int64_t id;
	size_t n = 0;

	if (crate_name_check(name, "crate", &wrong) == -1)
		return refuse_crate(name, err);
	if (semver_parse(version, &semver, &wrong) == -1)
		return refuse_version(name, version, err);
	db_bind_int(&p, project_id);
	db_bind_str(&p, crate_name_normalize(a, name));
	db_bind_str(&p, semver_base(a, &semver));
	if (db_exec(db, a, STMT_ABOUT_VERSION, &p, &r, err) == -1)
		return -1;
	if (r.rows == 0)
		return refuse_version(name, version, err);
	id = db_int(&r, 0, ID);
	if (crate_about_versions(db, a, &id, 1, &found, &n, err) == -1)
		return -1;
	if (n == 0)
		return refuse_version(name, version, err);
	*out = found[0];
	return 0;
}

int
crate_about_downloads(struct db *db, struct arena *a, int64_t crate_id, int64_t *all, int64_t *recent,
    struct err *err)
{
	enum { COLUMNS_ABOUT_DOWNLOADS };
	struct db_params p = { 0 };
	struct db_result r = { 0 };

	db_bind_int(&p, crate_id);
	if (db_exec(db, a, STMT_ABOUT_DOWNLOADS, &p, &r, err) == -1)
		return -1;
	*all = db_int(&r, 0, DOWNLOADS);
	*recent = db_int(&r, 0, RECENT);
	return 0;
}
