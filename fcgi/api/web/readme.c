#include "api/web/readme.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cmark-gfm-core-extensions.h>
#include <cmark-gfm.h>

#include "api/web/heading_names.h"
#include "api/web/readme_html.h"
#include "api/web/readme_marks.h"
#include "base/hex.h"
#include "base/url.h"
#include "base/utf8.h"

#define ANCHOR "readme-" /* begins the ids of headings */

enum {
	HEADING_BELOW = 2, /* <h1> is the crate, <h2> says that this is its README */
	HEADING_MAX = 6,
	CODE_MAX = 6 * README_SHOWN_MAX, /* bytes, escaped */
	HTML_MAX = 2 << 20,
	PATH_MAX_BYTES = 1024, /* no file of a crate has a longer one */
	URL_MAX = 4096
};

/* cmark must read the same text as people do, so the characters become visible before it reads the text. */
static struct slice
make_visible(struct arena *a, struct slice text)
{
	enum { GROWTH = 4 }; /* three bytes become at most twelve */
	struct buf b;

	buf_init(&b, a, (size_t)GROWTH * README_SHOWN_MAX);
	html_visible(&b, text);
	return buf_slice(&b);
}

/* Is the file Markdown, by its name?  A name without an extension says nothing, so its text is Markdown. */
static bool
is_markdown(const char *file)
{
	static const char *const extensions[] = {
		".md", ".markdown", ".mdown", ".mdwn", ".mkd", ".mkdn", ".mkdown",
	};
	const char *slash = file != NULL ? strrchr(file, '/') : NULL;
	const char *name = slash != NULL ? slash + 1 : file;
	const char *dot = name != NULL ? strrchr(name, '.') : NULL;

	/* the first character of a name begins no extension */
	if (dot == name)
		return true;
	for (size_t i = 0; dot != NULL && i < sizeof(extensions) / sizeof(*extensions); i++) {
		if (strcasecmp(dot, extensions[i]) == 0)
			return true;
	}
	return dot == NULL;
}

/* Up to the last whole line that fits. */
static struct slice
cut(const char *markdown, bool *is_cut)
{
	size_t n = strlen(markdown);

	*is_cut = n > README_SHOWN_MAX;
	if (!*is_cut)
		return slice_of(markdown, n);
	n = README_SHOWN_MAX;
	while (n > 0 && markdown[n - 1] != '\n')
		n--;
	return slice_of(markdown, n);
}

/* Counts the constructs for which cmark needs much time or memory. */
struct effort {
	size_t brackets, tags, tables, cells;
	size_t width; /* columns of the table that the line may be in; 0: it is in none */
	size_t bare; /* bytes that it may read to find bare URLs */
};

/* The number of nested lists and quotations that a line opens. */
static size_t
count_nested(struct slice line)
{
	size_t n = 0;

	for (size_t i = 0; i < line.n && strchr("0123456789*+-.)> \t", line.p[i]) != NULL; i++)
		n += line.p[i] == '>' || (strchr("*+-.)", line.p[i]) != NULL && i + 1 < line.n &&
		    (line.p[i + 1] == ' ' || line.p[i + 1] == '\t'));
	return n;
}

static size_t
count(struct slice line, char c)
{
	size_t n = 0;

	for (size_t i = 0; i < line.n; i++)
		n += line.p[i] == c;
	return n;
}

/* How often cmark may look for a bare URL, or for its end: each time it may read the whole line. */
static size_t
count_bare(struct slice line)
{
	static const char www[] = "www.";
	size_t n = count(line, ':') + count(line, '@') + count(line, ')');
	const char *p = line.p, *end = line.p + line.n;

	for (; (p = memmem(p, (size_t)(end - p), www, strlen(www))) != NULL; p += strlen(www))
		n++;
	return n;
}

