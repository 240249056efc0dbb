#ifndef API_WEB_README_H
#define API_WEB_README_H

/*
 * The README of a crate, Markdown that anybody may have written, as HTML: text, lists, tables, code, and
 * links to web servers.  Nothing in it runs, or closes an element around it: no HTML of the author stays,
 * only its texts, links and images do (readme_html.h), and a link that leads to no web server becomes its
 * text.  Only the modules readme and readme_* include cmark.
 *
 * An image becomes its alternative text, so that the README loads nothing.  If the project allows images, one
 * of another web server stays if its URL has https and no user.  The browser sends that server no referrer,
 * and asks it only once the image is near the window.
 *
 * A link such as [Usage](#usage) leads to that heading.  Ids of headings begin with "readme-", and no other
 * id of a page does.
 *
 * A link to another file of the crate leads to its source.  An image of the crate becomes its text as well:
 * each image would be a request for which a worker waits for the inspector, so a README with many images
 * would stop all workers from reading; and browsers would decode files that anybody has published.
 *
 * A README whose name has another extension than Markdown has, such as README.txt, is shown as plain text.
 *
 * Time and memory are bounded: a text for which cmark would need much more than its length, such as one
 * with long rows of brackets, is shown as plain text.  Where only its bare URLs would take so long, they are
 * no links.
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
	README_CELLS_MAX = 100000,
	README_BARE_MAX = 16 << 20 /* bytes in which to look for bare URLs; with more, these stay text */
};

struct readme {
	struct html_markup markup;
	bool is_cut;
	bool has_images; /* of other web servers */
};

/* The addresses of the other files of the version. */
struct readme_source {
	const char *list; /* the address of all files of the version; a file is below it */
	const char *file; /* the README's own path; NULL: README.md */
	bool images; /* those of other web servers may stay */
};

/* The markup lives as long as the arena.  Its headings begin at <h3>. */
void readme_render(struct arena *, const char *markdown, const struct readme_source *, struct readme *);

#endif
