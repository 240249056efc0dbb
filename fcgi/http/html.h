#ifndef HTTP_HTML_H
#define HTTP_HTML_H

/*
 * The filters of templates (scripts/html2c), which write HTML and XML.  Only templates have markup; every
 * other text passes one of these functions, in elements and in quoted attributes alike.
 */

#include <stdint.h>

#include "base/buf.h"

/*
 * Escapes & < > " and '; NULL writes nothing.  A character that changes the order in which a text is shown
 * becomes visible, as by html_visible(): with it, source code can look different from what a compiler reads
 * (CVE-2021-42574).
 */
void html_text(struct buf *, const char *text);

/* The same for a text with names in backticks: each pair of them becomes an element, <code>name</code>. */
void html_sentence(struct buf *, const char *text);

/*
 * The same as html_text() for XML 1.0: U+FFFD replaces a character that XML does not allow, such as most
 * control characters.
 */
void html_xml(struct buf *, const char *text);

/*
 * Writes a text for a renderer: escapes nothing, and writes the characters that change its order as
 * "‹U+202E›".
 */
void html_visible(struct buf *, struct slice text);

/* "1234567": a number in an address, or a number that is a name. */
void html_number(struct buf *, int64_t);

/* "1 234 567": a number for people, with spaces that do not break lines. */
void html_count(struct buf *, int64_t);

/* "740 B", "12.3 kB", "4.0 MB": bytes for people. */
void html_size(struct buf *, int64_t bytes);

/* The day of a time in seconds since 1970, in UTC, as an element: <time datetime="...">2026-11-29</time>. */
void html_day(struct buf *, int64_t seconds);

/* "2026-11-29T12:00:00Z": a time in seconds since 1970, for programs. */
void html_time(struct buf *, int64_t seconds);

/*
 * A text as one segment of an address, or as a value of its query: all bytes but letters, digits and -._~
 * become %XX.
 */
void html_part(struct buf *, const char *text);

/* The same for the path of a group or a project: slashes stay. */
void html_path(struct buf *, const char *path);

/*
 * The query of an address, after its path: "?name=value&name=value"; a value that is NULL or "" is left
 * out.
 */
struct html_pair {
	const char *name, *value;
};
void html_query(struct buf *, const struct html_pair *); /* the last has no name */

/*
 * The beginning of an address of ours: the path of external_url, or for readers elsewhere the whole
 * external_url.
 */
void html_base(struct buf *, const char *path);

/* The rest of the address of a file that pages refer to: ASSET_NAME of api/web/assets.h. */
void html_asset(struct buf *, const char *asset);

/* A whole address that somebody else wrote.  Writes nothing if url_is_web() refuses it. */
void html_link(struct buf *, const char *url);

/* HTML whose author guarantees that nothing in it runs, or closes an element around it. */
struct html_markup {
	struct slice html;
};
void html_safe(struct buf *, struct html_markup);

#endif
