#include "api/web/readme_html.h"

#include <string.h>

#include <cmark-gfm.h>

#include "api/web/html_read.h"
#include "base/scan.h"

enum { TEXT_MAX = 1 << 20 }; /* a README is much shorter */

/* What a tag does; one that is not here does nothing. */
enum effect {
	NONE,
	BLOCK, /* a paragraph of its own */
	HEADING, /* and its level is the digit of its name */
	VERBATIM, /* keeps its blanks and lines */
	GAP, /* apart from what is beside it, in the same line */
	BREAK,
	IMAGE,
	LINK,
	HIDDEN /* none of it is to be read */
};

static const struct {
	const char *name;
	enum effect effect;
} elements[] = {
	{ "a", LINK }, { "address", BLOCK }, { "article", BLOCK }, { "aside", BLOCK }, { "blockquote", BLOCK },
	{ "br", BREAK }, { "caption", BLOCK }, { "center", BLOCK }, { "dd", BLOCK }, { "details", BLOCK },
	{ "div", BLOCK }, { "dl", BLOCK }, { "dt", BLOCK }, { "figcaption", BLOCK }, { "figure", BLOCK },
	{ "footer", BLOCK }, { "h1", HEADING }, { "h2", HEADING }, { "h3", HEADING }, { "h4", HEADING },
	{ "h5", HEADING }, { "h6", HEADING }, { "header", BLOCK }, { "hr", BLOCK }, { "img", IMAGE },
	{ "li", BLOCK }, { "main", BLOCK }, { "nav", BLOCK }, { "ol", BLOCK }, { "option", GAP }, { "p", BLOCK },
	{ "pre", VERBATIM }, { "script", HIDDEN }, { "section", BLOCK }, { "style", HIDDEN }, { "summary", BLOCK },
	{ "table", BLOCK }, { "td", GAP }, { "th", GAP }, { "tr", BLOCK }, { "ul", BLOCK },
};

static enum effect
effect_of(struct slice name)
{
	for (size_t i = 0; i < sizeof(elements) / sizeof(*elements); i++) {
		if (html_read_is(name, elements[i].name))
			return elements[i].effect;
	}
	return NONE;
}

/* Puts the text behind all that the node holds. */
static void
append_text(cmark_node *node, const char *text)
{
	cmark_node *own = cmark_node_new(CMARK_NODE_TEXT);

	if (!cmark_node_set_literal(own, text) || !cmark_node_append_child(node, own))
		cmark_node_free(own);
}

static cmark_node *
new_image(struct arena *a, const struct html_token *tag)
{
	static const struct {
		const char *name;
		int (*set)(cmark_node *, const char *);
	} attributes[] = { { "src", cmark_node_set_url }, { "title", cmark_node_set_title } };
	cmark_node *image = cmark_node_new(CMARK_NODE_IMAGE);
	const char *alt = html_read_attribute(a, tag, "alt");

	for (size_t i = 0; i < sizeof(attributes) / sizeof(*attributes); i++) {
		const char *value = html_read_attribute(a, tag, attributes[i].name);

		if (value != NULL)
			attributes[i].set(image, value);
	}
	if (alt != NULL && alt[0] != '\0')
		append_text(image, alt);
	return image;
}

/* A link without a text yet; NULL: the tag is none. */
static cmark_node *
new_link(struct arena *a, const struct html_token *tag)
{
	const char *url = html_read_attribute(a, tag, "href");
	cmark_node *link = url == NULL ? NULL : cmark_node_new(CMARK_NODE_LINK);

	if (link != NULL)
		cmark_node_set_url(link, url);
	return link;
}

/* The blocks that replace one block of HTML. */
struct writing {
	struct arena *arena;
	cmark_node *html; /* the new blocks are before it */
	cmark_node *block; /* the paragraph or heading that gets the next text; NULL: none has begun */
	cmark_node *link; /* in the block; NULL: none has begun */
	int level; /* of the next heading; 0: it is a paragraph */
	bool is_verbatim;
	bool gap; /* blanks are before the next text */
	struct buf text; /* what was read and is in no node yet */
};

/* Blocks in the items of a list are only apart if the list is not tight. */
static void
insert_block(struct writing *w, cmark_node *block)
{
	cmark_node *item = cmark_node_parent(w->html);

	if (!cmark_node_insert_before(w->html, block)) {
		cmark_node_free(block);
	} else if (cmark_node_get_type(item) == CMARK_NODE_ITEM) {
		cmark_node_set_list_tight(cmark_node_parent(item), 0);
	}
}

