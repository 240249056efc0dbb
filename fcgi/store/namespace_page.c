#include "store/namespace_page.h"

/* Paths are ASCII. */
static const char *
lower(struct arena *a, const char *text)
{
	char *s = arena_strdup(a, text);

	for (char *p = s; *p != '\0'; p++) {
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	}
	return s;
}

/* The statements of a list. */
struct list {
	enum stmt count, page, page_desc;
	void (*bind)(struct db_params *, struct arena *, int64_t token_id, const struct namespace_choice *);
};

static void
bind_projects(struct db_params *p, struct arena *a, int64_t token_id, const struct namespace_choice *choice)
{
	db_bind_id(p, token_id);
	db_bind_id(p, choice->group_id);
	db_bind_bool(p, choice->below);
	db_bind_str(p, choice->part != NULL ? lower(a, choice->part) : NULL);
	db_bind_str(p, choice->visibility);
	db_bind_int(p, choice->least);
}

static void
bind_groups(struct db_params *p, struct arena *a, int64_t token_id, const struct namespace_choice *choice)
{
	db_bind_id(p, token_id);
	db_bind_id(p, choice->group_id);
	db_bind_bool(p, !choice->below);
	db_bind_str(p, choice->part != NULL ? lower(a, choice->part) : NULL);
	db_bind_int(p, choice->least);
	db_bind_ids(p, a, choice->skipped, choice->nskipped);
}

static int
read_page(struct db *db, struct arena *a, int64_t token_id, const struct list *list,
    const struct namespace_choice *choice, struct namespace_page *page, struct err *err)
{
	enum { COLUMNS_ACCESS_PROJECTS_COUNT };
	enum { COLUMNS_ACCESS_PROJECTS_PAGE };
	enum { COUNT, PAGE, NCALLS };
	struct db_call calls[NCALLS] = { [COUNT] = { .stmt = list->count },
		[PAGE] = { .stmt = choice->descending ? list->page_desc : list->page } };
	const struct db_result *r = &calls[PAGE].result;

	list->bind(&calls[COUNT].params, a, token_id, choice);
	list->bind(&calls[PAGE].params, a, token_id, choice);
	db_bind_int(&calls[PAGE].params, choice->limit);
	db_bind_int(&calls[PAGE].params, choice->offset);
	if (db_run(db, a, calls, NCALLS, err) == -1)
		return -1;
	page->total = db_int(&calls[COUNT].result, 0, TOTAL);
	page->n = (size_t)r->rows;
	page->ids = arena_calloc(a, page->n, sizeof(*page->ids));
	for (int i = 0; i < r->rows; i++)
		page->ids[i] = db_int(r, i, ID);
	return 0;
}

int
namespace_page_projects(struct db *db, struct arena *a, int64_t token_id,
    const struct namespace_choice *choice, struct namespace_page *page, struct err *err)
{
	static const struct list projects = { STMT_ACCESS_PROJECTS_COUNT, STMT_ACCESS_PROJECTS_PAGE,
		STMT_ACCESS_PROJECTS_PAGE_DESC, bind_projects };

	return read_page(db, a, token_id, &projects, choice, page, err);
}

int
namespace_page_groups(struct db *db, struct arena *a, int64_t token_id,
    const struct namespace_choice *choice, struct namespace_page *page, struct err *err)
{
	static const struct list groups = { STMT_ACCESS_GROUPS_COUNT, STMT_ACCESS_GROUPS_PAGE,
		STMT_ACCESS_GROUPS_PAGE_DESC, bind_groups };

	return read_page(db, a, token_id, &groups, choice, page, err);
}
