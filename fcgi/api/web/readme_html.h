#ifndef API_WEB_README_HTML_H
#define API_WEB_README_HTML_H

/*
 * The HTML in a README, which anybody may have written, as Markdown that says the same.  Its texts become
 * paragraphs, headings and code; images, links and line breaks become those of Markdown, so that the same
 * rules apply to them.  All other tags are left out, as are scripts, style sheets and comments.
 */

#include "base/arena.h"

struct cmark_node;

/* No HTML is left in the document.  The time and the memory are linear in the length of the text. */
void readme_html_replace(struct arena *, struct cmark_node *document);

#endif
