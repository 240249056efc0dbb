#include "api/web/search_page.h"

#include <inttypes.h>
#include <string.h>

#include "api/web/search_html.h"
#include "api/web/templates.h"
#include "crate/search_query.h"

enum { SEARCH_ROWS = 20 };

/* The parameters of the address, in its order. */
enum asked { QUERY, PROJECT, KEYWORD, LICENSE, RUST, YANKED, PAGE, PARAMS };

static const char *const names[PARAMS] = {
	[QUERY] = "q",
	[PROJECT] = "project",
	[KEYWORD] = "keyword",
	[LICENSE] = "license",
	[RUST] = "rust",
	[YANKED] = "yanked",
	[PAGE] = "page",
};

/* The filters of a search.  A parameter has the name of its part of the rows. */
static const struct {
	enum asked param;
	const char *title;
	const char *suffix; /* of a value for people */
} facets[SEARCH_FACETS] = {
	{ PROJECT, "Project", "" },
	{ KEYWORD, "Keyword", "" },
	{ LICENSE, "Licence", "" },
	{ RUST, "Rust", " or earlier" },
	{ YANKED, "Yanked versions", "" },
};

/* The values of `yanked`; the index is the number in struct page_search_ask. */
static const char *const yanked[] = { "", "some", "all" };

/* The address of the same search with another value of that parameter; "": without. */
static const struct html_pair *
with(struct arena *a, const char *const *asked, enum asked param, const char *value)
{
	struct html_pair *pairs = arena_calloc(a, PARAMS + 1, sizeof(*pairs));

	for (int i = 0; i < PARAMS; i++)
		pairs[i] = (struct html_pair) { names[i], i == (int)param ? value : i == PAGE ? NULL : asked[i] };
	return pairs;
}

/* Adds one facet with the chosen value, or with all values, unless all crates have the same one. */
static void
add_facet(struct page *page, const char *const *asked, const struct page_rows *rows, size_t i,
    struct search_html *s)
{
	struct search_facet *f = &s->facets[s->nfacets];
	enum asked param = facets[i].param;
	struct arena *a = page->rq->arena;
	bool is_chosen = asked[param][0] != '\0';
	struct page_rows found = page_rows_of(rows, names[param]);

	if (param == PROJECT)
		found = page_rows_judged(page, rows, names[param], page_may_read);
	if (!is_chosen && (found.n == 0 || (found.n == 1 && found.v[0].number == s->turn.total)))
		return;
	*f = (struct search_facet) { .title = facets[i].title, .is_chosen = is_chosen };
	f->choices = arena_calloc(a, is_chosen ? 1 : found.n, sizeof(*f->choices));
	s->nfacets++;
	if (is_chosen) {
		f->choices[f->n++] = (struct search_choice) {
			.label = arena_printf(a, "%s%s", asked[param], facets[i].suffix),
			.query = with(a, asked, param, "") };
		return;
	}
	for (; f->n < found.n; f->n++) {
		const char *value = param == PROJECT ? found.v[f->n].facts.full_path : found.v[f->n].name;

		f->choices[f->n] = (struct search_choice) { arena_printf(a, "%s%s", value, facets[i].suffix),
			found.v[f->n].number, with(a, asked, param, value) };
	}
}

/* *narrowed: the request has a filter.  -1: 400. */
static int
read_narrowing(const char *const *asked, struct page_search_ask *ask, bool *narrowed, struct err *err)
{
	const size_t n = sizeof(yanked) / sizeof(*yanked);

	for (size_t i = 0; i < SEARCH_FACETS; i++)
		*narrowed |= asked[facets[i].param][0] != '\0';
	ask->project = asked[PROJECT][0] != '\0' ? asked[PROJECT] : NULL;
	ask->keyword = asked[KEYWORD][0] != '\0' ? asked[KEYWORD] : NULL;
	ask->license = asked[LICENSE][0] != '\0' ? asked[LICENSE] : NULL;
	ask->rust = page_rust(asked[RUST]);
	if (asked[RUST][0] != '\0' && ask->rust == 0)
		return err_set(err, 400, "rust must be a version such as 1.70");
	while (ask->yanked < (int64_t)n && strcmp(yanked[ask->yanked], asked[YANKED]) != 0)
		ask->yanked++;
	return ask->yanked < (int64_t)n ? 0 : err_set(err, 400, "yanked must be some or all");
}

/* Finds crates with similar names: a letter of the word may be wrong. */
static int
find_alike(struct page *page, const char *name, struct search_html *s)
{
	struct request *rq = page->rq;
	struct page_rows rows;

	if (page_rows_alike(page_db(page), rq->arena, page->user_id, name, &rows, &rq->err) == -1 ||
	    page_find_facts(page, &rows) == -1)
		return -1;
	s->crates = page_rows_judged(page, &rows, "crate", page_may_read);
	return 0;
}

static int
find(struct page *page, const char *const *asked, struct search_html *s)
{
	struct request *rq = page->rq;
	struct page_search_ask ask = { .range = page_turn_range(&s->turn) };
	struct search_query query;
	struct page_rows rows;

	if (read_narrowing(asked, &ask, &s->is_narrowed, &rq->err) == -1 ||
	    search_query_check(slice_str(asked[QUERY]), &rq->err) == -1)
		return -1;
	search_query_parse(rq->arena, slice_str(asked[QUERY]), &query);
	s->has_words = query.name[0] != '\0';
	s->is_short = s->has_words && query.like == NULL;
	if (!s->has_words && !s->is_narrowed)
		return 0;
	ask.query = &query;
	if (page_rows_search(page_db(page), rq->arena, page->user_id, &ask, &rows, &rq->err) == -1 ||
	    page_find_facts(page, &rows) == -1)
		return -1;
	s->crates = page_rows_judged(page, &rows, "crate", page_may_read);
	s->turn.total = page_rows_number(&rows, "total");
	s->is_cut = page_rows_of(&rows, "total").v[0].at != 0;
	for (size_t i = 0; i < SEARCH_FACETS; i++)
		add_facet(page, asked, &rows, i, s);
	return s->turn.total == 0 && !s->is_narrowed ? find_alike(page, query.name, s) : 0;
}

static int
show(struct page *page)
{
	struct arena *a = page->rq->arena;
	struct params params = { .rq = page->rq, .form = slice_str("") };
	const char *asked[PARAMS];
	struct search_html s = { .nfacets = 0 };

	for (int i = 0; i < PARAMS; i++) {
		asked[i] = "";
		if (i != PAGE && params_str(&params, names[i], &asked[i]) == -1)
			return -1;
	}
	if (page_turn_read(page, SEARCH_ROWS, &s.turn) == -1 || find(page, asked, &s) == -1)
		return -1;
	page->query = asked[QUERY];
	page->title = s.has_words ? arena_printf(a, "%s - search", page->query) : "Search";
	s.previous = with(a, asked, PAGE, arena_printf(a, "%" PRId64, page_turn_before(&s.turn)));
	s.next = with(a, asked, PAGE, arena_printf(a, "%" PRId64, s.turn.number + 1));
	html_search(&page->html, page, &s);
	return 0;
}

int
search_page(struct call *call, struct request *rq, struct response *rs)
{
	return page_run(call, rq, rs, show);
}
