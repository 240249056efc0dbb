#ifndef API_WEB_HTML_READ_H
#define API_WEB_HTML_READ_H

/*
 * Reads HTML that anybody may have written: its texts, its tags and their attributes.  No HTML is refused:
 * everything else is a text.  Comments and declarations are passed over.  The time is linear in the
 * length.
 */

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/slice.h"

struct html_token {
	enum { HTML_TEXT, HTML_TAG, HTML_END_TAG } kind;
	struct slice name; /* of the element, as written; a text has none */
	struct slice rest; /* a text, or what the tag has behind the name */
};

/* Takes the next token off the HTML.  False: there is none. */
bool html_read(struct slice *html, struct html_token *);

/* Passes over all up to the next end tag of the element and the tag itself; without one, over the rest. */
void html_read_past(struct slice *html, struct slice name);

/* Is it a tag of the element?  The case of letters does not matter. */
bool html_read_is(struct slice name, const char *element);

/* An attribute of a tag, with its references decoded; NULL: it has none of this name. */
const char *html_read_attribute(struct arena *, const struct html_token *tag, const char *name);

/*
 * Writes a text with its references decoded: all numbers, and the names that people use most.  Others stay as
 * written.
 */
void html_read_text(struct buf *, struct slice text);

#endif