/* Is it the line between the head of a table and its rows? */
static bool
is_rule(struct slice line)
{
	for (size_t i = 0; i < line.n; i++) {
		if (strchr("|-: \t\r>", line.p[i]) == NULL)
			return false;
	}
	return count(line, '|') > 0 && count(line, '-') > 0;
}

/* Counts the constructs of a line.  True: the text exceeds a limit. */
static bool
add_line(struct effort *e, struct slice line)
{
	size_t columns = count(line, '|');

	e->brackets += count(line, '[');
	e->bare += count_bare(line) * line.n;
	for (size_t i = 0; i + 1 < line.n; i++)
		e->tags += line.p[i] == '<' && (line.p[i + 1] == '?' || line.p[i + 1] == '!');
	if (is_rule(line)) {
		e->tables++;
		e->width = columns + 1 > e->width ? columns + 1 : e->width;
	} else if (line.n == 0) {
		e->width = 0;
	}
	/* a row has as many cells as the head, however short it is */
	e->cells += e->width;
	return e->brackets > README_BRACKETS_MAX || e->tags > README_TAGS_MAX ||
	       e->tables > README_TABLES_MAX || e->cells > README_CELLS_MAX || columns > README_COLUMNS_MAX ||
	       count_nested(line) > README_NESTED_MAX;
}

/* Does cmark need a time that grows faster than the text?  *bare: not even if it looks for bare URLs. */
static bool
is_slow(struct slice text, bool *bare)
{
	struct effort effort = { .width = 0 };

	*bare = false;
	while (text.n > 0) {
		const char *end = memchr(text.p, '\n', text.n);
		size_t n = end == NULL ? text.n : (size_t)(end - text.p);

		if (add_line(&effort, slice_of(text.p, n)))
			return true;
		n += end != NULL;
		text = slice_of(text.p + n, text.n - n);
	}
	*bare = effort.bare <= README_BARE_MAX;
	return false;
}

static void
put_plain(struct arena *a, struct slice text, struct buf *b)
{
	buf_puts(b, "<pre tabindex=\"0\">");
	html_text(b, arena_slicedup(a, text));
	buf_puts(b, "</pre>\n");
}

/* The headings to which links may lead. */
struct headings {
	struct heading_names names;
	struct {
		cmark_node *node;
		bool has_anchor;
	} v[HEADING_NAMES_MAX];
};

/* What a rendering needs beside the text. */
struct rendering {
	struct arena *arena;
	const struct readme_source *source;
	bool bare; /* bare URLs become links */
	struct headings headings;
	bool has_images;
};

/* What the node holds takes its place. */
static void
unwrap(cmark_node *node)
{
	cmark_node *child;

	while ((child = cmark_node_first_child(node)) != NULL) {
		if (!cmark_node_insert_before(node, child))
			cmark_node_free(child);
	}
	cmark_node_free(node);
}

/* Writes the text of all that the node holds. */
static void
put_text(cmark_node *node, struct buf *b)
{
	cmark_iter *iter = cmark_iter_new(node);

	while (cmark_iter_next(iter) != CMARK_EVENT_DONE) {
		cmark_node *inner = cmark_iter_get_node(iter);
		cmark_node_type type = cmark_node_get_type(inner);

		if (type == CMARK_NODE_TEXT || type == CMARK_NODE_CODE)
			buf_puts(b, cmark_node_get_literal(inner));
		else if (type == CMARK_NODE_SOFTBREAK || type == CMARK_NODE_LINEBREAK)
			buf_putc(b, ' ');
	}
	cmark_iter_free(iter);
}

/* Code that is wider than the page can be scrolled by keys. */
static void
change_code(struct arena *a, cmark_node *node)
{
	cmark_node *own = cmark_node_new(CMARK_NODE_CUSTOM_BLOCK);
	struct buf b;

	buf_init(&b, a, CODE_MAX);
	buf_puts(&b, "<pre tabindex=\"0\"><code>");
	html_text(&b, cmark_node_get_literal(node));
	buf_puts(&b, "</code></pre>");
	if (!buf_full(&b) && cmark_node_set_on_enter(own, buf_str(&b)) && cmark_node_insert_before(node, own))
		cmark_node_free(node);
	else
		cmark_node_free(own);
}

