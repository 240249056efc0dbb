#include "store/package/search.h"

#include "store/package/crate_due.h"

enum { COLUMNS_SEARCH_NAMES }; /* view_search has the same */

/* Of those by words so many are ranked for whoever reads no further, and all for later pages. */
enum { FIRST_MAX = 100 };

static void
bind_page(struct db_params *p, const struct search_ask *ask)
{
	db_bind_int(p, ask->limit);
	db_bind_int(p, ask->offset);
}

/* Runs the statements in plans of that mode; what is searched stands in the second call. */
static int
run(struct db *db, struct arena *a, struct db_call *calls, size_t n, const char *plan_mode,
    struct db_result *out, struct err *err)
{
	calls[0] = (struct db_call) { .stmt = STMT_SEARCH_PLAN };
	db_bind_str(&calls[0].params, plan_mode);
	if (db_run(db, a, calls, n, err) == -1)
		return -1;
	*out = calls[n - 1].result;
	return 0;
}

/*
 * Those whose names begin so, of which the exact one is as it is now; where nothing is asked, all crates of
 * the project.
 */
static int
find_names(struct db *db, struct arena *a, const struct search_ask *ask, struct db_result *out,
    struct err *err)
{
	bool is_asked = ask->query->name[0] != '\0';
	struct db_call calls[3] = { { 0 } };
	size_t n = 1;
	struct db_params *p;

	/* before the names are read: what somebody else has brought up to date by then, they have */
	if (is_asked)
		crate_due_look_call(&calls[n++], a, &ask->project_id, 1, ask->query->name);
	p = &calls[n].params;
	calls[n++].stmt = is_asked ? STMT_SEARCH_NAMES : STMT_SEARCH_ALL;
	db_bind_int(p, ask->project_id);
	if (is_asked)
		db_bind_str(p, ask->query->name);
	bind_page(p, ask);
	if (run(db, a, calls, n, "force_generic_plan", out, err) == -1)
		return -1;
	return is_asked && crate_due_update_looked(db, a, &calls[1])
	    ? run(db, a, calls, n, "force_generic_plan", out, err)
	    : 0;
}

/* Binds what search_words and search_ranked begin with. */
static void
bind_words(struct db_params *p, const struct search_ask *ask, bool is_begun)
{
	const struct search_query *q = ask->query;

	db_bind_int(p, ask->project_id);
	db_bind_str(p, q->name);
	db_bind_str(p, is_begun ? q->begun : q->words);
	db_bind_str(p, q->text);
	db_bind_bool(p, is_begun);
}

/* Crates that have the words. */
struct met {
	const char *ids; /* of the best, as PostgreSQL writes an array; NULL: there are none */
	int64_t others; /* how many have names that do not begin so */
};

static int
find_words(struct db *db, struct arena *a, const struct search_ask *ask, bool is_begun,
    struct met *met, struct err *err)
{
	enum { COLUMNS_SEARCH_WORDS };
	struct db_call calls[2] = { { 0 }, { .stmt = STMT_SEARCH_WORDS } };
	struct db_params *p = &calls[1].params;
	struct db_result r;

	bind_words(p, ask, is_begun);
	db_bind_int(p, ask->offset + ask->limit <= FIRST_MAX ? FIRST_MAX : SEARCH_FOUND_MAX);
	if (run(db, a, calls, 2, "force_custom_plan", &r, err) == -1)
		return -1;
	*met = (struct met) { .others = db_int(&r, 0, OTHERS) };
	if (!db_is_null(&r, 0, IDS))
		met->ids = db_str(&r, 0, IDS);
	return 0;
}

/* By name and by words. */
static int
rank(struct db *db, struct arena *a, const struct search_ask *ask, bool is_begun,
    const struct met *met, struct db_result *out, struct err *err)
{
	struct db_call calls[2] = { { 0 }, { .stmt = STMT_SEARCH_RANKED } };
	struct db_params *p = &calls[1].params;

	bind_words(p, ask, is_begun);
	db_bind_str(p, met->ids);
	db_bind_int(p, met->others);
	bind_page(p, ask);
	return run(db, a, calls, 2, "force_generic_plan", out, err);
}

