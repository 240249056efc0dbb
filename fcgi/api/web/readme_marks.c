#include "api/web/readme_marks.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include <cmark-gfm.h>

#include "base/url.h"

static const struct mark {
	const char *written, *shown;
} boxes[] = {
	{ "[ ] ", "\xe2\x98\x90 " }, { "[x] ", "\xe2\x98\x91 " },
}, titles[] = {
	{ "[!NOTE]", "Note:" }, { "[!TIP]", "Tip:" }, { "[!IMPORTANT]", "Important:" }, { "[!WARNING]", "Warning:" },
	{ "[!CAUTION]", "Caution:" },
};

static bool
has_type(cmark_node *node, cmark_node_type type)
{
	return node != NULL && cmark_node_get_type(node) == type;
}

/* The text with which the node begins, below its first paragraph; NULL: it begins with something else. */
static cmark_node *
first_text(cmark_node *block)
{
	cmark_node *paragraph = cmark_node_first_child(block);
	cmark_node *text = has_type(paragraph, CMARK_NODE_PARAGRAPH) ? cmark_node_first_child(paragraph) : NULL;

	return has_type(text, CMARK_NODE_TEXT) ? text : NULL;
}

static cmark_node *
new_text(const char *text)
{
	cmark_node *node = cmark_node_new(CMARK_NODE_TEXT);

	cmark_node_set_literal(node, text);
	return node;
}

/* Puts the new node where the old one is. */
static void
replace(cmark_node *old, cmark_node *new)
{
	if (cmark_node_insert_before(old, new))
		cmark_node_free(old);
	else
		cmark_node_free(new);
}

static void
show_box(cmark_node *item)
{
	cmark_node *text = first_text(item);

	for (size_t i = 0; text != NULL && i < sizeof(boxes) / sizeof(*boxes); i++) {
		const char *literal = cmark_node_get_literal(text);
		size_t n = strlen(boxes[i].written);

		if (strncasecmp(literal, boxes[i].written, n) == 0) {
			cmark_node_insert_before(text, new_text(boxes[i].shown));
			replace(text, new_text(literal + n));
			return;
		}
	}
}

static void
show_title(cmark_node *quotation)
{
	cmark_node *text = first_text(quotation), *next = text == NULL ? NULL : cmark_node_next(text), *title;

	if (text == NULL || (next != NULL && !has_type(next, CMARK_NODE_SOFTBREAK)))
		return;
	for (size_t i = 0; i < sizeof(titles) / sizeof(*titles); i++) {
		if (strcasecmp(cmark_node_get_literal(text), titles[i].written) == 0) {
			title = cmark_node_new(CMARK_NODE_STRONG);
			cmark_node_append_child(title, new_text(titles[i].shown));
			replace(text, title);
			return;
		}
	}
}

/* Begins a line if a footnote follows. */
static void
break_line(cmark_node *gap)
{
	cmark_node *next = cmark_node_next(gap);
	const char *text = has_type(next, CMARK_NODE_TEXT) ? cmark_node_get_literal(next) : "";

	if (strncmp(text, "[^", 2) == 0 && strstr(text, "]:") != NULL)
		replace(gap, cmark_node_new(CMARK_NODE_LINEBREAK));
}

/* Is it a word, and no address below the crate or in the README? */
static bool
is_word(const char *url)
{
	return url[0] != '#' && strchr(url, '/') == NULL && !url_is_web(slice_str(url));
}

/* Markdown takes a footnote of one word for the address of a link. */
static void
show_word(cmark_node *link)
{
	cmark_node *text = cmark_node_first_child(link);
	const char *name = has_type(text, CMARK_NODE_TEXT) ? cmark_node_get_literal(text) : "";
	const char *url = cmark_node_get_url(link);

	if (name[0] != '^' || name[1] == '\0' || strchr(name, ' ') != NULL || !is_word(url) ||
	    cmark_node_next(text) != NULL)
		return;
	cmark_node_insert_before(link, new_text("["));
	cmark_node_insert_before(link, new_text(name));
	cmark_node_insert_before(link, new_text(": "));
	cmark_node_insert_before(link, new_text(url));
	replace(link, new_text("]"));
}

void
readme_marks_show(struct cmark_node *document)
{
	cmark_iter *iter = cmark_iter_new(document);
	cmark_event_type event;

	while ((event = cmark_iter_next(iter)) != CMARK_EVENT_DONE) {
		cmark_node *node = cmark_iter_get_node(iter);
		cmark_node_type type = cmark_node_get_type(node);

		/* a block changes once what it holds is done */
		if (type == CMARK_NODE_SOFTBREAK)
			break_line(node);
		else if (type == CMARK_NODE_ITEM && event == CMARK_EVENT_EXIT)
			show_box(node);
		else if (type == CMARK_NODE_BLOCK_QUOTE && event == CMARK_EVENT_EXIT)
			show_title(node);
		else if (type == CMARK_NODE_LINK && event == CMARK_EVENT_EXIT)
			show_word(node);
	}
	cmark_iter_free(iter);
}