static void
begin_block(struct writing *w)
{
	if (w->block != NULL)
		return;
	w->block = cmark_node_new(w->level > 0 ? CMARK_NODE_HEADING : CMARK_NODE_PARAGRAPH);
	if (w->level > 0)
		cmark_node_set_heading_level(w->block, w->level);
}

/* Blanks at the beginning of a block are left out. */
static void
fill_gap(struct writing *w)
{
	if (w->gap && w->block != NULL)
		buf_putc(&w->text, ' ');
	w->gap = false;
}

static void
end_text(struct writing *w)
{
	if (w->text.n > 0)
		append_text(w->link != NULL ? w->link : w->block, buf_str(&w->text));
	buf_reset(&w->text);
}

static void
end_link(struct writing *w)
{
	if (w->link == NULL)
		return;
	end_text(w);
	w->link = NULL;
}

static void
end_block(struct writing *w)
{
	if (w->is_verbatim && w->text.n > 0) {
		w->block = cmark_node_new(CMARK_NODE_CODE_BLOCK);
		cmark_node_set_literal(w->block, buf_str(&w->text));
		buf_reset(&w->text);
	}
	end_link(w);
	end_text(w);
	if (w->block != NULL) {
		insert_block(w, w->block);
		w->level = 0;
	}
	w->block = NULL;
	w->is_verbatim = false;
	w->gap = false;
}

/* Puts a node behind what the block has. */
static void
put_node(struct writing *w, cmark_node *node)
{
	fill_gap(w);
	begin_block(w);
	end_text(w);
	if (!cmark_node_append_child(w->link != NULL ? w->link : w->block, node))
		cmark_node_free(node);
}

static void
put_text(struct writing *w, struct slice text)
{
	struct buf decoded;

	if (w->is_verbatim) {
		if (w->text.n == 0)
			scan_char(&text, '\n');
		html_read_text(&w->text, text);
		return;
	}
	buf_init(&decoded, w->arena, text.n);
	html_read_text(&decoded, text);
	for (size_t i = 0; i < decoded.n; i++) {
		if (strchr(" \t\r\n\f", decoded.p[i]) != NULL) {
			w->gap = true;
			continue;
		}
		fill_gap(w);
		begin_block(w);
		buf_putc(&w->text, decoded.p[i]);
	}
}

static void
put_image(struct writing *w, const struct html_token *tag)
{
	const char *alt = html_read_attribute(w->arena, tag, "alt");

	if (!w->is_verbatim)
		put_node(w, new_image(w->arena, tag));
	else if (alt != NULL)
		buf_puts(&w->text, alt);
}

static void
begin_link(struct writing *w, const struct html_token *tag)
{
	cmark_node *link = w->is_verbatim ? NULL : new_link(w->arena, tag);

	end_link(w);
	if (link == NULL)
		return;
	put_node(w, link);
	w->link = link;
}

static void
put_tag(struct writing *w, const struct html_token *tag, struct slice *html)
{
	bool begins = tag->kind == HTML_TAG;
	enum effect effect = effect_of(tag->name);

	if (effect == BLOCK || effect == HEADING || effect == VERBATIM)
		end_block(w);
	if (effect == HEADING)
		w->level = 0;
	if (effect == GAP)
		w->gap = true;
	else if (effect == LINK && !begins)
		end_link(w);
	else if (!begins)
		return;
	else if (effect == HEADING)
		w->level = tag->name.p[1] - '0';
	else if (effect == VERBATIM)
		w->is_verbatim = true;
	else if (effect == BREAK && w->is_verbatim)
		buf_putc(&w->text, '\n');
	else if (effect == BREAK && w->block != NULL)
		put_node(w, cmark_node_new(CMARK_NODE_LINEBREAK));
	else if (effect == IMAGE)
		put_image(w, tag);
	else if (effect == LINK)
		begin_link(w, tag);
	else if (effect == HIDDEN)
		html_read_past(html, tag->name);
}

static void
replace_block(struct arena *a, cmark_node *node)
{
	struct writing w = { .arena = a, .html = node };
	struct slice html = slice_str(cmark_node_get_literal(node));
	struct html_token token;

	buf_init(&w.text, a, TEXT_MAX);
	while (html_read(&html, &token)) {
		if (token.kind == HTML_TEXT)
			put_text(&w, token.rest);
		else
			put_tag(&w, &token, &html);
	}
	end_block(&w);
	cmark_node_free(node);
}

