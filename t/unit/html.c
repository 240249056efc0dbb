/* http/html, http/cookie: text into HTML; the cookie that is meant. */
#include "http/html.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/utf8.h"
#include "http/cookie.h"

#include "tap.h"

static void
cookie(const char *header, const char *want)
{
	struct slice found = cookie_find(header, "__Host-a");

	ok(slice_is(found, want), "%s: `%.*s`", header != NULL ? header : "(none)", (int)found.n,
	    found.p);
}

static void
written(struct buf *b, const char *want, const char *name)
{
	is_str(buf_str(b), want, name);
	buf_reset(b);
}

static void
filters(struct buf *b)
{
	static const struct {
		int64_t number;
		const char *count, *size;
	} numbers[] = {
		{ 0, "0", "0\xc2\xa0" "B" },
		{ 999, "999", "999\xc2\xa0" "B" },
		{ 1000, "1\xc2\xa0" "000", "1.0\xc2\xa0kB" },
		{ 12345, "12\xc2\xa0" "345", "12.3\xc2\xa0kB" },
		{ 999999, "999\xc2\xa0" "999", "999.9\xc2\xa0kB" },
		{ 10485760, "10\xc2\xa0" "485\xc2\xa0" "760", "10.4\xc2\xa0MB" },
		{ -1234, "-1\xc2\xa0" "234", "-1234\xc2\xa0" "B" },
	};
	static const char *const hostile[] = { "javascript:alert(1)", "JaVaScRiPt:x", "data:text/html,x",
		"//evil.example",
		" https://a.example", "https://a.example/\"onload=\"x", "/x", "" };

	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		html_count(b, numbers[i].number);
		written(b, numbers[i].count, "a count");
		html_size(b, numbers[i].number);
		written(b, numbers[i].size, "a size");
	}
	html_number(b, -1234567);
	written(b, "-1234567", "a number");
	html_day(b, 1767225599);
	written(b, "<time datetime=\"2025-12-31T23:59:59Z\">2025-12-31</time>", "a day");
	html_time(b, 1767225599);
	written(b, "2025-12-31T23:59:59Z", "a time");
	html_xml(b, "a<b>&\"'\t\n\x01\x1f\x7f\xef\xbf\xbe\xef\xbf\xbf\xef\xbf\xbd\xef\xbf");
	written(b, "a&lt;b&gt;&amp;&quot;&#39;\t\n\xef\xbf\xbd\xef\xbf\xbd\x7f\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
	    "\xef\xbf", "a text in XML");
	html_xml(b, NULL);
	written(b, "", "no text in XML");
	html_xml(b, "\xe2\x80\xae<\xe2");
	written(b, "\xe2\x80\xb9U+202E\xe2\x80\xba&lt;\xe2", "its order in XML");
	html_query(b, (const struct html_pair[]) { { "q", "a&b" }, { "x", "" }, { "y", NULL }, { "z", "<" },
	    { NULL, "w" } });
	written(b, "?q=a%26b&amp;z=%3C", "a query");
	html_query(b, (const struct html_pair[]) { { "q", "" }, { NULL, NULL } });
	written(b, "", "an empty query");
	html_part(b, "a/b?c=d&e#f%\"<>' \x01+.-_~\xc3\xa9");
	written(b, "a%2Fb%3Fc%3Dd%26e%23f%25%22%3C%3E%27%20%01%2B.-_~%C3%A9", "a part of an address");
	html_path(b, "group/sub/../<x>");
	written(b, "group/sub/../%3Cx%3E", "a path");
	html_base(b, "/cargo");
	html_asset(b, "style.css?v=1");
	written(b, "/cargostyle.css?v=1", "an address of ours");
	html_link(b, "https://a.example/?b=c&d='e'");
	written(b, "https://a.example/?b=c&amp;d=&#39;e&#39;", "a link");
	for (size_t i = 0; i < sizeof(hostile) / sizeof(*hostile); i++) {
		html_link(b, hostile[i]);
		written(b, "", "what is no link");
	}
	html_safe(b, (struct html_markup) { slice_str("<b>&amp;</b>") });
	written(b, "<b>&amp;</b>", "markup");
}

/* Names in backticks become elements; whatever is in them stays a text, and each element ends. */
static void
sentences(struct buf *b)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ NULL, "" },
		{ "", "" },
		{ "Set `name`, or `ver`.", "Set <code>name</code>, or <code>ver</code>." },
		{ "`</code><script>`", "<code>&lt;/code&gt;&lt;script&gt;</code>" },
		{ "<b>`x\"'&`<i>", "&lt;b&gt;<code>x&quot;&#39;&amp;</code>&lt;i&gt;" },
		{ "one ` only <", "one ` only &lt;" },
		{ "`", "`" },
		{ "``", "<code></code>" },
		{ "```<", "<code></code>`&lt;" },
		{ "`a``b` and `c", "<code>a</code><code>b</code> and `c" },
		{ "`\xe2\x80\xae`\xe2", "<code>\xe2\x80\xb9U+202E\xe2\x80\xba</code>\xe2" },
		{ "`\xe2` `\xe2\x80`", "<code>\xe2</code> <code>\xe2\x80</code>" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		html_sentence(b, cases[i].text);
		written(b, cases[i].want, "a sentence");
	}
}

/* Each character that changes the order of a text is visible, and no other is touched. */
static void
order(struct buf *b)
{
	static const char plain[] = "\xe2\x80\xa9\xe2\x80\xaf\xe2\x81\xa5\xe2\x81\xaa\xe2\x80\x8f\xd7\x90\xe2\x80";
	const uint32_t controls[] = { 0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068, 0x2069 };

	html_text(b, plain);
	written(b, plain, "neighbours of these characters stay");
	html_visible(b, slice_str(plain));
	written(b, plain, "html_visible() leaves them, too");
	for (size_t i = 0; i < sizeof(controls) / sizeof(*controls); i++) {
		char text[8] = "a", want[32];

		text[1 + utf8_encode(controls[i], text + 1)] = '<';
		snprintf(want, sizeof(want), "a\xe2\x80\xb9U+%04" PRIX32 "\xe2\x80\xba&lt;", controls[i]);
		html_text(b, text);
		written(b, want, "html_text() shows the character");
		snprintf(want, sizeof(want), "a\xe2\x80\xb9U+%04" PRIX32 "\xe2\x80\xba<", controls[i]);
		html_visible(b, slice_str(text));
		written(b, want, "html_visible() shows it, and escapes nothing");
	}
}

int
main(void)
{
	struct arena *a = arena_new();
	struct buf b;

	buf_init(&b, a, 4096);
	html_text(&b, "<script>alert(\"x\" + 'y')</script> & <!-- \xc3\xa9");
	is_str(buf_str(&b),
	    "&lt;script&gt;alert(&quot;x&quot; + &#39;y&#39;)&lt;/script&gt; &amp; &lt;!-- \xc3\xa9",
	    "text");
	buf_reset(&b);
	html_text(&b, NULL);
	is_str(buf_str(&b), "", "nothing");
	sentences(&b);
	order(&b);
	filters(&b);
	cookie(NULL, "");
	cookie("", "");
	cookie("__Host-a=1", "1");
	cookie("b=2; __Host-a=1; c=3", "1");
	cookie("b=2;__Host-a=x=y;c", "x=y");
	cookie("__Host-a=", "");
	cookie("__Host-a", "");
	cookie("__Host-ab=1; x__Host-a=2; __host-a=3", "");
	cookie("__Host-a=1; __Host-a=2", "");
	cookie(";;; ; __Host-a=1;", "1");
	arena_free(a);
	return tap_done();
}
