#include "store/project_page.h"

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

static void
bind_choice(struct db_params *p, struct arena *a, int64_t token_id, const struct project_choice *choice)
{
	db_bind_id(p, token_id);
	db_bind_id(p, choice->group_id);
	db_bind_bool(p, choice->below);
	db_bind_str(p, choice->part != NULL ? lower(a, choice->part) : NULL);
	db_bind_str(p, choice->visibility);
	db_bind_int(p, choice->least);
}

int
project_page_read(struct db *db, struct arena *a, int64_t token_id, const struct project_choice *choice,
    struct project_page *page, struct err *err)
{
	enum { COUNT, PAGE, NCALLS };
	struct db_call calls[NCALLS] = { [COUNT] = { .stmt = STMT_ACCESS_PROJECTS_COUNT },
		[PAGE] = { .stmt = choice->descending ? STMT_ACCESS_PROJECTS_PAGE_DESC
		                                      : STMT_ACCESS_PROJECTS_PAGE } };
	const struct db_result *r = &calls[PAGE].result;

	bind_choice(&calls[COUNT].params, a, token_id, choice);
	bind_choice(&calls[PAGE].params, a, token_id, choice);
	db_bind_int(&calls[PAGE].params, choice->limit);
	db_bind_int(&calls[PAGE].params, choice->offset);
	if (db_run(db, a, calls, NCALLS, err) == -1)
		return -1;
	page->total = db_int(&calls[COUNT].result, 0, 0);
	page->n = (size_t)r->rows;
	page->ids = arena_calloc(a, page->n, sizeof(*page->ids));
	for (int i = 0; i < r->rows; i++)
		page->ids[i] = db_int(r, i, 0);
	return 0;
}
