#ifndef API_WEB_SOURCE_HTML_H
#define API_WEB_SOURCE_HTML_H

/* The data of the pages of api/web/source_page.h, for html/source.html. */

#include "api/web/page.h"

enum {
	SOURCE_SHOWN_FILES = 5000, /* in a list */
	SOURCE_SHOWN_BYTES = 256 << 10, /* of a text */
	SOURCE_SHOWN_LINES = 10000
};

struct source_file {
	const char *path;
	int64_t size;
	bool has_page; /* source_html_has_page() */
};

struct source_html {
	const char *path; /* of the project */
	struct page_crumbs crumbs;
	const char *crate, *version;
	struct source_file *files; /* by path */
	size_t nfiles, nshown; /* all; and no more than SOURCE_SHOWN_FILES, or than a page can hold */
	const char *file; /* the one that is shown; NULL: all are listed */
	int64_t size; /* of it */
	const char **lines; /* of a text */
	size_t nlines;
	const char *why; /* a sentence: why no line is shown; NULL: they are */
};

/*
 * Can an address name that file of a version?  The longest paths, encoded, are too long for one, and the path
 * in a manifest may have what request_takes_path() refuses.
 */
bool source_html_has_page(const char *project, const char *crate, const char *version, const char *file);

#endif
