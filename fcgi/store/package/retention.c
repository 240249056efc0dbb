#include "store/package/retention.h"

#include <string.h>
#include <time.h>

#include "store/package/protection.h"
#include "store/package/version_delete.h"

/* Crates that are looked at together: few, since one that needs a policy has thousands of versions. */
enum { PAGE = 10 };

static void
read_policy(const struct db_result *r, struct retention *out)
{
	enum { COLUMNS_RETENTION_FIND };

	*out = (struct retention) { 0 };
	if (r->rows == 0)
		return;
	*out = (struct retention) {
		.project_id = db_int(r, 0, PROJECT_ID),
		.project = db_str(r, 0, PATH),
		.exists = db_bool(r, 0, IS_SET),
		.enabled = db_bool(r, 0, ENABLED),
		.policy.keep_prereleases =
		    db_is_null(r, 0, KEEP_PRERELEASES) ? RETENTION_ALL : db_int(r, 0, KEEP_PRERELEASES),
		.policy.unused_days = db_is_null(r, 0, UNUSED_DAYS) ? RETENTION_ALL : db_int(r, 0, UNUSED_DAYS),
		.policy.keep_newest = db_int(r, 0, KEEP_NEWEST),
		.policy.counted_from = db_time(r, 0, COUNTED_FROM),
		.policy.counted_to = db_time(r, 0, COUNTED_TO),
		.exclude = db_str(r, 0, EXCLUDE),
	};
}

int
retention_find(struct db *db, struct arena *a, const char *project, struct retention *out,
    struct err *err)
{
	struct db_params p = { .n = 0 };
	struct db_result r;

	db_bind_str(&p, project);
	if (db_exec(db, a, STMT_RETENTION_FIND, &p, &r, err) == -1)
		return -1;
	read_policy(&r, out);
	return r.rows == 0 ? err_set(err, 404, "project `%s` does not exist", project) : 0;
}

int
retention_next(struct db *db, struct arena *a, int64_t project_id, struct retention *out,
    struct err *err)
{
	struct db_params p = { .n = 0 };
	struct db_result r;

	db_bind_int(&p, project_id);
	if (db_exec(db, a, STMT_RETENTION_NEXT, &p, &r, err) == -1)
		return -1;
	read_policy(&r, out);
	return 0;
}

static void
bind_number(struct db_params *p, int64_t n)
{
	if (n == INT64_MIN)
		db_bind_null(p);
	else
		db_bind_int(p, n);
}

static const char *
number_fact(struct arena *a, int64_t n)
{
	if (n == INT64_MIN)
		return NULL;
	return n == RETENTION_ALL ? "null" : arena_printf(a, "%lld", (long long)n);
}

int
retention_set(struct db *db, struct arena *a, const struct audit_actor *actor,
    const char *project, const struct retention_change *change, struct err *err)
{
	const char *enabled = change->enabled == NULL ? NULL : *change->enabled ? "true" : "false";
	struct audit_event event = { .action = AUDIT_RETENTION_SET,
		.facts = { { "enabled", enabled, true },
		    { "keep_prereleases", number_fact(a, change->keep_prereleases), true },
		    { "unused_days", number_fact(a, change->unused_days), true },
		    { "keep_newest", number_fact(a, change->keep_newest), true },
		    { "exclude", change->exclude, false } } };
	struct db_call call = { .stmt = STMT_RETENTION_SET };
	struct db_params *p = &call.params;
	struct retention before;

	if (retention_find(db, a, project, &before, err) == -1)
		return -1;
	db_bind_int(p, before.project_id);
	if (change->enabled == NULL)
		db_bind_null(p);
	else
		db_bind_bool(p, *change->enabled);
	bind_number(p, change->keep_prereleases);
	bind_number(p, change->unused_days);
	bind_number(p, change->keep_newest);
	db_bind_str(p, change->exclude);
	return audit_change(db, a, actor, &call, &event, err);
}

