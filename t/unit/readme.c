/* api/web/readme: Markdown as HTML that only says something. */
#include "api/web/readme.h"

#include <stdlib.h>
#include <time.h>

#include "markup.h"
#include "tap.h"

static struct arena *arena;
static struct readme_source source = { MARKUP_SOURCE, NULL, false };

static const char *
render(const char *markdown)
{
	struct readme readme;

	readme_render(arena, markdown, &source, &readme);
	return arena_slicedup(arena, readme.markup.html);
}

/* A text as the name of a test. */
static const char *
line_of(const char *text)
{
	char *line = arena_strdup(arena, text);

	for (char *p = line; *p != '\0'; p++) {
		if ((unsigned char)*p < ' ')
			*p = ' ';
	}
	return line;
}

static void
test_says(void)
{
	static const struct {
		const char *markdown, *want;
	} cases[] = {
		{ "", "" },
		{ "# A\n\n## B\n\n###### C\n", "<h3>A</h3>\n<h4>B</h4>\n<h6>C</h6>\n" },
		{ "*a* **b** ~~c~~ `d<`", "<p><em>a</em> <strong>b</strong> <del>c</del> <code>d&lt;</code></p>\n" },
		{ "[a](https://a.example/?x&y)", "<p><a href=\"https://a.example/?x&amp;y\">a</a></p>\n" },
		{ "<https://a.example/>", "<p><a href=\"https://a.example/\">https://a.example/</a></p>\n" },
		{ "see https://a.example/x_y_z?q=1&r, then (http://b.example).",
		    "<p>see <a href=\"https://a.example/x_y_z?q=1&amp;r\">https://a.example/x_y_z?q=1&amp;r</a>, then "
		    "(<a href=\"http://b.example\">http://b.example</a>).</p>\n" },
		{ "www.a.example a@b.example ftp://c.example `https://d.example` [https://e.example](#f)",
		    "<p><a href=\"http://www.a.example\">www.a.example</a> a@b.example ftp://c.example"
		    " <code>https://d.example</code> https://e.example</p>\n" },
		{ "[a *b*](docs/x.md)", "<p><a href=\"/-/source/docs/x.md\">a <em>b</em></a></p>\n" },
		{ "[c](#d) [e](mailto:f@g) [h](//i) [j](?k) [l]()", "<p>c e h j l</p>\n" },
		{ "![a *b*](https://a.example/x.png)", "<p>a <em>b</em></p>\n" },
		{ "[![build](https://a.example/b.svg)](https://a.example/)",
		    "<p><a href=\"https://a.example/\">build</a></p>\n" },
		{ "[](https://a.example) [![](x)](https://a.example)b", "<p> b</p>\n" },
		{ "```rust ignore\na < b\n```\n", "<pre tabindex=\"0\"><code>a &lt; b\n</code></pre>\n" },
		{ "- ```\n  a\n  ```\n", "<ul>\n<li>\n<pre tabindex=\"0\"><code>a\n</code></pre>\n</li>\n</ul>\n" },
		{ "|a|\n|-|\n|![x](y) [z](javascript:1) <i>|\n",
		    "<table>\n<thead>\n<tr>\n<th>a</th>\n</tr>\n</thead>\n<tbody>\n<tr>\n<td>x z </td>\n</tr>\n"
		    "</tbody>\n</table>\n" },
		{ "a\xe2\x80\xae*b* `\xe2\x81\xa6`", "<p>a\xe2\x80\xb9U+202E\xe2\x80\xba<em>b</em>"
		    " <code>\xe2\x80\xb9U+2066\xe2\x80\xba</code></p>\n" },
		{ "a&#8238;b `&#8238;`\n", "<p>a\xe2\x80\xb9U+202E\xe2\x80\xba" "b <code>&amp;#8238;</code></p>\n" },
		{ "a\xff\xfe", "<p>a\xef\xbf\xbd\xef\xbf\xbd</p>\n" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		is_str(render(cases[i].markdown), cases[i].want, line_of(cases[i].markdown));
}

/* The texts of HTML stay, and so do what Markdown has as well. */
static void
test_html(void)
{
	static const struct {
		const char *markdown, *want;
	} cases[] = {
		{ "a <b>c</b> <!-- d -->\n\n<div>\ne\n</div>\n\nf", "<p>a c </p>\n<p>e</p>\n<p>f</p>\n" },
		{ "<details><summary>Usage</summary> text </details>", "<p>Usage</p>\n<p>text</p>\n" },
		{ "<details>\n<summary>Usage</summary>\n\n*a*\n\n</details>", "<p>Usage</p>\n<p><em>a</em></p>\n" },
		{ "<h1 align=\"center\">a <b>b</b><br>c</h1><H6>d</H6> e",
		    "<h3>a b<br />\nc</h3>\n<h6>d</h6>\n<p>e</p>\n" },
		{ "<p align=\"center\">\n  a\n  <b>b</b>,<i> c</i>\n</p>", "<p>a b, c</p>\n" },
		{ "<p><img alt=\"a &amp; b\" src='https://a.example/x.png'></p>", "<p>a &amp; b</p>\n" },
		{ "<p>a <img src=x>b</p>", "<p>a b</p>\n" },
		{ "<p>\n<a href=\"https://a.example/?x&amp;y\"><img alt=b src=c></a>\n<a href=d.md>e</a>\n</p>",
		    "<p><a href=\"https://a.example/?x&amp;y\">b</a> <a href=\"/-/source/d.md\">e</a></p>\n" },
		{ "a <a href='https://b.example'>*c*</a><a name=d></a> <a href=https://e.example>f",
		    "<p>a <a href=\"https://b.example\"><em>c</em></a> f</p>\n" },
		{ "<a href=https://a.example>https://b.example</a>x",
		    "<p><a href=\"https://b.example\">https://b.example</a>x</p>\n" },
		{ "[a <a href=https://b.example>c</a>](https://d.example)",
		    "<p><a href=\"https://d.example\">a c</a></p>\n" },
		{ "*a <a href=https://b.example>c* d</a>", "<p><em>a c</em> d</p>\n" },
		{ "a<br>b<br/> c", "<p>a<br />\nb<br />\n c</p>\n" },
		{ "|a|\n|-|\n|<ul><li>b<br>c</li><li>d</li></ul>|\n", "<table>\n<thead>\n<tr>\n<th>a</th>\n</tr>\n"
		    "</thead>\n<tbody>\n<tr>\n<td>b\nc\nd</td>\n</tr>\n</tbody>\n</table>\n" },
		{ "|a|\n|-|\n|**b<br>c** [d<br>e](f:g)|\n", "<table>\n<thead>\n<tr>\n<th>a</th>\n</tr>\n"
		    "</thead>\n<tbody>\n<tr>\n<td><strong>b\nc</strong> d\ne</td>\n</tr>\n</tbody>\n</table>\n" },
		{ "<p>a\n  <a href=\"https://b.example\">\n    <img src=\"https://c.example/x.svg\">\n  </a>\n</p>",
		    "<p>a  </p>\n" },
		{ "a<a href=\"https://b.example\">\n</a>c", "<p>a\nc</p>\n" },
		{ "<h1><center>a</center></h1>b<h2></h2>c", "<h3>a</h3>\n<p>b</p>\n<p>c</p>\n" },
		{ "<kbd>Ctrl</kbd>+<kbd>C</kbd>", "<p>Ctrl+C</p>\n" },
		{ "<ul>\n<li>a</li><li>b</li>\n</ul>", "<p>a</p>\n<p>b</p>\n" },
		{ "<table><tr><td>a</td><td>b</td></tr></table>", "<p>a b</p>\n" },
		{ "<pre>\n a\n  &lt;b&gt;<br><i>c</i></pre> d",
		    "<pre tabindex=\"0\"><code> a\n  &lt;b&gt;\nc</code></pre>\n"
		    "<p>d</p>\n" },
		{ "- a\n  <p>b\n", "<ul>\n<li>\n<p>a</p>\n<p>b</p>\n</li>\n</ul>\n" },
		{ "> <div>a\n\nb", "<blockquote>\n<p>a</p>\n</blockquote>\n<p>b</p>\n" },
		{ "<!-- a\n\nb --> c <!-- d -->e", "<p>c e</p>\n" },
		{ "<div><!doctype a><?b?>c <![CDATA[d]]> e", "<p>c e</p>\n" },
		{ "<script>\na\n\nb</script>c", "<p>c</p>\n" },
		{ "<div><STYLE>a<b</Style >c<script>d", "<p>c</p>\n" },
		{ "a <script>b *c* <i>[d](https://e.example)</i></style></script>f <style>g", "<p>a f </p>\n" },
		{ "<p>1 < 2 <3 &#60;b&#x3E; &copy;&nbsp;&foo; &#; &#xd800; a<",
		    "<p>1 &lt; 2 &lt;3 &lt;b&gt; \xc2\xa9\xc2\xa0"
		    "&amp;foo; &amp;#; \xef\xbf\xbd a&lt;</p>\n" },
		{ "<p>a<b c='d>e\" f", "<p>a&lt;b c='d&gt;e&quot; f</p>\n" },
		{ "<p>a<b c = 'd>e'>f", "<p>af</p>\n" },
		{ "<p>a&#8238;b", "<p>a\xe2\x80\xb9U+202E\xe2\x80\xba" "b</p>\n" },
		{ "[x](#usage)\n\n<h2>Usage</h2>", "<p><a href=\"#readme-usage\">x</a></p>\n"
		    "<h4><span id=\"readme-usage\"></span>Usage</h4>\n" },
		{ "<a href=\"javascript:x\">a</a>b <img src=javascript:x alt=c>", "<p>ab c</p>\n" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		is_str(render(cases[i].markdown), cases[i].want, line_of(cases[i].markdown));
		is_str(markup_fault(render(cases[i].markdown)), "", "  sound");
	}
}

static void
test_marks(void)
{
	static const struct {
		const char *markdown, *want;
	} cases[] = {
		{ "- [ ] a\n- [x] *b*\n- [X]  c\n", "<ul>\n<li>\xe2\x98\x90 a</li>\n<li>\xe2\x98\x91 <em>b</em></li>\n"
		    "<li>\xe2\x98\x91  c</li>\n</ul>\n" },
		{ "1. [x] a\n\n   b [x] c\n", "<ol>\n<li>\n<p>\xe2\x98\x91 a</p>\n<p>b [x] c</p>\n</li>\n</ol>\n" },
		{ "- [x]a\n- a [x] b\n- [y] c\n-\n",
		    "<ul>\n<li>[x]a</li>\n<li>a [x] b</li>\n<li>[y] c</li>\n<li></li>\n</ul>\n" },
		{ "[x] a", "<p>[x] a</p>\n" },
		{ "> [!NOTE]\n> a", "<blockquote>\n<p><strong>Note:</strong>\na</p>\n</blockquote>\n" },
		{ "> [!warning]\n>\n> - a", "<blockquote>\n<p><strong>Warning:</strong></p>\n<ul>\n<li>a</li>\n</ul>\n"
		    "</blockquote>\n" },
		{ "> [!NOTE] a", "<blockquote>\n<p>[!NOTE] a</p>\n</blockquote>\n" },
		{ "> [!OTHER]\n> a", "<blockquote>\n<p>[!OTHER]\na</p>\n</blockquote>\n" },
		{ "[!NOTE]", "<p>[!NOTE]</p>\n" },
		{ "a[^1] b[^c]\n\n[^1]: d e\n   f [g]: h\n[^c]: *i*",
		    "<p>a[^1] b[^c]</p>\n<p>[^1]: d e\nf [g]: h<br />\n[^c]: <em>i</em></p>\n" },
		{ "a[^1] b[^2]\n\n[^1]: c.\n[^2]: https://d.example",
		    "<p>a[^1: c.] b<a href=\"https://d.example\">^2</a></p>\n" },
		{ "[^ a](b.md) [^c](d/e.md) [^](f)", "<p><a href=\"/-/source/b.md\">^ a</a> "
		    "<a href=\"/-/source/d/e.md\">^c</a> <a href=\"/-/source/f\">^</a></p>\n" },
		{ "# Top\n\n[^a](#top)", "<h3><span id=\"readme-top\"></span>Top</h3>\n"
		    "<p><a href=\"#readme-top\">^a</a></p>\n" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		is_str(render(cases[i].markdown), cases[i].want, line_of(cases[i].markdown));
}

/* Links to other files of the crate. */
static void
test_files(void)
{
	static const struct {
		const char *url, *file, *expected; /* "": a text */
	} cases[] = {
		{ "LICENSE", NULL, "/LICENSE" },
		{ "./a/b.rs", "README.md", "/a/b.rs" },
		{ "a/../b/./c.rs", NULL, "/b/c.rs" },
		{ "/a.md", "docs/README.md", "/a.md" },
		{ "a.md", "docs/en/README.md", "/docs/en/a.md" },
		{ "../a.md", "docs/en/README.md", "/docs/a.md" },
		{ "../../../a.md", "docs/en/README.md", "" },
		{ "..", NULL, "" },
		{ "/..", NULL, "" },
		{ "%2e%2e/a", NULL, "" },
		{ "examples/", NULL, "#" },
		{ ".", NULL, "#" },
		{ "caf%C3%A9%20x.md", NULL, "/caf%C3%A9%20x.md" },
		{ "caf\xc3\xa9.md", NULL, "/caf%C3%A9.md" },
		{ "a.md?raw=true#usage", NULL, "/a.md" },
		{ "src/lib.rs#L12", NULL, "/src/lib.rs#L12" },
		{ "src/lib.rs#L12-L14", NULL, "/src/lib.rs" },
		{ "src/lib.rs#Lx", NULL, "/src/lib.rs" },
		{ "a%2Fb", NULL, "/a/b" },
		{ "a%00b", NULL, "" },
		{ "a%0ab", NULL, "" },
		{ "a%5Cb", NULL, "" },
		{ "a%ffb", NULL, "" },
		{ "a%zz", NULL, "/a%25zz" },
		{ "a&#34;b", NULL, "/a%22b" },
		{ "a:b", NULL, "" },
		{ "./a:b", NULL, "/a%3Ab" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *path = strcmp(cases[i].expected, "#") == 0 ? "" : cases[i].expected;
		const char *link = arena_printf(arena, "<p><a href=\"%s%s\">x</a></p>\n", MARKUP_SOURCE, path);

		source.file = cases[i].file;
		is_str(render(arena_printf(arena, "[x](<%s>)", cases[i].url)),
		    cases[i].expected[0] == '\0' ? "<p>x</p>\n" : link, cases[i].url);
	}
	source.file = NULL;
}

/* Links to headings, before and after them. */
static void
test_headings(void)
{
	static const struct {
		const char *heading, *link, *id; /* NULL: the link is a text */
	} cases[] = {
		{ "Usage", "#usage", "usage" },
		{ "Usage", "#Usage", "usage" },
		{ "Usage", "#usages", NULL },
		{ "Usage", "#", NULL },
		{ "What's *new* in `1.0`?", "#whats-new-in-10", "whats-new-in-10" },
		{ "a_b - C", "#a_b---c", "a_b---c" },
		{ "\xf0\x9f\x9a\x80 Features", "#-features", "-features" },
		{ "caf\xc3\xa9", "#caf%C3%A9", "caf%C3%A9" },
		{ "\xc3\x9c" "ber", "#\xc3\xbc" "ber", "%C3%BC" "ber" },
		{ "\xd0\x81\xd0\xaf", "#\xd1\x91\xd1\x8f", "%D1%91%D1%8F" },
		{ "\xc5\x81\xc5\xbd\xc4\x8c", "#\xc5\x82\xc5\xbe\xc4\x8d", "%C5%82%C5%BE%C4%8D" },
		{ "\xc3\x97\xc3\x9f", "#\xc3\x9f", "%C3%9F" },
		{ "\xe5\xae\x89\xe8\xa3\x85\xef\xbc\x9ax", "#\xe5\xae\x89\xe8\xa3\x85x", "%E5%AE%89%E8%A3%85x" },
		{ "a\n\n## a", "#a-1", "a-1" },
		{ "a\n\n## a-1\n\n## a", "#a-1", "a-1" },
		{ "!", "#!", NULL },
		{ "x\" onclick=\"y", "#x-onclicky", "x-onclicky" },
		{ "a<b>", "#a", "a" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *html = render(arena_printf(arena, "[l](%s)\n\n## %s\n\n[l](%s)\n", cases[i].link,
		    cases[i].heading, cases[i].link));
		const char *want = cases[i].id == NULL ? "<p>l</p>\n"
		    : arena_printf(arena, "<p><a href=\"#readme-%s\">l</a></p>\n", cases[i].id);
		const char *anchor = strstr(html, "<span id=\"readme-");

		ok(strncmp(html, want, strlen(want)) == 0, "[l](%s)", cases[i].link);
		ok(strstr(html + strlen(want), want) != NULL, "  and behind it");
		is_str(markup_fault(html), "", "  sound");
		is_int(anchor != NULL, cases[i].id != NULL, "  with an id");
		ok(anchor == NULL || strstr(anchor + 1, "<span ") == NULL, "  only one");
	}
	is_str(render("## A&B\n\n[x](#ab)"), "<h4><span id=\"readme-ab\"></span>A&amp;B</h4>\n"
	    "<p><a href=\"#readme-ab\">x</a></p>\n", "which the heading has");
	is_str(render("## [x](#x)"), "<h4><span id=\"readme-x\"></span><a href=\"#readme-x\">x</a></h4>\n",
	    "a heading that leads to itself");
}

/* A README that is no Markdown keeps its lines. */
static void
test_formats(void)
{
	static const struct {
		const char *file;
		bool is_markdown;
	} cases[] = {
		{ NULL, true },
		{ "README.md", true },
		{ "docs/README.MD", true },
		{ "README.markdown", true },
		{ "README", true },
		{ "v1.0/README", true },
		{ ".readme", true },
		{ "docs/.readme", true },
		{ ".readme.txt", false },
		{ "README.txt", false },
		{ "README.rst", false },
		{ "docs.md/README.adoc", false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		source.file = cases[i].file;
		is_str(render("*a*\n  <b>\n"), cases[i].is_markdown ? "<p><em>a</em>\n</p>\n"
		    : "<pre tabindex=\"0\">*a*\n  &lt;b&gt;\n</pre>\n", cases[i].file != NULL ? cases[i].file : "no name");
	}
	source.file = NULL;
}

#define IMG "<img loading=\"lazy\" referrerpolicy=\"no-referrer\" "

/* Images of other web servers, where the project lets them in. */
static void
test_images(void)
{
	static const struct {
		const char *url, *shown; /* NULL: the text is */
	} cases[] = {
		{ "https://a.example/x.png?y=1&z", "https://a.example/x.png?y=1&amp;z" },
		{ "https://a.example/pkg@1/x.svg", "https://a.example/pkg@1/x.svg" },
		{ "http://a.example/x.png", NULL },
		{ "HTTPS://a.example/x.png", NULL },
		{ "https://u:p@a.example/x.png", NULL },
		{ "https://u@a.example/x.png", NULL },
		{ "https://", NULL },
		{ "https:a.example/x.png", NULL },
		{ "https:///x.png", NULL },
		{ "//a.example/x.png", NULL },
		{ "x.png", NULL },
		{ "/-/sign-in", NULL },
		{ "data:image/png;base64,AAAA", NULL },
		{ "javascript:alert(1)", NULL },
		{ "blob:https://a.example/1", NULL },
		{ "https://a.example/\\b", NULL },
		{ "https://a.example/&#34;onerror=&#34;x", NULL },
		{ "https://a.example/&#60;b", NULL },
		{ "https://a.example/&#10;b", NULL },
	};
	struct readme readme;

	source.images = true;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *image = arena_printf(arena, "<p>" IMG "src=\"%s\" alt=\"a b\" /></p>\n", cases[i].shown);
		const char *markdown = arena_printf(arena, "![a `b`](<%s>)", cases[i].url);

		is_str(render(markdown), cases[i].shown != NULL ? image : "<p>a <code>b</code></p>\n", cases[i].url);
		readme_render(arena, markdown, &source, &readme);
		is_int(readme.has_images, cases[i].shown != NULL, "  which the page is told");
	}
	is_str(render("[![\"><b> ![in *it*](https://a.example/y)\nc](https://a.example/x)](https://b.example/)"),
	    "<p><a href=\"https://b.example/\">" IMG "src=\"https://a.example/x\""
	    " alt=\"&quot;&gt; in it c\" /></a></p>\n", "an image in one is a text");
	is_str(render("|a|b|\n|-|-|\n|![x](https://a.example/x)|[![y](https://a.example/y)](?z)|"),
	    "<table>\n<thead>\n<tr>\n<th>a</th>\n<th>b</th>\n</tr>\n</thead>\n<tbody>\n<tr>\n<td>" IMG
	    "src=\"https://a.example/x\" alt=\"x\" /></td>\n"
	    "<td>" IMG "src=\"https://a.example/y\" alt=\"y\" /></td>\n"
	    "</tr>\n</tbody>\n</table>\n", "those of a table as well");
	is_str(render("![a](https://a.example/x 'A \"<b>')"),
	    "<p>" IMG "src=\"https://a.example/x\" alt=\"a\" title=\"A &quot;&lt;b&gt;\" /></p>\n", "a title");
	is_str(render("<img width=9 src=\"https://a.example/x.png\" alt='\"&lt;b>' title=c onerror=d>"),
	    "<p>" IMG "src=\"https://a.example/x.png\" alt=\"&quot;&lt;b&gt;\" title=\"c\" /></p>\n",
	    "those of HTML");
	is_str(render("a <a href=https://b.example><img src=https://a.example/x alt=c></a>"),
	    "<p>a <a href=\"https://b.example\">" IMG "src=\"https://a.example/x\" alt=\"c\" /></a></p>\n",
	    "in a link");
	is_str(render("<div><img src='https://u:p@a.example/x' alt=c><img src=http://a.example alt=d>"),
	    "<p>cd</p>\n",
	    "by the same rules");
}

static void
test_hostile(void)
{
	static const char *const cases[] = {
		"<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<a href=\"javascript:x\">y</a>",
		"[a](javascript:alert(1))", "[a](JaVaScRiPt:alert(1))", "[a](&#106;avascript:x)", "[a]( javascript:x)",
		"[a](<javascript:x>)", "[a](data:text/html;base64,PHNjcmlwdD4=)", "[a](vbscript:x)", "[a](file:///etc)",
		"[a](https://b.example/\"onmouseover=\"x)", "[a](https://b.example 't\" onclick=\"x')", "<javascript:x>",
		"![a](javascript:x)", "![a](https://b.example/\" onerror=\"x)", "![\" onerror=\"x](y)",
		"[a]: javascript:x\n\n[a]", "```\" onclick=\"x\n<script>\n```", "`<script>`", "<svg/onload=x>",
		"<base href=//evil>", "<style>*{}</style>", "</main></body>", "<!--><script>-->", "<![CDATA[<script>]]>",
		"<?php x ?>", "&lt;script&gt;", "[<script>](https://a.example)", "> <iframe src=x>", "- <object>\n",
		"|<script>|\n|-|\n|<img onerror=x>|", "# <script>\n", "[a](https://u:p@b.example/)", "\xe2\x80\xae<b>",
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		is_str(markup_fault(render(cases[i])), "", line_of(cases[i]));
}

/* Returns the place for the next text. */
static size_t
put(char *text, size_t n, const char *more)
{
	memcpy(text + n, more, strlen(more) + 1);
	return n + strlen(more);
}

/* Each row gets all cells of the head, however short it is, so two bytes would become thousands. */
static void
test_large(void)
{
	char *text = arena_alloc(arena, README_SHOWN_MAX + 16);
	size_t n = 0;

	for (int i = 0; i < README_COLUMNS_MAX; i++)
		n = put(text, n, "|a");
	n = put(text, n, "\n");
	for (int i = 0; i < README_COLUMNS_MAX; i++)
		n = put(text, n, "|-");
	while (n + 2 <= README_SHOWN_MAX / 32)
		n = put(text, n, "\na");
	is_int(memcmp(render(text), "<table>", 7), 0, "a table of some rows");
	while (n + 2 <= README_SHOWN_MAX)
		n = put(text, n, "\na");
	is_int(memcmp(render(text), "<pre ", 5), 0, "is a text, if it has too many");
}

/* What takes cmark long, as long as anybody may make it. */
static void
test_slow(void)
{
	/* one after the other, each in a half; NULL: the first in both */
	static const struct {
		const char *first, *then;
	} cases[] = { { "![[]()", NULL }, { "[", NULL }, { "[a](", NULL }, { "|x", NULL }, { "|", NULL },
		{ "> ", NULL }, { "- ", NULL }, { "*a **a ", NULL }, { "a**b", NULL }, { "`a``", NULL },
		{ "<a ", NULL }, { "<?", NULL }, { "<![CDATA[", NULL }, { "&#x41;", NULL }, { "~~a ", NULL },
		{ "_", NULL }, { "- -\n", NULL }, { "a\n-\n", NULL }, { "<", NULL }, { "(", NULL },
		{ "[x](((((((((( ", NULL }, { "|a\n-|\n", NULL }, { "x|x\n-|-|-\n", NULL }, { "1. ", "\n" },
		{ "+ - ", "\n" }, { "> ", "\n" }, { "# a\n", "[](#a-198) ........ " }, { "http://", NULL },
		{ "http://a", NULL }, { "www.", NULL }, { "www.a ", NULL }, { "a@b.c", NULL }, { "a@", NULL },
		{ "@", NULL }, { "https://a.", "<" }, { "https://a?", ")" }, { "www.a(", ")" },
		{ "http://a&b;", ";" }, { "a", "@" }, { ":", "/" }, { "a<!A ", "a<?" },
		{ "www._", NULL }, { "_www.", NULL }, { "https://a?)", ")" }, { ":a@_", "+<ftp://a@" },
		{ "<p>a", NULL }, { "<p>\n\n", NULL }, { "<div><a ", NULL }, { "<div>a<!--", NULL }, { "<div>",
		"<script>" },
		{ "<div>", "&#60;" }, { "<div>", "<a href=a>b" }, { "<div>", "<img src=https://a>" }, { "a", "<a href=a>" },
		{ "a<a href=b>", "</a>" }, { "*a **a ", "<a href=b>" }, { "a", "<br>" }, { "a", "<script>b" },
		{ "<div>", "</script" }, { "- <p>a\n", NULL }, { "<pre>", "</pre>" }, { "> [!NOTE]\n\n", NULL },
		{ "- [x] a\n", NULL }, { "a\n[^", NULL }, { "a\n^", "[^]:\n" } };
	enum { SECONDS = 1 };

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char *text = arena_alloc(arena, README_SHOWN_MAX + 16);
		clock_t begin = clock();
		size_t n = 0;

		while (n + strlen(cases[i].first) <= README_SHOWN_MAX / (cases[i].then != NULL ? 2 : 1))
			n = put(text, n, cases[i].first);
		while (cases[i].then != NULL && n + strlen(cases[i].then) <= README_SHOWN_MAX)
			n = put(text, n, cases[i].then);
		put(text, n, "\n|-|\n");
		is_str(markup_fault(render(text)), "", line_of(cases[i].first));
		ok(clock() - begin < SECONDS * CLOCKS_PER_SEC, "in %.0f ms",
		    (double)(clock() - begin) * 1000 / CLOCKS_PER_SEC);
		arena_reset(arena);
	}
}

/* Bare URLs become links only where that takes no long time. */
static void
test_bare(void)
{
	char *text = arena_alloc(arena, README_SHOWN_MAX + 16);
	size_t n = put(text, 0, "https://a.b/x\n\n");

	while (n < README_SHOWN_MAX / 20)
		n = put(text, n, "www._");
	ok(strstr(render(text), "<a href=\"https://a.b/x\">") != NULL, "a bare URL is a link");
	while (n + 5 <= README_SHOWN_MAX)
		n = put(text, n, "www._");
	is_int(strncmp(render(text), "<p>https://a.b/x</p>", 20), 0, "or a text");
}

static void
test_cut(void)
{
	char *text = arena_alloc(arena, README_SHOWN_MAX + 16);
	struct readme readme;

	memset(text, 'a', README_SHOWN_MAX);
	readme_render(arena, text, &source, &readme);
	ok(!readme.is_cut, "the longest that is shown");
	text[README_SHOWN_MAX - 3] = '\n';
	text[README_SHOWN_MAX] = 'b';
	readme_render(arena, text, &source, &readme);
	ok(readme.is_cut, "one that is longer");
	is_int((int)readme.markup.html.n, README_SHOWN_MAX - 3 + (int)strlen("<p></p>\n"), "is cut at a line");
	memset(text, 'a', README_SHOWN_MAX);
	readme_render(arena, text, &source, &readme);
	is_str(arena_slicedup(arena, readme.markup.html), "", "or has none");
}

int
main(void)
{
	arena = arena_new();
	test_says();
	test_html();
	test_marks();
	test_files();
	test_headings();
	test_formats();
	test_hostile();
	test_images();
	test_hostile();
	test_cut();
	test_slow();
	test_bare();
	test_large();
	arena_free(arena);
	return tap_done();
}