static void
change_heading(cmark_node *node)
{
	int level = cmark_node_get_heading_level(node) + HEADING_BELOW;

	cmark_node_set_heading_level(node, level > HEADING_MAX ? HEADING_MAX : level);
}

/* Is the address relative: without scheme and host, and not only a place in this page? */
static bool
is_relative(const char *url)
{
	return url[0] != '\0' && strncmp(url, "//", 2) != 0 && url[strcspn(url, ":/?#")] != ':' &&
	    strchr("?#", url[0]) == NULL;
}

/* Decodes the path of an address, up to its query.  False: it has a byte that no path of a crate has. */
static bool
decode(struct slice url, struct buf *path)
{
	for (size_t i = 0; i < url.n; i++) {
		int c = (unsigned char)url.p[i];

		if (c == '%' && i + 2 < url.n && hex_digit(url.p[i + 1]) != -1 && hex_digit(url.p[i + 2]) != -1) {
			c = hex_digit(url.p[i + 1]) * 16 + hex_digit(url.p[i + 2]);
			i += 2;
		}
		if (c < ' ' || c == '\\')
			return false;
		buf_putc(path, (char)c);
	}
	return !buf_full(path) && utf8_valid(buf_slice(path));
}

/* Adds one name to the path.  False: it leads out of the crate. */
static bool
walk(struct buf *path, struct slice name)
{
	if (name.n == 0 || slice_is(name, "."))
		return true;
	if (!slice_is(name, "..")) {
		buf_puts(path, path->n > 0 ? "/" : "");
		buf_put_slice(path, name);
		return true;
	}
	if (path->n == 0)
		return false;
	while (path->n > 0 && path->p[--path->n] != '/')
		continue;
	return true;
}

static bool
walk_all(struct buf *path, struct slice names)
{
	bool good = true;

	while (good && names.n > 0) {
		const char *slash = memchr(names.p, '/', names.n);
		size_t n = slash != NULL ? (size_t)(slash - names.p) : names.n;

		good = walk(path, slice_of(names.p, n));
		n += slash != NULL;
		names = slice_of(names.p + n, names.n - n);
	}
	return good && !buf_full(path);
}

/* The path of the crate's file to which a link leads; "": a folder; NULL: none. */
static const char *
find_file(struct arena *a, const char *url, const char *readme)
{
	const char *slash = readme != NULL ? strrchr(readme, '/') : NULL;
	struct slice folder = slice_of(readme, slash != NULL && url[0] != '/' ? (size_t)(slash - readme) : 0);
	struct buf names, path;

	buf_init(&names, a, PATH_MAX_BYTES);
	buf_init(&path, a, PATH_MAX_BYTES);
	if (!decode(slice_of(url, strcspn(url, "?#")), &names) || !walk_all(&path, folder) ||
	    !walk_all(&path, buf_slice(&names)))
		return NULL;
	/* a folder has no page: the page of all files replaces it */
	if (path.n == 0 || names.p[names.n - 1] == '/')
		return "";
	return arena_slicedup(a, buf_slice(&path));
}

/*
 * The address of a file of the crate, with the number of a line if the link has one; NULL: it is no such
 * link.
 */
static const char *
source_of(struct arena *a, const char *url, const struct readme_source *source)
{
	const char *file = is_relative(url) ? find_file(a, url, source->file) : NULL;
	const char *line = strstr(url, "#L");
	struct buf b;

	if (file == NULL)
		return NULL;
	buf_init(&b, a, URL_MAX);
	buf_puts(&b, source->list);
	if (file[0] != '\0') {
		buf_putc(&b, '/');
		html_path(&b, file);
	}
	if (line != NULL && line[2] != '\0' && line[2 + strspn(line + 2, "0123456789")] == '\0')
		buf_puts(&b, line);
	return buf_full(&b) ? NULL : buf_str(&b);
}