/* The tags of a paragraph, each a node, between those of its texts. */
struct reading {
	struct arena *arena;
	cmark_iter *iter;
	cmark_node *anchor; /* the tag that begins a link whose end was not read yet; NULL: there is none */
	int links; /* links of Markdown around the node */
	bool in_cell; /* of a table */
};

static bool
read_tag(cmark_node *node, struct html_token *tag)
{
	struct slice html = slice_str(cmark_node_get_literal(node));

	return html_read(&html, tag) && tag->kind != HTML_TEXT;
}

static void
forget_anchor(struct reading *r)
{
	if (r->anchor != NULL)
		cmark_node_free(r->anchor);
	r->anchor = NULL;
}

/* All that is between the tags <a> and </a> becomes a link. */
static void
wrap_link(struct reading *r, cmark_node *end)
{
	struct html_token tag;
	cmark_node *link, *inner;

	if (r->anchor == NULL || cmark_node_parent(r->anchor) != cmark_node_parent(end) ||
	    !read_tag(r->anchor, &tag))
		return;
	link = new_link(r->arena, &tag);
	if (!cmark_node_insert_before(r->anchor, link)) {
		cmark_node_free(link);
		return;
	}
	while ((inner = cmark_node_next(r->anchor)) != end) {
		if (!cmark_node_append_child(link, inner))
			cmark_node_free(inner);
	}
	forget_anchor(r);
}

/* Frees what follows the tag, up to its end tag.  The iterator must not stay at what goes. */
static void
drop_hidden(struct reading *r, cmark_node *node, struct slice name)
{
	const char *element = arena_slicedup(r->arena, name);
	cmark_node *next;
	bool ends = false;

	while (!ends && (next = cmark_node_next(node)) != NULL) {
		struct html_token tag;

		ends = cmark_node_get_type(next) == CMARK_NODE_HTML_INLINE && read_tag(next, &tag) &&
		    tag.kind == HTML_END_TAG && html_read_is(tag.name, element);
		cmark_node_free(next);
	}
	cmark_iter_reset(r->iter, node, CMARK_EVENT_ENTER);
}

/* A cell of a table may have no line breaks of cmark; the style sheet shows its newlines. */
static void
insert_break(const struct reading *r, cmark_node *node)
{
	cmark_node *own = cmark_node_new(r->in_cell ? CMARK_NODE_TEXT : CMARK_NODE_LINEBREAK);

	if ((r->in_cell && !cmark_node_set_literal(own, "\n")) || !cmark_node_insert_before(node, own))
		cmark_node_free(own);
}

static void
replace_inline(struct reading *r, cmark_node *node)
{
	struct html_token tag;
	enum effect effect = read_tag(node, &tag) ? effect_of(tag.name) : NONE;
	bool begins = effect != NONE && tag.kind == HTML_TAG;
	cmark_node *image;

	if (effect == LINK && begins && r->links == 0 && html_read_attribute(r->arena, &tag, "href") != NULL) {
		forget_anchor(r);
		r->anchor = node;
		return;
	}
	if (effect == LINK && !begins) {
		wrap_link(r, node);
	} else if (effect == IMAGE && begins) {
		image = new_image(r->arena, &tag);
		if (!cmark_node_insert_before(node, image))
			cmark_node_free(image);
	} else if (effect == HIDDEN && begins) {
		drop_hidden(r, node, tag.name);
	} else if ((effect == BREAK || effect == BLOCK) && begins && cmark_node_previous(node) != NULL) {
		insert_break(r, node);
	}
	cmark_node_free(node);
}

void
readme_html_replace(struct arena *a, cmark_node *document)
{
	struct reading r = { .arena = a, .iter = cmark_iter_new(document) };
	cmark_event_type event;

	while ((event = cmark_iter_next(r.iter)) != CMARK_EVENT_DONE) {
		cmark_node *node = cmark_iter_get_node(r.iter);
		cmark_node_type type = cmark_node_get_type(node);
		bool begins = event == CMARK_EVENT_ENTER;

		/* a link in a link ends it, and one whose end is not in the same paragraph is none */
		if (type == CMARK_NODE_LINK || (r.anchor != NULL && node == cmark_node_parent(r.anchor)))
			forget_anchor(&r);
		if (strcmp(cmark_node_get_type_string(node), "table_cell") == 0)
			r.in_cell = begins;
		if (type == CMARK_NODE_LINK)
			r.links += begins ? 1 : -1;
		else if (type == CMARK_NODE_HTML_BLOCK)
			replace_block(a, node);
		else if (type == CMARK_NODE_HTML_INLINE)
			replace_inline(&r, node);
	}
	cmark_iter_free(r.iter);
}
