#ifndef API_WEB_README_H
#define API_WEB_README_H

/*
 * The README of a crate, Markdown that anybody may have written, as HTML: text, lists, tables, code, and
 * links to web servers.  Nothing of it runs, loads anything, or ends what is around it: HTML in the text is
 * left out, an image is the text that stands for it, and so is a link that leads to no web server.  Only
 * this module includes cmark.
 *
 * Time and memory are bounded: what would make cmark need much more than its length, as long rows of brackets
 * do, is shown as plain text.
 */

#include "base/arena.h"
#include "http/html.h"

enum {
	README_SHOWN_MAX = 64 << 10, /* bytes; what follows is left out */
	/* with more than that it is plain text: */
	README_BRACKETS_MAX = 2000, /* `[` */
	README_TAGS_MAX = 500, /* `<?` and `<!` */
	README_NESTED_MAX = 32, /* lists and quotations that begin in one line */
	README_COLUMNS_MAX = 64, /* `|` in a line */
	README_TABLES_MAX = 64,
	README_CELLS_MAX = 100000
};

struct readme {
	struct html_markup markup;
	bool is_cut;
};

/* The markup lives as long as the arena.  Its headings begin at <h3>. */
void readme_render(struct arena *, const char *markdown, struct readme *);

#endif
