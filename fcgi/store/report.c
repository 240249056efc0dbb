#include "store/report.h"

#include "crate/crate_name.h"
#include "store/project.h"

/* The project's number; 0 where none is named. */
static int
find_project(struct db *db, struct arena *a, const char *full_path, int64_t *id, struct err *err)
{
	struct project *project;

	*id = 0;
	if (full_path == NULL)
		return 0;
	if (project_find(db, a, full_path, &project, err) == -1)
		return -1;
	*id = project->id;
	return 0;
}

static struct report_month
month_of(const struct db_result *r, int i)
{
	enum { COLUMNS_REPORT_ADOPTION };
	struct report_month m = {
		.month = db_str(r, i, MONTH),
		.project_id = db_int(r, i, PROJECT_ID),
		.project = db_str(r, i, PROJECT),
		.publishes = db_int(r, i, PUBLISHES),
		.downloads = db_int(r, i, DOWNLOADS),
	};

	for (int k = 0; k < REPORT__ACTORS; k++) {
		m.publishers[k] = db_int(r, i, P_USERS + k);
		m.downloaders[k] = db_int(r, i, D_USERS + k);
	}
	return m;
}

int
report_adoption(struct db *db, struct arena *a, const char *project, int64_t months,
    struct report_month **rows, size_t *n, struct err *err)
{
	struct db_params p = { .n = 0 };
	struct db_result r;
	int64_t project_id;

	if (find_project(db, a, project, &project_id, err) == -1)
		return -1;
	db_bind_int(&p, months);
	db_bind_id(&p, project_id);
	if (db_exec(db, a, STMT_REPORT_ADOPTION, &p, &r, err) == -1)
		return -1;
	*n = (size_t)r.rows;
	*rows = arena_calloc(a, *n, sizeof(**rows));
	for (int i = 0; i < r.rows; i++)
		(*rows)[i] = month_of(&r, i);
	return 0;
}

int64_t
report_sum(const int64_t v[REPORT__ACTORS])
{
	int64_t sum = 0;

	for (size_t i = 0; i < REPORT__ACTORS; i++)
		sum += v[i];
	return sum;
}

struct report_growth
report_growth(const int64_t before[REPORT__ACTORS], const int64_t now[REPORT__ACTORS])
{
	int64_t was = report_sum(before), is = report_sum(now), twice;

	if (was == 0)
		return (struct report_growth) { .known = false };
	/* rounded to the nearest, halves away from zero */
	twice = 2000 * (is - was);
	return (struct report_growth) { .known = true,
		.tenths = (twice + (twice < 0 ? -was : was)) / (2 * was) };
}

int
report_check_crate(struct db *db, struct arena *a, const struct report_filter *f, struct err *err)
{
	enum { COLUMNS_REPORT_HAS_CRATE };
	struct db_params p = { .n = 0 };
	struct db_result r;
	int64_t project_id;

	if (f->crate == NULL)
		return 0;
	if (find_project(db, a, f->project, &project_id, err) == -1)
		return -1;
	db_bind_id(&p, project_id);
	db_bind_str(&p, crate_name_normalize(a, slice_str(f->crate)));
	if (db_exec(db, a, STMT_REPORT_HAS_CRATE, &p, &r, err) == -1)
		return -1;
	if (db_bool(&r, 0, FOUND))
		return 0;
	return f->project != NULL ? err_set(err, 404, "project `%s` has no crate `%s`", f->project, f->crate)
				  : err_set(err, 404, "crate `%s` does not exist", f->crate);
}

int
report_downloads(struct db *db, struct arena *a, const struct report_filter *f, struct err *err)
{
	struct db_params p = { .n = 0 };
	int64_t project_id;

	if ((f->crate != NULL && crate_name_check(slice_str(f->crate), "crate", err) == -1) ||
	    find_project(db, a, f->project, &project_id, err) == -1)
		return -1;
	db_bind_id(&p, project_id);
	db_bind_str(&p, f->crate != NULL ? crate_name_normalize(a, slice_str(f->crate)) : NULL);
	db_bind_time(&p, f->since);
	db_bind_time(&p, f->until);
	db_bind_int(&p, f->limit);
	return db_list(db, a, STMT_REPORT_DOWNLOADS, &p, err);
}

int
report_downloads_next(struct db *db, struct arena *a, struct report_download **rows, size_t *n,
    struct err *err)
{
	enum { COLUMNS_REPORT_DOWNLOADS };
	struct db_result r;

	if (db_list_next(db, a, &r, err) == -1)
		return -1;
	*n = (size_t)r.rows;
	*rows = arena_calloc(a, *n, sizeof(**rows));
	for (int i = 0; i < r.rows; i++) {
		(*rows)[i] = (struct report_download) {
			.day = db_str(&r, i, DAY),
			.project = db_str(&r, i, PROJECT),
			.project_id = db_int(&r, i, PROJECT_ID),
			.crate = db_str(&r, i, CRATE),
			.version = db_str(&r, i, VERSION),
			.downloads = db_int(&r, i, DOWNLOADS),
			.last_at = db_time(&r, i, LAST_AT),
		};
	}
	return 0;
}

int
report_storage(struct db *db, struct arena *a, struct report_storage **rows, size_t *n, struct err *err)
{
	enum { COLUMNS_REPORT_STORAGE };
	struct db_result r;

	if (db_exec(db, a, STMT_REPORT_STORAGE, NULL, &r, err) == -1)
		return -1;
	*n = (size_t)r.rows;
	*rows = arena_calloc(a, *n, sizeof(**rows));
	for (int i = 0; i < r.rows; i++) {
		(*rows)[i] = (struct report_storage) {
			.project = db_str(&r, i, PROJECT),
			.project_id = db_int(&r, i, PROJECT_ID),
			.versions = db_int(&r, i, VERSIONS),
			.bytes = db_int(&r, i, BYTES),
			.deleted_bytes = db_int(&r, i, DELETED_BYTES),
			.month_bytes = db_int(&r, i, MONTH_BYTES),
		};
	}
	return 0;
}