static int
find_alike(struct db *db, struct arena *a, const struct search_ask *ask, struct db_result *out,
    struct err *err)
{
	struct db_call calls[2] = { { 0 }, { .stmt = STMT_SEARCH_ALIKE } };
	struct db_params *p = &calls[1].params;

	db_bind_int(p, ask->project_id);
	db_bind_str(p, ask->query->name);
	db_bind_str(p, ask->query->like);
	bind_page(p, ask);
	return run(db, a, calls, 2, "force_generic_plan", out, err);
}

static int
find(struct db *db, struct arena *a, const struct search_ask *ask, struct db_result *out,
    struct err *err)
{
	const struct search_query *q = ask->query;
	struct met met;
	int64_t named;

	if (find_names(db, a, ask, out, err) == -1)
		return -1;
	named = db_int(out, 0, TOTAL);
	if (q->name[0] == '\0' || named >= SEARCH_FOUND_MAX)
		return 0;
	if (find_words(db, a, ask, named > 0, &met, err) == -1)
		return -1;
	if (met.ids != NULL)
		return rank(db, a, ask, named > 0, &met, out, err);
	/* the names are all there is, and known */
	return named > 0 || q->like == NULL ? 0 : find_alike(db, a, ask, out, err);
}

/* The first row has the total, and perhaps a crate. */
static void
read_hits(const struct db_result *r, struct arena *a, struct search_hit **out, size_t *n, int64_t *total)
{
	*total = db_int(r, 0, TOTAL);
	*n = 0;
	*out = arena_calloc(a, (size_t)r->rows, sizeof(**out));
	for (int i = 0; i < r->rows && !db_is_null(r, i, NAME); i++)
		(*out)[(*n)++] = (struct search_hit) {
			.name = db_str(r, i, NAME),
			.max_version = db_str(r, i, MAX_VERSION),
			.description = db_str(r, i, DESCRIPTION),
		};
}

int
search_crates(struct db *db, struct arena *a, const struct search_ask *ask,
    struct search_hit **out, size_t *n, int64_t *total, struct err *err)
{
	struct db_result r;

	if (find(db, a, ask, &r, err) == -1)
		return -1;
	read_hits(&r, a, out, n, total);
	return 0;
}

int
search_group(struct db *db, struct arena *a, const struct search_ask *ask, int64_t group_id,
    const int64_t *projects, size_t nprojects, struct search_hit **out, size_t *n, int64_t *total,
    struct err *err)
{
	const struct search_query *q = ask->query;
	struct db_call calls[3] = { { 0 } };
	struct db_params *p;
	struct db_result r;
	size_t ncalls = 1;

	if (q->name[0] != '\0')
		crate_due_look_call(&calls[ncalls++], a, projects, nprojects, q->name);
	p = &calls[ncalls].params;
	calls[ncalls++].stmt = STMT_VIEW_SEARCH;
	db_bind_int(p, group_id);
	db_bind_ids(p, a, projects, nprojects);
	db_bind_str(p, q->name);
	db_bind_str(p, q->like);
	db_bind_str(p, q->words);
	db_bind_str(p, q->text);
	bind_page(p, ask);
	if (run(db, a, calls, ncalls, "force_custom_plan", &r, err) == -1)
		return -1;
	if (q->name[0] != '\0' && crate_due_update_looked(db, a, &calls[1]) &&
	    run(db, a, calls, ncalls, "force_custom_plan", &r, err) == -1)
		return -1;
	read_hits(&r, a, out, n, total);
	return 0;
}

int
search_weigh(struct db *db, struct arena *a, int64_t *after, int64_t *n, struct err *err)
{
	enum { COLUMNS_SEARCH_WEIGH };
	struct db_call call = { .stmt = STMT_SEARCH_WEIGH };

	db_bind_int(&call.params, *after);
	if (db_run(db, a, &call, 1, err) == -1)
		return -1;
	*after = db_int_or_0(&call.result, 0, LAST);
	*n = db_int(&call.result, 0, WRITTEN);
	return 0;
}