/* Gives the heading an id, once.  The prefix keeps it apart from the ids of the page. */
static bool
put_anchor(struct rendering *r, size_t i)
{
	cmark_node *own;
	struct buf b;

	if (r->headings.v[i].has_anchor)
		return true;
	buf_init(&b, r->arena, URL_MAX);
	buf_puts(&b, "<span id=\"" ANCHOR);
	html_text(&b, r->headings.names.v[i].name);
	buf_puts(&b, "\"></span>");
	own = cmark_node_new(CMARK_NODE_CUSTOM_INLINE);
	r->headings.v[i].has_anchor = cmark_node_set_on_enter(own, buf_str(&b)) &&
	    cmark_node_prepend_child(r->headings.v[i].node, own);
	if (!r->headings.v[i].has_anchor)
		cmark_node_free(own);
	return r->headings.v[i].has_anchor;
}

/* The address of the README's heading to which a link leads; NULL: it leads to none. */
static const char *
heading_of(struct rendering *r, const char *url)
{
	const struct heading_names *names = &r->headings.names;
	struct buf name;
	size_t i;

	buf_init(&name, r->arena, PATH_MAX_BYTES);
	if (!decode(slice_str(url + 1), &name))
		return NULL;
	i = heading_names_find(r->arena, names, buf_slice(&name));
	return i == names->n || !put_anchor(r, i) ? NULL :
	    arena_printf(r->arena, "#" ANCHOR "%s", names->v[i].name);
}

/* A link without a text, such as one whose image has none, cannot be seen, only reached by keys. */
static bool
is_invisible(cmark_node *link)
{
	cmark_node *node = cmark_node_first_child(link);

	for (; node != NULL; node = cmark_node_next(node)) {
		cmark_node_type type = cmark_node_get_type(node);
		const char *text = type == CMARK_NODE_TEXT ? cmark_node_get_literal(node) : "";

		if ((type != CMARK_NODE_TEXT && type != CMARK_NODE_SOFTBREAK && type != CMARK_NODE_LINEBREAK) ||
		    text[strspn(text, " \t\r\n")] != '\0')
			return false;
	}
	return true;
}

static void
change_link(struct rendering *r, cmark_node *node)
{
	const char *url = cmark_node_get_url(node);

	if (is_invisible(node)) {
		unwrap(node);
		return;
	}
	if (url == NULL)
		url = "";
	if (url_is_web(slice_str(url)))
		return;
	url = url[0] == '#' ? heading_of(r, url) : source_of(r->arena, url, r->source);
	if (url == NULL || !cmark_node_set_url(node, url))
		unwrap(node);
}

/* May a browser load the image?  No URL of an image needs a user, whose password all readers would see. */
static bool
is_remote_image(const char *url)
{
	return url != NULL && url_is_https(slice_str(url)) && url_user(slice_str(url)).n == 0;
}

/* Is the node in another image, and so a part of its alternative text? */
static bool
is_alternative(cmark_node *node)
{
	do
		node = cmark_node_parent(node);
	while (node != NULL && cmark_node_get_type(node) != CMARK_NODE_IMAGE);
	return node != NULL;
}

/* Where it may not stay, its alternative text does. */
static void
change_image(struct rendering *r, cmark_node *node)
{
	if (r->source->images && is_remote_image(cmark_node_get_url(node)) && !is_alternative(node))
		r->has_images = true;
	else
		unwrap(node);
}

/* Changes a node with children when these are done; a leaf has only one event. */
static void
change(struct rendering *r, cmark_event_type event, cmark_node *node)
{
	bool ends = event == CMARK_EVENT_EXIT;
	cmark_node_type type = cmark_node_get_type(node);

	if (type == CMARK_NODE_CODE_BLOCK)
		change_code(r->arena, node);
	else if (type == CMARK_NODE_HEADING && !ends)
		change_heading(node);
	else if (type == CMARK_NODE_IMAGE && ends)
		change_image(r, node);
	else if (type == CMARK_NODE_LINK && ends)
		change_link(r, node);
}

