#ifndef API_WEB_SEARCH_HTML_H
#define API_WEB_SEARCH_HTML_H

/* The data of the page of api/web/search_page.h, for html/search.html. */

#include "api/web/page.h"
#include "http/html.h"

enum { SEARCH_FACETS = 5 };

struct search_choice {
	const char *label;
	int64_t number; /* of the crates that match with it */
	const struct html_pair *query; /* of the page with it; of one that is chosen, without it */
};

struct search_facet {
	const char *title;
	bool is_chosen; /* then that is the only one */
	struct search_choice *choices;
	size_t n;
};

struct search_html {
	struct page_rows crates; /* if the total is 0, crates with similar names */
	struct search_facet facets[SEARCH_FACETS]; /* with something to choose */
	size_t nfacets;
	bool has_words, is_narrowed; /* neither: the page searches for nothing */
	bool is_short; /* the words have too few letters to be found inside names */
	bool is_cut; /* more crates may match, which the search has not read */
	struct page_turn turn;
	const struct html_pair *previous, *next; /* pages */
};

#endif
