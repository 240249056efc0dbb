/* http/html, http/cookie: text into HTML; the cookie that is meant. */
#include "http/html.h"

#include "base/arena.h"
#include "http/cookie.h"

#include "tap.h"

static void
cookie(const char *header, const char *want)
{
	struct slice found = cookie_find(header, "__Host-a");

	ok(slice_is(found, want), "%s: `%.*s`", header != NULL ? header : "(none)", (int)found.n,
	    found.p);
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
	html_printf(&b, "<a href=\"%s\">%s</a> 100%% <b>%s</b>", "\" onload=\"x", "<b>", "%s %n");
	is_str(buf_str(&b),
	    "<a href=\"&quot; onload=&quot;x\">&lt;b&gt;</a> 100% <b>%s %n</b>", "in markup");
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
