#include "store/search.h"

#include "crate/semver.h"

static void
page_call(struct db_call *call, int64_t project_id, const struct search_query *q)
{
	struct db_params *p = &call->params;

	db_bind_int(p, project_id);
	call->stmt = STMT_SEARCH_ALL;
	if (q->name[0] == '\0')
		return;
	call->stmt = STMT_SEARCH_PAGE;
	db_bind_str(p, q->name);
	db_bind_str(p, q->words);
	db_bind_str(p, q->text);
	db_bind_str(p, q->like);
}

int
search_crates(struct db *db, struct arena *a, int64_t project_id, const struct search_query *q,
    int64_t limit, int64_t offset, struct search_hit **out, size_t *n, int64_t *total,
    struct err *err)
{
	enum { TOTAL, NAME, MAX_VERSION, DESCRIPTION };
	struct db_call calls[] = { { .stmt = STMT_SEARCH_COSTS }, { 0 } };
	struct db_call *page = &calls[1];
	const struct db_result *r = &page->result;

	page_call(page, project_id, q);
	db_bind_int(&page->params, limit);
	db_bind_int(&page->params, offset);
	if (db_run(db, a, calls, 2, err) == -1)
		return -1;
	*total = db_int(r, 0, TOTAL);
	*n = 0;
	*out = arena_calloc(a, (size_t)r->rows, sizeof(**out));
	for (int i = 0; i < r->rows && !db_is_null(r, i, NAME); i++)
		(*out)[(*n)++] = (struct search_hit) {
			.name = db_str(r, i, NAME),
			.max_version = db_str(r, i, MAX_VERSION),
			.description = db_str(r, i, DESCRIPTION),
		};
	return 0;
}

/* A version as it competes for being the one that is shown. */
struct rank {
	bool yanked;
	struct semver version;
};

static bool
is_better(const struct rank *r, const struct rank *than)
{
	if (r->yanked != than->yanked)
		return than->yanked;
	if ((r->version.pre.n > 0) != (than->version.pre.n > 0))
		return than->version.pre.n > 0;
	return semver_compare(&r->version, &than->version) > 0;
}

void
search_set_call(struct db_call *call, int64_t crate_id, const struct db_result *versions)
{
	enum { LINE, ID, VERSION, YANKED, SHOWN };
	struct rank best = { 0 }, r;
	struct err wrong;
	int64_t id = 0;

	for (int i = 0; i < versions->rows; i++) {
		/* what is in the table was checked when it came */
		if (!db_bool(versions, i, SHOWN) ||
		    semver_parse(db_slice(versions, i, VERSION), &r.version, &wrong) == -1)
			continue;
		r.yanked = db_bool(versions, i, YANKED);
		if (id == 0 || is_better(&r, &best)) {
			best = r;
			id = db_int(versions, i, ID);
		}
	}
	call->stmt = id != 0 ? STMT_SEARCH_SET : STMT_SEARCH_REMOVE;
	db_bind_int(&call->params, crate_id);
	if (id != 0)
		db_bind_int(&call->params, id);
}
