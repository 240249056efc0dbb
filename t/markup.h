#ifndef T_MARKUP_H
#define T_MARKUP_H

/*
 * What is wrong with HTML that was made of a text: whatever is not among the few elements and attributes that
 * it may have, closed in order.
 */

#include <stdio.h>
#include <string.h>

#include "base/slice.h"
#include "base/url.h"

enum { MARKUP_DEPTH = 200000 };

/* Where links to other files of the crate lead. */
#define MARKUP_SOURCE "/-/source"

static inline bool
markup_is(struct slice name, const char *list)
{
	char word[34];

	if (name.n == 0 || name.n > 31)
		return false;
	snprintf(word, sizeof(word), " %.*s ", (int)name.n, name.p);
	return strstr(list, word) != NULL;
}

/* One attribute, up to its end; NULL: it is none that may be. */
static inline const char *
markup_attribute(const char *p)
{
	struct slice name = slice_of(p, strcspn(p, "=\" >"));
	const char *value = p + name.n + 2, *end;

	if (p[name.n] != '=' || p[name.n + 1] != '"' ||
	    !markup_is(name, " href id title align tabindex start src alt loading referrerpolicy "))
		return NULL;
	end = strchr(value, '"');
	if (end == NULL || memchr(value, '<', (size_t)(end - value)) != NULL ||
	    memchr(value, '>', (size_t)(end - value)) != NULL)
		return NULL;
	if (slice_is(name, "src") && (!url_is_https(slice_of(value, (size_t)(end - value))) ||
	    url_user(slice_of(value, (size_t)(end - value))).n > 0))
		return NULL;
	if (slice_is(name, "id") && strncmp(value, "readme-", strlen("readme-")) != 0)
		return NULL;
	if (slice_is(name, "href") && !url_is_web(slice_of(value, (size_t)(end - value))) &&
	    strncmp(value, MARKUP_SOURCE, strlen(MARKUP_SOURCE)) != 0 &&
	    strncmp(value, "#readme-", strlen("#readme-")) != 0)
		return NULL;
	return end + 1;
}

/* "": nothing is; else where it begins. */
static inline const char *
markup_fault(const char *html)
{
	static const char elements[] = " h3 h4 h5 h6 p em strong del code pre a ul ol li blockquote hr br table "
	                               "thead tbody tr th td img span ";
	static struct slice open[MARKUP_DEPTH];
	size_t depth = 0;

	for (const char *p = html; (p = strchr(p, '<')) != NULL;) {
		const char *tag = p;
		bool ends = p[1] == '/';
		struct slice name;

		p += 1 + ends;
		name = slice_of(p, strspn(p, "abcdefghijklmnopqrstuvwxyz0123456789"));
		p += name.n;
		if (!markup_is(name, elements))
			return tag;
		while (*p == ' ' && p[1] != '/' && !ends) {
			p = markup_attribute(p + 1);
			if (p == NULL)
				return tag;
		}
		if (strncmp(p, " />", 3) == 0) {
			p += 3;
			continue;
		}
		if (*p++ != '>')
			return tag;
		if (ends ? depth == 0 || !slice_equal(open[--depth], name) : depth == MARKUP_DEPTH)
			return tag;
		if (!ends)
			open[depth++] = name;
	}
	return depth == 0 ? "" : "not closed";
}

#endif
