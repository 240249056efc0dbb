#ifndef API_WEB_DIFF_HTML_H
#define API_WEB_DIFF_HTML_H

/* The data of the pages of api/web/diff_page.h, for html/diff.html. */

#include "api/web/page.h"
#include "crate/inspect/diff_text.h"
#include "store/web/page_crate.h"

/* A dependency, feature or other part of a manifest that differs. */
struct diff_row {
	const char *name;
	const char *old, *new; /* its value in each version; NULL: it has none */
};

struct diff_rows {
	struct diff_row *v;
	size_t n;
};

struct diff_html {
	const char *path; /* of the project */
	struct page_crumbs crumbs;
	const struct page_crate *old; /* NULL: there is none before */
	const struct page_crate *new;
	struct diff_rows manifest, dependencies, features;
	struct diff_text text;
	int64_t added, removed, changed; /* files */
	const char *why; /* a sentence: why no file is shown; NULL: they are */
};

/* A sentence: why no line of the file is shown. */
const char *diff_html_why(const struct diff_file *);

#endif
