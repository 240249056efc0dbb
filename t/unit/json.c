/* base/json: what is refused, what is written. */
#include "base/json.h"

#include "tap.h"

static const struct {
	const char *text;
	size_t n; /* 0: strlen */
	const char *wrong; /* NULL: accepted; else part of the sentence */
} cases[] = {
	{ "{}", 0, NULL },
	{ " [1, -0.5e+3, \"a\", true, false, null] \r\n\t", 0, NULL },
	{ "\"\\u00e9\\ud83e\\udd80\\n\"", 0, NULL },
	{ "0", 0, NULL },
	{ "{\"a\":{\"a\":1},\"b\":[{\"a\":2}]}", 0, NULL },
	{ "", 0, "unexpected end" },
	{ "  ", 0, "unexpected end" },
	{ "{\"a\":1", 0, "unexpected end" },
	{ "[1", 0, "unexpected end" },
	{ "\"abc", 0, "unexpected end" },
	{ "\"\\", 0, "unexpected end" },
	{ "\"\\u12", 0, "unexpected end" },
	{ "{} x", 0, "trailing characters at line 1 column 4" },
	{ "{}\n{}", 0, "trailing characters at line 2 column 1" },
	{ "{}\0", 3, "trailing characters" },
	{ "{\"a\":1,\"a\":2}", 0, "duplicate field `a`" },
	{ "{\"a\":1,\"\\u0061\":2}", 0, "duplicate field `a`" },
	{ "{\"b\":1,\"a\":1,\"c\":[],\"a\":2}", 0, "duplicate field `a`" },
	{ "{\"a\":1,}", 0, "expected a string" },
	{ "{a:1}", 0, "expected a string" },
	{ "{\"a\" 1}", 0, "expected `:`" },
	{ "{\"a\":1 \"b\":2}", 0, "expected `,` or `}`" },
	{ "[1,]", 0, "expected a value" },
	{ "[1 2]", 0, "expected `,` or `]`" },
	{ "NaN", 0, "expected a value" },
	{ "Infinity", 0, "expected a value" },
	{ "TRUE", 0, "expected a value" },
	{ "'a'", 0, "expected a value" },
	{ "// c\n1", 0, "expected a value" },
	{ "/* c */1", 0, "expected a value" },
	{ "01", 0, "leading zero" },
	{ "-", 0, "expected a value" },
	{ "1.", 0, "invalid number" },
	{ "1e", 0, "invalid number" },
	{ "1e999", 0, "out of range" },
	{ "+1", 0, "expected a value" },
	{ "\"\\ud800\"", 0, "lone surrogate" },
	{ "\"\\udc00\"", 0, "lone surrogate" },
	{ "\"\\ud800\\u0041\"", 0, "lone surrogate" },
	{ "\"\\u0000\"", 0, "NUL" },
	{ "[{\"a\":\"\\u0000\"}]", 0, "a string must not hold NUL at line 1 column 14" },
	{ "{\"r\\u0065adme\":\"a\\u0000\"}", 0, "field `readme` must not hold a NUL character (U+0000)" },
	{ "{\"a\":1,\"b\":{\"c\":[\"\\u0000\"]}}", 0, "field `b` must not hold a NUL character" },
	{ "{\"a\":1,\"\\u0000\":2}", 0, "a string must not hold NUL at line 1 column 15" },
	{ "{\"a\":{\"\\u0000\":2}}", 0, "field `a` must not hold a NUL character" },
	{ "\"a\0b\"", 5, "control character" },
	{ "\"a\nb\"", 0, "control character" },
	{ "\"\\x\"", 0, "invalid escape" },
	{ "\"\xff\"", 0, "invalid UTF-8" },
	{ "\"\xc3\"", 0, "invalid UTF-8" },
	{ "\xef\xbb\xbf{}", 0, "expected a value" },
};

