#ifndef HTTP_HTML_H
#define HTTP_HTML_H

/*
 * HTML out.  The one place where text becomes HTML: whatever was not written by us in these sources
 * goes through html_text(), in elements and in quoted attributes alike.
 */

#include "base/buf.h"

/* Escapes & < > " and '; NULL writes nothing. */
void html_text(struct buf *, const char *text);

/* Our own markup, in which each %s becomes a text, escaped, and %% a percent sign. */
void html_printf(struct buf *, const char *markup, ...) __attribute__((format(printf, 2, 3)));

#endif