static void
name_headings(struct rendering *r, cmark_node *document)
{
	struct heading_names *names = &r->headings.names;
	cmark_iter *iter = cmark_iter_new(document);
	cmark_event_type event;

	while (names->n < HEADING_NAMES_MAX && (event = cmark_iter_next(iter)) != CMARK_EVENT_DONE) {
		cmark_node *node = cmark_iter_get_node(iter);
		struct buf text;

		if (event != CMARK_EVENT_ENTER || cmark_node_get_type(node) != CMARK_NODE_HEADING)
			continue;
		buf_init(&text, r->arena, README_SHOWN_MAX);
		put_text(node, &text);
		r->headings.v[names->n].node = node;
		heading_names_add(r->arena, names, buf_slice(&text));
	}
	cmark_iter_free(iter);
}

static cmark_parser *
new_parser(bool bare)
{
	static const char *const extensions[] = { "table", "strikethrough", "autolink" };
	cmark_parser *parser;

	cmark_gfm_core_extensions_ensure_registered();
	parser = cmark_parser_new(CMARK_OPT_VALIDATE_UTF8);
	/* the last one finds bare URLs */
	for (size_t i = 0; i + !bare < sizeof(extensions) / sizeof(*extensions); i++)
		cmark_parser_attach_syntax_extension(parser, cmark_find_syntax_extension(extensions[i]));
	return parser;
}

/*
 * Copies the HTML, and adds attributes to images.  Each "<img " is an image, since cmark escapes the "<" of a
 * text.  References such as `&#8238;` have become characters, so html_visible() is needed again.
 */
static void
put_html(struct buf *b, const char *html)
{
	const char *image;

	while ((image = strstr(html, "<img ")) != NULL) {
		html_visible(b, slice_of(html, (size_t)(image - html)));
		buf_puts(b, "<img loading=\"lazy\" referrerpolicy=\"no-referrer\" ");
		html = image + strlen("<img ");
	}
	html_visible(b, slice_str(html));
}

static void
put_rendered(struct rendering *r, struct slice text, struct buf *b)
{
	cmark_parser *parser = new_parser(r->bare);
	cmark_node *document;
	cmark_iter *iter;
	cmark_event_type event;
	char *html;

	cmark_parser_feed(parser, text.p, text.n);
	document = cmark_parser_finish(parser);
	readme_html_replace(r->arena, document);
	readme_marks_show(document);
	name_headings(r, document);
	iter = cmark_iter_new(document);
	while ((event = cmark_iter_next(iter)) != CMARK_EVENT_DONE)
		change(r, event, cmark_iter_get_node(iter));
	cmark_iter_free(iter);
	/* without CMARK_OPT_UNSAFE: if any HTML were left, it would be left out here */
	html = cmark_render_html(document, CMARK_OPT_DEFAULT, cmark_parser_get_syntax_extensions(parser));
	put_html(b, html);
	free(html);
	cmark_node_free(document);
	cmark_parser_free(parser);
}

void
readme_render(struct arena *a, const char *markdown, const struct readme_source *source,
    struct readme *readme)
{
	struct slice text = make_visible(a, cut(markdown, &readme->is_cut));
	struct rendering r = { .arena = a, .source = source };
	bool is_plain = !is_markdown(source->file) || is_slow(text, &r.bare);
	struct buf b;

	buf_init(&b, a, HTML_MAX);
	if (!is_plain)
		put_rendered(&r, text, &b);
	if (is_plain || buf_full(&b)) {
		buf_reset(&b);
		r.has_images = false;
		put_plain(a, text, &b);
	}
	readme->has_images = r.has_images;
	readme->markup = (struct html_markup) { buf_slice(&b) };
}