static void
test_parse(struct arena *a)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		size_t n = cases[i].n ? cases[i].n : strlen(cases[i].text);
		struct json_object *o = NULL;
		struct err e = { 0 };
		int rc = json_parse(a, slice_of(cases[i].text, n), "request", &o, &e);

		if (cases[i].wrong == NULL)
			ok(rc == 0 && o != NULL, "case %zu is accepted: %s", i, e.pub);
		else
			ok(rc == -1 && e.status == 400 && strstr(e.pub, cases[i].wrong) != NULL &&
				strncmp(e.pub, "request: ", 9) == 0,
			    "case %zu is refused: %s", i, e.pub);
	}
}

static void
test_depth(struct arena *a)
{
	char deep[2 * (JSON_DEPTH_MAX + 1)];
	struct json_object *o;
	struct err e = { 0 };

	for (int extra = 0; extra <= 1; extra++) {
		size_t n = JSON_DEPTH_MAX + (size_t)extra;

		memset(deep, '[', n);
		memset(deep + n, ']', n);
		ok((json_parse(a, slice_of(deep, 2 * n), "x", &o, &e) == 0) == (extra == 0),
		    "depth %zu", n);
	}
}

static void
test_get(struct arena *a)
{
	static const char text[] = "{\"s\":\"x\",\"n\":null,\"i\":7,\"b\":true,\"a\":[],\"o\":{},"
				   "\"most\":9223372036854775807,\"least\":-9223372036854775808,"
				   "\"more\":9223372036854775808}";
	struct json_object *o = NULL, *sub = NULL;
	struct err e = { 0 };
	struct json_get g = { NULL, "request", &e };
	const char *s = "default";
	int64_t i = 0;
	bool b = false;

	ok(json_parse(a, slice_str(text), "request", &o, &e) == 0, "an object");
	g.obj = o;
	ok(json_get_str(&g, "n", false, &s) == 0, "null is absent");
	is_str(s, "default", "and leaves the default");
	ok(json_get_str(&g, "s", true, &s) == 0, "string");
	is_str(s, "x", "its value");
	ok(json_get_int(&g, "i", true, &i) == 0 && i == 7, "integer");
	ok(json_get_int(&g, "most", true, &i) == 0 && i == INT64_MAX, "the greatest integer");
	ok(json_get_int(&g, "least", true, &i) == 0 && i == INT64_MIN, "the least");
	ok(json_get_int(&g, "more", true, &i) == -1, "a greater one is not taken for another");
	is_str(e.pub, "request: field `more` is out of range", "sentence");
	ok(json_get_bool(&g, "b", true, &b) == 0 && b, "boolean");
	ok(json_get_array(&g, "a", true, &sub) == 0 && sub != NULL, "array");
	ok(json_get_object(&g, "o", true, &sub) == 0 && sub != NULL, "object");
	ok(json_get_str(&g, "n", true, &s) == -1, "null where a field is required");
	is_str(e.pub, "request: missing field `n`", "sentence");
	ok(json_get_str(&g, "i", false, &s) == -1 && e.status == 400, "wrong type");
	is_str(e.pub, "request: field `i` must be a string", "sentence");
}

static void
test_out(struct arena *a)
{
	struct json_out o;
	struct buf b;

	buf_init(&b, a, 1000);
	json_out_init(&o, &b);
	json_out_open(&o, '{');
	json_out_key(&o, "a");
	json_out_str(&o, "q\" b\\ \n\t\x01 \xc3\xa9 /");
	json_out_key(&o, "b");
	json_out_open(&o, '[');
	json_out_int(&o, -1);
	json_out_bool(&o, true);
	json_out_null(&o);
	json_out_str(&o, NULL);
	json_out_open(&o, '{');
	json_out_close(&o, '}');
	json_out_close(&o, ']');
	json_out_key(&o, "c");
	json_out_open(&o, '[');
	json_out_close(&o, ']');
	json_out_close(&o, '}');
	is_str(buf_str(&b),
	    "{\"a\":\"q\\\" b\\\\ \\n\\t\\u0001 \xc3\xa9 /\",\"b\":[-1,true,null,null,{}],\"c\":[]}",
	    "written with commas and escapes");
}

int
main(void)
{
	struct arena *a = arena_new();

	test_parse(a);
	test_depth(a);
	test_get(a);
	test_out(a);
	arena_free(a);
	return tap_done();
}
