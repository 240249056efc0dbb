/* http/accept: Accept-Encoding and If-None-Match. */
#include "http/accept.h"

#include "tap.h"

int
main(void)
{
	static const struct {
		const char *header;
		bool gzip;
	} encodings[] = {
		{ NULL, false },
		{ "", false },
		{ "gzip", true },
		{ "deflate, gzip", true },
		{ "br;q=1.0, GZIP;q=0.5", true },
		{ "gzip;q=0", false },
		{ "gzip; q=0.000, *", false },
		{ "*", true },
		{ "*;q=0", false },
		{ "identity", false },
		{ "gzipped", false },
		{ "x-gzip", true },
	};
	static const struct {
		const char *header;
		size_t n;
		const char *first, *last;
	} etags[] = {
		{ NULL, 0, NULL, NULL },
		{ "abc", 0, NULL, NULL },
		{ "\"abc", 0, NULL, NULL },
		{ "\"abc\"", 1, "abc", "abc" },
		{ "W/\"abc\"", 1, "abc", "abc" },
		{ "\"abc-plain\"", 1, "abc", "abc" },
		{ "W/\"abc-plain\"", 1, "abc", "abc" },
		{ "\"x\", W/\"y\",\"z\"", 3, "x", "z" },
		{ "\"\"", 1, "", "" },
		{ "\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\",\"h\",\"i\",\"j\",\"k\",\"l\",\"m\",\"n\",\"o\",\"p\",\"q\"",
		    ACCEPT_ETAGS_MAX, "a", "p" },
		{ "\"\xff\"", 0, NULL, NULL },
		{ "\"\xc3\xa9\", \"a b\", \"c\"", 1, "c", "c" },
	};
	static const struct {
		const char *header;
		bool any;
	} any[] = { { "*", true }, { " * ", true }, { "\"*\"", false }, { "*x", false } };
	struct arena *a = arena_new();
	struct accept_etags out;

	for (size_t i = 0; i < sizeof(encodings) / sizeof(*encodings); i++)
		ok(accept_gzip(encodings[i].header) == encodings[i].gzip, "Accept-Encoding: %s",
		    encodings[i].header ? encodings[i].header : "(none)");
	ok(accept_html("text/html,application/xhtml+xml;q=0.9,*/*;q=0.8") && accept_html("*/*, TEXT/HTML"), "HTML");
	ok(!accept_html(NULL) && !accept_html("*/*") && !accept_html("application/json"), "no HTML");
	ok(accept_has_etag(a, "\"x\", W/\"a-plain\"", "a") && accept_has_etag(a, "*", "a"), "has it");
	ok(!accept_has_etag(a, "\"x\"", "a") && !accept_has_etag(a, NULL, "a"), "has it not");
	for (size_t i = 0; i < sizeof(etags) / sizeof(*etags); i++) {
		accept_etags(a, etags[i].header, &out);
		is_int(out.n, etags[i].n, etags[i].header ? etags[i].header : "(none)");
		ok(!out.any, "not any");
		if (out.n > 0) {
			is_str(out.v[0], etags[i].first, "first");
			is_str(out.v[out.n - 1], etags[i].last, "last");
		}
	}
	for (size_t i = 0; i < sizeof(any) / sizeof(*any); i++) {
		accept_etags(a, any[i].header, &out);
		ok(out.any == any[i].any, "If-None-Match: %s", any[i].header);
	}
	arena_free(a);
	return tap_done();
}
