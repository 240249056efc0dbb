#include "store/web/page_rows.h"

#include <string.h>

/* Of every statement here. */
enum { COLUMNS_PAGE_ROW };

struct page_rows
page_rows_of(const struct page_rows *rows, const char *part)
{
	struct page_rows found = { rows->v, 0 };

	for (size_t i = 0; i < rows->n; i++) {
		if (strcmp(rows->v[i].part, part) != 0)
			continue;
		if (found.n++ == 0)
			found.v = &rows->v[i];
	}
	return found;
}

int64_t
page_rows_number(const struct page_rows *rows, const char *part)
{
	struct page_rows found = page_rows_of(rows, part);

	return found.n > 0 ? found.v[0].number : 0;
}

static int
read_rows(struct db *db, struct arena *a, struct db_call *call, struct page_rows *rows, struct err *err)
{
	const struct db_result *r = &call->result;

	if (db_run(db, a, call, 1, err) == -1)
		return -1;
	rows->n = (size_t)r->rows;
	rows->v = arena_calloc(a, rows->n, sizeof(*rows->v));
	for (int i = 0; i < r->rows; i++)
		rows->v[i] = (struct page_row) {
			.facts.project_id = db_int_or_0(r, i, PROJECT_ID),
			.part = db_str(r, i, PART),
			.name = db_str(r, i, NAME),
			.version = db_str(r, i, VERSION),
			.about = db_str(r, i, ABOUT),
			.at = db_time(r, i, AT),
			.number = db_int(r, i, NUMBER),
		};
	return 0;
}

/* The projects of the rows, each once. */
static size_t
projects_of(const struct page_rows *rows, int64_t *ids)
{
	size_t n = 0;

	for (size_t i = 0; i < rows->n; i++) {
		int64_t id = rows->v[i].facts.project_id;
		size_t k = 0;

		while (k < n && ids[k] != id)
			k++;
		if (k == n && id != 0)
			ids[n++] = id;
	}
	return n;
}

/* Rows whose project the primary does not have any more get no facts: nobody may read them. */
int
page_rows_facts(struct db *db, struct arena *a, int64_t user_id, struct page_rows *rows, struct err *err)
{
	struct access_facts *facts;
	int64_t *ids = arena_calloc(a, rows->n, sizeof(*ids));
	size_t nids, nfacts;

	nids = projects_of(rows, ids);
	if (nids == 0)
		return 0;
	if (access_facts_viewer_listed(db, a, user_id, ids, nids, &facts, &nfacts, err) == -1)
		return -1;
	for (size_t i = 0; i < rows->n; i++) {
		struct access_facts *f = &rows->v[i].facts;
		int64_t id = f->project_id;

		*f = access_facts_none;
		for (size_t k = 0; k < nfacts && id != 0; k++) {
			if (facts[k].project_id == id)
				*f = facts[k];
		}
	}
	return 0;
}

int
page_rows_front(struct db *db, struct arena *a, int64_t user_id, const char *mirror_url,
    struct page_rows *rows, struct err *err)
{
	struct db_call call = { .stmt = STMT_PAGE_FRONT };

	db_bind_id(&call.params, user_id);
	db_bind_str(&call.params, mirror_url);
	return read_rows(db, a, &call, rows, err);
}

int64_t
page_rust(const char *version)
{
	enum { PARTS = 3, DIGITS = 3, THOUSAND = 1000 };
	int64_t number = 0;

	for (int i = 0; i < PARTS; i++) {
		int64_t part = 0;
		size_t n = strspn(version, "0123456789");

		if (n > DIGITS || (n == 0 && i == 0))
			return 0;
		for (size_t k = 0; k < n; k++)
			part = part * 10 + (version[k] - '0');
		number = number * THOUSAND + part;
		version += n;
		/* a missing part is 0, and after a dot another part must follow */
		if (*version == '.' && n > 0 && i + 1 < PARTS && version[1] != '\0')
			version++;
	}
	return *version == '\0' ? number : 0;
}

int
page_rows_search(struct db *db, struct arena *a, int64_t user_id, const struct page_search_ask *ask,
    struct page_rows *rows, struct err *err)
{
	const struct search_query *q = ask->query;
	struct db_call call = { .stmt = q->name[0] != '\0' ? STMT_PAGE_SEARCH : STMT_PAGE_LIST };
	struct db_params *p = &call.params;

	db_bind_id(p, user_id);
	db_bind_str(p, ask->project);
	db_bind_int(p, ask->range.limit);
	db_bind_int(p, ask->range.offset);
	db_bind_str(p, ask->keyword);
	db_bind_str(p, ask->license);
	db_bind_id(p, ask->rust);
	db_bind_id(p, ask->yanked);
	if (call.stmt == STMT_PAGE_SEARCH) {
		db_bind_str(p, q->name);
		db_bind_str(p, q->like);
		db_bind_str(p, q->words);
		db_bind_str(p, q->text);
	}
	return read_rows(db, a, &call, rows, err);
}

int
page_rows_alike(struct db *db, struct arena *a, int64_t user_id, const char *name, struct page_rows *rows,
    struct err *err)
{
	struct db_call call = { .stmt = STMT_PAGE_ALIKE };

	db_bind_id(&call.params, user_id);
	db_bind_str(&call.params, name);
	return read_rows(db, a, &call, rows, err);
}

int
page_rows_projects(struct db *db, struct arena *a, int64_t user_id, struct page_range range,
    struct page_rows *rows, struct err *err)
{
	struct db_call call = { .stmt = STMT_PAGE_PROJECTS };

	db_bind_id(&call.params, user_id);
	db_bind_int(&call.params, range.limit);
	db_bind_int(&call.params, range.offset);
	return read_rows(db, a, &call, rows, err);
}

int
page_rows_group(struct db *db, struct arena *a, int64_t user_id, int64_t group_id, bool members,
    struct page_range range, struct page_rows *rows, struct err *err)
{
	struct db_call call = { .stmt = STMT_PAGE_GROUP };

	db_bind_id(&call.params, user_id);
	db_bind_int(&call.params, range.limit);
	db_bind_int(&call.params, range.offset);
	db_bind_int(&call.params, group_id);
	db_bind_bool(&call.params, members);
	return read_rows(db, a, &call, rows, err);
}

int
page_rows_project(struct db *db, struct arena *a, int64_t project_id, bool crates, bool members,
    struct page_range range, struct page_rows *rows, struct err *err)
{
	struct db_call call = { .stmt = STMT_PAGE_PROJECT };

	db_bind_int(&call.params, project_id);
	db_bind_bool(&call.params, crates);
	db_bind_bool(&call.params, members);
	db_bind_int(&call.params, range.limit);
	db_bind_int(&call.params, range.offset);
	return read_rows(db, a, &call, rows, err);
}

int
page_rows_feed(struct db *db, struct arena *a, int64_t project_id, const char *crate, int64_t n,
    struct page_rows *rows, struct err *err)
{
	struct db_call call = { .stmt = STMT_PAGE_FEED };

	db_bind_int(&call.params, project_id);
	db_bind_str(&call.params, crate);
	db_bind_int(&call.params, n);
	return read_rows(db, a, &call, rows, err);
}
