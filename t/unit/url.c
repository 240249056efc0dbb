/* What is a URL that may become a link, and what is none. */

#include "base/url.h"

#include "tap.h"

static const struct {
	const char *url;
	bool web, https;
} cases[] = {
	{ "https://h.example", true, true },
	{ "http://h.example", true, false },
	{ "https://h.example:8443/a/b?c=d&e=%20#f", true, true },
	{ "https://user:secret@h.example/", true, true },
	{ "https://[::1]:8443/", true, true },
	{ "https://h.example/\xc3\xa4", true, true },
	{ "", false, false },
	{ "https", false, false },
	{ "https://", false, false },
	{ "https:///path", false, false },
	{ "https://:8443", false, false },
	{ "https://user@", false, false },
	{ "https://@h.example/", false, false },
	{ "http://@h.example", false, false },
	{ "https://user@:8443", false, false },
	{ "https://?q", false, false },
	{ "HTTPS://h.example", false, false },
	{ "//h.example", false, false },
	{ "/path", false, false },
	{ "javascript:alert(1)", false, false },
	{ "javascript://h.example/%0aalert(1)", false, false },
	{ "JavaScript:alert(1)", false, false },
	{ "data:text/html,x", false, false },
	{ "vbscript:x", false, false },
	{ "file:///etc/passwd", false, false },
	{ "ftp://h.example", false, false },
	{ " https://h.example", false, false },
	{ "\thttps://h.example", false, false },
	{ "java\nscript:alert(1)", false, false },
	{ "https://h.example/ x", false, false },
	{ "https://h.example/\r\nX: y", false, false },
	{ "https://h.example/\x7f", false, false },
	{ "https://h.example/\"onclick=", false, false },
	{ "https://h.example/<b>", false, false },
	{ "https://h.example\\x", false, false },
	{ "https://h.example/`x`", false, false },
	{ "https://h.example/a^b/{c}|d?{e}^|", true, true },
	{ "https://h^.example/", false, false },
	{ "https://h{x}.example/", false, false },
	{ "https://a|b@h.example/", false, false },
};

static const struct {
	const char *url, *user, *host_port, *host;
} parts[] = {
	{ "https://h.example", "", "h.example", "h.example" },
	{ "https://h.example:8443/a:b@c", "", "h.example:8443", "h.example" },
	{ "http://u:p@h.example:3128", "u:p", "h.example:3128", "h.example" },
	{ "http://u:p:q%40@h.example?x@y", "u:p:q%40", "h.example", "h.example" },
	{ "https://[::1]:8443/", "", "[::1]:8443", "[::1]" },
	{ "https://u@[::1]", "u", "[::1]", "[::1]" },
	{ "", "", "", "" },
	{ "https:/", "", "", "" },
};

/* What messages show. */
static const struct {
	const char *url, *text;
} shown[] = {
	{ "https://h.example:8443/a/{b}", "https://h.example:8443/a/{b}" },
	{ "https://u:secret@h.example/a@b?X-Amz-Signature=secret#c", "https://h.example/a@b" },
	{ "https://h.example?token=secret", "https://h.example" },
	{ "https://h.example/a#secret", "https://h.example/a" },
	{ "file:///etc/{crate}", "file:///etc/{crate}" },
	{ "no URL", "no URL" },
	{ "", "" },
};

int
main(void)
{
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		struct slice url = slice_str(parts[i].url);

		ok(slice_is(url_user(url), parts[i].user), "user of number %zu", i);
		ok(slice_is(url_host_port(url), parts[i].host_port), "host and port of number %zu", i);
		ok(slice_is(url_host(url), parts[i].host), "host of number %zu", i);
	}
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct slice url = slice_str(cases[i].url);

		ok(url_is_web(url) == cases[i].web, "number %zu", i);
		ok(url_is_https(url) == cases[i].https, "number %zu, by https alone", i);
	}
	struct arena *a = arena_new();
	struct buf b;

	buf_init(&b, a, 64);
	url_put_visible(&b, slice_str("/a%20b\x7f<\">\\ \r\n\xc3\xa4?c='d'"));
	is_str(buf_str(&b), "/a%20b%7F%3C%22%3E%5C%20%0D%0A%C3%A4?c='d'", "as a header may hold it");
	for (size_t i = 0; i < sizeof(shown) / sizeof(*shown); i++)
		is_str(url_shown(a, shown[i].url), shown[i].text, shown[i].url);
	arena_free(a);
	is_str(url_path("https://h.example"), "", "no path");
	is_str(url_path("https://[::1]:8443/a/b"), "/a/b", "a path");
	is_str(url_path("https://h.example/"), "/", "nothing but a slash");
	return tap_done();
}
