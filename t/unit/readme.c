/* api/web/readme: Markdown as HTML that only says something. */
#include "api/web/readme.h"

#include <stdlib.h>
#include <time.h>

#include "markup.h"
#include "tap.h"

static struct arena *arena;

static const char *
render(const char *markdown)
{
	struct readme readme;

	readme_render(arena, markdown, &readme);
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
		{ "[a *b*](docs/x.md) [c](#d) [e](mailto:f@g) [h](//i)", "<p>a <em>b</em> c e h</p>\n" },
		{ "![a *b*](https://a.example/x.png)", "<p>a <em>b</em></p>\n" },
		{ "[![build](https://a.example/b.svg)](https://a.example/)",
		    "<p><a href=\"https://a.example/\">build</a></p>\n" },
		{ "a <b>c</b> <!-- d -->\n\n<div>\ne\n</div>\n\nf", "<p>a c </p>\n<p>f</p>\n" },
		{ "```rust ignore\na < b\n```\n", "<pre tabindex=\"0\"><code>a &lt; b\n</code></pre>\n" },
		{ "- ```\n  a\n  ```\n", "<ul>\n<li>\n<pre tabindex=\"0\"><code>a\n</code></pre>\n</li>\n</ul>\n" },
		{ "|a|\n|-|\n|![x](y) [z](javascript:1) <i>|\n",
		    "<table>\n<thead>\n<tr>\n<th>a</th>\n</tr>\n</thead>\n<tbody>\n<tr>\n<td>x z </td>\n</tr>\n"
		    "</tbody>\n</table>\n" },
		{ "a\xff\xfe", "<p>a\xef\xbf\xbd\xef\xbf\xbd</p>\n" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		is_str(render(cases[i].markdown), cases[i].want, line_of(cases[i].markdown));
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

/* Returns where the next text goes. */
static size_t
put(char *text, size_t n, const char *more)
{
	memcpy(text + n, more, strlen(more) + 1);
	return n + strlen(more);
}

/* A row has all cells of the head, however short it is: two bytes would become thousands. */
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
		{ "+ - ", "\n" }, { "> ", "\n" }, { "a<!A ", "a<?" } };
	enum { SECONDS = 2 };

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

static void
test_cut(void)
{
	char *text = arena_alloc(arena, README_SHOWN_MAX + 16);
	struct readme readme;

	memset(text, 'a', README_SHOWN_MAX);
	readme_render(arena, text, &readme);
	ok(!readme.is_cut, "the longest that is shown");
	text[README_SHOWN_MAX - 3] = '\n';
	text[README_SHOWN_MAX] = 'b';
	readme_render(arena, text, &readme);
	ok(readme.is_cut, "one that is longer");
	is_int((int)readme.markup.html.n, README_SHOWN_MAX - 3 + (int)strlen("<p></p>\n"), "is cut at a line");
	memset(text, 'a', README_SHOWN_MAX);
	readme_render(arena, text, &readme);
	is_str(arena_slicedup(arena, readme.markup.html), "", "or has none");
}

int
main(void)
{
	arena = arena_new();
	test_says();
	test_hostile();
	test_cut();
	test_slow();
	test_large();
	arena_free(arena);
	return tap_done();
}