/* Judges the versions of one crate, rows first to end, and appends those that go. */
static void
judge_crate(struct arena *a, const struct retention *r, const struct db_result *rows, int first,
    int end, struct retention_item *items, size_t *n)
{
	enum { COLUMNS_RETENTION_CRATES };
	size_t nversions = (size_t)(end - first);
	struct retention_version *v = arena_calloc(a, nversions, sizeof(*v));
	size_t kept;

	for (size_t i = 0; i < nversions; i++) {
		int row = first + (int)i;

		v[i] = (struct retention_version) { .version = db_str(rows, row, VERSION),
			.yanked = db_bool(rows, row, YANKED),
			.published_at = db_int(rows, row, PUBLISHED_AT),
			.last_used_at = db_time(rows, row, LAST_USED_AT) };
	}
	kept = retention_judge(&r->policy, v, nversions, time(NULL));
	for (size_t i = 0; i < nversions; i++) {
		int row = first + (int)i;

		if (v[i].why != RETENTION_KEEP)
			items[(*n)++] = (struct retention_item) { db_int(rows, row, VERSION_ID),
				db_str(rows, row, CRATE), v[i].version, db_int(rows, row, SIZE),
				v[i].published_at, v[i].last_used_at, v[i].why,
				db_int(rows, first + (int)kept, VERSION_ID), v[i].yanked, v[kept].yanked };
	}
}

int
retention_page(struct db *db, struct arena *a, const struct retention *r, int64_t *after_crate,
    bool *more, struct retention_item **out, size_t *n, struct err *err)
{
	enum { COLUMNS_RETENTION_CRATES };
	struct db_params p = { .n = 0 };
	struct db_result rows;
	int crates = 0;

	db_bind_int(&p, r->project_id);
	db_bind_int(&p, *after_crate);
	db_bind_str(&p, r->exclude);
	db_bind_int(&p, PAGE);
	if (db_exec(db, a, STMT_RETENTION_CRATES, &p, &rows, err) == -1)
		return -1;
	*n = 0;
	*out = arena_calloc(a, (size_t)rows.rows, sizeof(**out));
	for (int first = 0, end; first < rows.rows; first = end, crates++) {
		*after_crate = db_int(&rows, first, CRATE_ID);
		for (end = first; end < rows.rows && db_int(&rows, end, CRATE_ID) == *after_crate;)
			end++;
		judge_crate(a, r, &rows, first, end, *out, n);
	}
	*more = crates == PAGE;
	return 0;
}

/* The change that deletes versions for the policy. */
static struct version_change
change_of(const struct audit_actor *actor, const struct retention *r, const struct retention_item *item)
{
	return (struct version_change) {
		.actor = *actor,
		/* below the least level of a rule for deleting, so that each such rule protects its versions */
		.delete_level = PROTECTION_MAINTAINER,
		.limits = { TOKEN_ANY_OPERATION, NULL },
		.project_id = r->project_id,
		.why = "retention",
		.kept_id = item->kept_id,
		.kept_yanked = item->kept_yanked,
	};
}

/*
 * Deletes these versions of a crate.  Versions that somebody else has deleted, protected or unyanked since
 * the list was made are left as they are.
 */
static int
delete_some(struct db *db, const struct version_change *asked, const struct retention_item *items, size_t n,
    bool *all, struct err *err)
{
	/* of its own: it reads and writes the whole index file of the crate */
	struct arena *a = arena_new();
	int64_t ids[RETENTION_DELETE_MAX], yanked[RETENTION_DELETE_MAX];
	struct version_change change = *asked;
	int rc;

	change.yanked = yanked;
	for (size_t i = 0; i < n; i++) {
		ids[i] = items[i].version_id;
		if (items[i].yanked)
			yanked[change.nyanked++] = ids[i];
	}
	rc = version_delete_some(db, a, &change, ids, n, err);
	arena_free(a);
	*all = rc == 0;
	if (rc == -1 && err->status != 404 && err->status != 403)
		return -1;
	err_clear(err);
	return 0;
}

/* Deletes the n versions together or, if one of them is in the way of the others, one by one. */
static int
delete_crate(struct db *db, const struct version_change *asked, struct retention_item *items, size_t n,
    struct err *err)
{
	bool all;
	int rc = delete_some(db, asked, items, n, &all, err);

	for (size_t i = 0; !(rc == 0 && all) && i < n; i++) {
		bool deleted = false;

		if (rc == 0)
			rc = delete_some(db, asked, &items[i], 1, &deleted, err);
		if (!deleted)
			items[i].why = RETENTION_KEEP;
	}
	return rc;
}

int
retention_delete(struct db *db, const struct audit_actor *actor, const struct retention *r,
    struct retention_item *items, size_t n, size_t *done, struct err *err)
{
	const struct version_change asked = change_of(actor, r, items);
	size_t of_crate = 0;

	while (of_crate < n && strcmp(items[of_crate].crate, items[0].crate) == 0)
		of_crate++;
	*done = of_crate < RETENTION_DELETE_MAX ? of_crate : RETENTION_DELETE_MAX;
	if (delete_crate(db, &asked, items, *done, err) == 0)
		return 0;
	for (; *done < of_crate; ++*done)
		items[*done].why = RETENTION_KEEP;
	return -1;
}
