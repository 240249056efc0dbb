#include "crate/toml/toml.h"

#include <inttypes.h>

#include "base/buf.h"
#include "base/clock.h"
#include "tap.h"

static struct arena *arena;

/* A value as compact text, so that one string shows a whole document. */
static void
show(struct buf *b, const struct toml_value *v)
{
	switch (v->type) {
	case TOML_TABLE:
		buf_putc(b, '{');
		for (size_t i = 0; i < toml_table_size(v->u.table); i++) {
			const struct toml_member *m = toml_table_at(v->u.table, i);

			buf_puts(b, i > 0 ? " " : "");
			buf_put_slice(b, m->key);
			buf_putc(b, '=');
			show(b, m->value);
		}
		buf_putc(b, '}');
		return;
	case TOML_ARRAY:
		buf_putc(b, '[');
		for (size_t i = 0; i < toml_array_size(v->u.array); i++) {
			buf_puts(b, i > 0 ? " " : "");
			show(b, toml_array_at(v->u.array, i));
		}
		buf_putc(b, ']');
		return;
	case TOML_STRING:
		buf_printf(b, "<%.*s>", (int)v->u.string.n, v->u.string.p);
		return;
	case TOML_INTEGER:
		buf_printf(b, "%" PRId64, v->u.integer);
		return;
	case TOML_FLOAT:
		buf_printf(b, "f%g", v->u.number);
		return;
	case TOML_BOOLEAN:
		buf_puts(b, v->u.boolean ? "true" : "false");
		return;
	case TOML_DATETIME:
		buf_printf(b, "@%.*s", (int)v->u.string.n, v->u.string.p);
		return;
	}
}

/* The document as text, or the sentence why it is refused. */
static const char *
read_slice(struct slice text)
{
	struct toml_value root = { .type = TOML_TABLE };
	struct err err = { 0 };
	struct buf b;

	buf_init(&b, arena, 1 << 20);
	if (toml_parse(arena, text, &root.u.table, &err) == -1) {
		if (err.status != 400)
			return "refused without a 400";
		return arena_strdup(arena, err.pub);
	}
	show(&b, &root);
	return buf_str(&b);
}

static const char *
read_text(const char *text)
{
	return read_slice(slice_str(text));
}

struct example {
	const char *text, *want;
};

static const struct example scalars[] = {
	{ "", "{}" },
	{ "# only a comment", "{}" },
	{ "\r\n\t \n", "{}" },
	{ "a=1", "{a=1}" },
	{ "a = 1 # c\r\nb\t=\t2\n", "{a=1 b=2}" },
	{ "a=+17\nb=-17\nc=0\nd=+0\ne=-0", "{a=17 b=-17 c=0 d=0 e=0}" },
	{ "a=1_000\nb=5_349_221", "{a=1000 b=5349221}" },
	{ "a=0xDEAD_beef\nb=0o755\nc=0b1101", "{a=3735928559 b=493 c=13}" },
	{ "a=9223372036854775807\nb=-9223372036854775808",
	    "{a=9223372036854775807 b=-9223372036854775808}" },
	{ "a=0x7fffffffffffffff", "{a=9223372036854775807}" },
	{ "a=1.5\nb=-0.25\nc=5e+2\nd=1E06\ne=6.626e-3\nf=1_0.2_5",
	    "{a=f1.5 b=f-0.25 c=f500 d=f1e+06 e=f0.006626 f=f10.25}" },
	{ "a=inf\nb=-inf\nc=+inf", "{a=finf b=f-inf c=finf}" },
	{ "a=true\nb=false", "{a=true b=false}" },
	{ "a=1979-05-27T07:32:00Z", "{a=@1979-05-27T07:32:00Z}" },
	{ "a=1979-05-27 07:32:00.999-07:00", "{a=@1979-05-27 07:32:00.999-07:00}" },
	{ "a=1979-05-27t07:32:60z", "{a=@1979-05-27t07:32:60z}" },
	{ "a=1979-05-27T07:32", "{a=@1979-05-27T07:32}" },
	{ "a=1979-05-27 07:32Z", "{a=@1979-05-27 07:32Z}" },
	{ "a=1979-05-27T07:32-07:00", "{a=@1979-05-27T07:32-07:00}" },
	{ "a=07:32", "{a=@07:32}" },
	{ "a=1979-05-27T00:32:00", "{a=@1979-05-27T00:32:00}" },
	{ "a=2000-02-29 # c", "{a=@2000-02-29}" },
	{ "a=23:59:59.123456789", "{a=@23:59:59.123456789}" },
};

static const struct example bad_scalars[] = {
	{ "a=", "line 1, column 3: expected a value" },
	{ "a", "line 1, column 2: expected `=` after a key" },
	{ "=1", "line 1, column 1: expected a key" },
	{ "a=1 b=2", "line 1, column 5: expected the end of the line" },
	{ "a=yes", "line 1, column 3: `yes` is not a valid value" },
	{ "a=True", "line 1, column 3: `True` is not a valid value" },
	{ "a=01", "line 1, column 3: `01` is not a valid value" },
	{ "a=-01", "line 1, column 3: `-01` is not a valid value" },
	{ "a=1__0", "line 1, column 3: `1__0` is not a valid value" },
	{ "a=_1", "line 1, column 3: `_1` is not a valid value" },
	{ "a=1_", "line 1, column 3: `1_` is not a valid value" },
	{ "a=+0x1", "line 1, column 3: `+0x1` is not a valid value" },
	{ "a=0x", "line 1, column 3: `0x` is not a valid value" },
	{ "a=0XFF", "line 1, column 3: `0XFF` is not a valid value" },
	{ "a=0b12", "line 1, column 3: `0b12` is not a valid value" },
	{ "a=0o8", "line 1, column 3: `0o8` is not a valid value" },
	{ "a=9223372036854775808",
	    "line 1, column 3: `9223372036854775808` is not a valid value" },
	{ "a=-9223372036854775809",
	    "line 1, column 3: `-9223372036854775809` is not a valid value" },
	{ "a=0x8000000000000000", "line 1, column 3: `0x8000000000000000` is not a valid value" },
	{ "a=1.", "line 1, column 3: `1.` is not a valid value" },
	{ "a=.5", "line 1, column 3: `.5` is not a valid value" },
	{ "a=1.e5", "line 1, column 3: `1.e5` is not a valid value" },
	{ "a=1e", "line 1, column 3: `1e` is not a valid value" },
	{ "a=1e5.5", "line 1, column 3: `1e5.5` is not a valid value" },
	{ "a=1e999", "line 1, column 3: `1e999` is not a valid value" },
	{ "a=Inf", "line 1, column 3: `Inf` is not a valid value" },
	{ "a=1979-02-29", "line 1, column 3: `1979-02-29` is not a valid date or time" },
	{ "a=1900-02-29", "line 1, column 3: `1900-02-29` is not a valid date or time" },
	{ "a=1979-13-01", "line 1, column 3: `1979-13-01` is not a valid date or time" },
	{ "a=1979-04-31", "line 1, column 3: `1979-04-31` is not a valid date or time" },
	{ "a=1979-05-27T24:00:00",
	    "line 1, column 3: `1979-05-27T24:00:00` is not a valid date or time" },
	{ "a=1979-05-27T07",
	    "line 1, column 3: `1979-05-27T07` is not a valid date or time" },
	{ "a=1979-05-27T07:32:",
	    "line 1, column 3: `1979-05-27T07:32:` is not a valid date or time" },
	{ "a=1979-05-27T07:32.5",
	    "line 1, column 3: `1979-05-27T07:32.5` is not a valid date or time" },
	{ "a=07:3", "line 1, column 3: `07:3` is not a valid date or time" },
	{ "a=1979-05-27T07:32:00.",
	    "line 1, column 3: `1979-05-27T07:32:00.` is not a valid date or time" },
	{ "a=1979-05-27T07:32:00+24:00",
	    "line 1, column 3: `1979-05-27T07:32:00+24:00` is not a valid date or time" },
	{ "a=12:60:00", "line 1, column 3: `12:60:00` is not a valid date or time" },
};

static const struct example strings[] = {
	{ "a=\"\"\nb=''", "{a=<> b=<>}" },
	{ "a=\"x\\b\\t\\n\\f\\r\\\"\\\\y\"", "{a=<x\b\t\n\f\r\"\\y>}" },
	{ "a=\"\\u00e9\\U0001F600\"", "{a=<\xc3\xa9\xf0\x9f\x98\x80>}" },
	{ "a='C:\\n'", "{a=<C:\\n>}" },
	{ "a=\"\"\"\"\"\"\nb=''''''", "{a=<> b=<>}" },
	{ "a=\"\"\"\nx\r\ny\"\"\"", "{a=<x\ny>}" },
	{ "a=\"\"\"x \\  \n\n  y\"\"\"", "{a=<x y>}" },
	{ "a=\"\"\"x\\\r\n  y\"\"\"", "{a=<xy>}" },
	{ "a=\"\"\"\"\"x\"\" \"\"\"\"\"", "{a=<\"\"x\"\" \"\">}" },
	{ "a='''\n''x'\\''''", "{a=<''x'\\'>}" },
	{ "a=\"# no comment\"", "{a=<# no comment>}" },
	{ "\"\"=1\n\"a b\"=2\n'c.d'=3\n\"\\u0065\"=4", "{=1 a b=2 c.d=3 e=4}" },
	{ "1234=1\n-_-=2", "{1234=1 -_-=2}" },
};

static const struct example bad_strings[] = {
	{ "a=\"x", "line 1, column 3: the string does not end" },
	{ "a=\"x\n\"", "line 1, column 3: the string does not end" },
	{ "a=\"x\\\n\"", "line 1, column 5: invalid escape in a string" },
	{ "a=\"x\\", "line 1, column 3: the string does not end" },
	{ "a=\"x\\\"", "line 1, column 3: the string does not end" },
	{ "a='x\n'", "line 1, column 3: the string does not end" },
	{ "a='''x''", "line 1, column 3: the string does not end" },
	{ "a=\"\"\"x\"\"", "line 1, column 3: the string does not end" },
	{ "a=\"\"\"x\"\"\"\"\"\"", "line 1, column 12: expected the end of the line" },
	{ "a=\"\\x41\"", "line 1, column 4: invalid escape in a string" },
	{ "a=\"\\u12\"", "line 1, column 4: `\\u` needs 4 hexadecimal digits" },
	{ "a=\"\\U0001F60\"", "line 1, column 4: `\\U` needs 8 hexadecimal digits" },
	{ "a=\"\\ud800\"", "line 1, column 4: the escape is not a Unicode scalar value" },
	{ "a=\"\\U00110000\"", "line 1, column 4: the escape is not a Unicode scalar value" },
	{ "a=\"\"\"x\\ y\"\"\"", "line 1, column 7: invalid escape in a string" },
	{ "\"\"\"a\"\"\"=1", "line 1, column 3: expected `=` after a key" },
	{ "\xef\xbb\xbf" "a=1", "line 1, column 1: a byte order mark is not allowed" },
	{ "a=\"\xff\"", "line 1, column 4: not valid UTF-8" },
	{ "# \xc3\xa9\xed\xa0\x80", "line 1, column 4: not valid UTF-8" },
	{ "\n# \x01", "line 2, column 3: control character U+0001" },
	{ "a='\x7f'", "line 1, column 4: control character U+007F" },
	{ "a=1\rb=2", "line 1, column 4: a carriage return without a newline" },
	{ "a=1\r", "line 1, column 4: a carriage return without a newline" },
};

static const struct example tables[] = {
	{ "[a]\nx=1\n[b]\nx=2", "{a={x=1} b={x=2}}" },
	{ "[a.b.c]\n[a]\nx=1", "{a={b={c={}} x=1}}" },
	{ "[ a . \"b.c\" ] # x", "{a={b.c={}}}" },
	{ "a.b.c=1\na.b.d=2\na . e = 3", "{a={b={c=1 d=2} e=3}}" },
	{ "[a]\nb.c=1\n[a.b.d]\nx=1", "{a={b={c=1 d={x=1}}}}" },
	{ "[a.b.c]\n[a]\nb.d=1", "{a={b={c={} d=1}}}" },
	{ "3.14=1", "{3={14=1}}" },
	{ "a={}\nb={ x = 1 , y.z = 2 }", "{a={} b={x=1 y={z=2}}}" },
	{ "a=[]\nb=[ 1, 'x', [2.5], {} ]", "{a=[] b=[1 <x> [f2.5] {}]}" },
	{ "a=[\n1, # one\n\n2 # two\n,\n]", "{a=[1 2]}" },
	{ "[[a]]\nx=1\n[[a]]\n[a.b]\nx=2\n[[a.c]]\n[[a.c]]", "{a=[{x=1} {b={x=2} c=[{} {}]}]}" },
	{ "[a.b]\n[[a.c]]\n[a.c.d]", "{a={b={} c=[{d={}}]}}" },
};

static const struct example bad_tables[] = {
	{ "a=1\na=2", "line 2, column 1: `a` is defined twice" },
	{ "a=1\n\"a\"=2", "line 2, column 1: `a` is defined twice" },
	{ "[a]\n[a]", "line 2, column 1: `a` is defined twice" },
	{ "a=1\n[a]", "line 2, column 1: `a` is defined twice" },
	{ "a=1\n[a.b]", "line 2, column 1: `a` is defined twice" },
	{ "a=1\na.b=2", "line 2, column 1: `a` is defined twice" },
	{ "a.b=1\na=2", "line 2, column 1: `a` is defined twice" },
	{ "a.b=1\n[a]", "line 2, column 1: `a` is defined twice" },
	{ "a.b.c=1\n[a.b]", "line 2, column 1: `b` is defined twice" },
	{ "[a.b]\nx=1\n[a]\nb.y=2", "line 4, column 1: `b` is defined twice" },
	{ "[a.b.c]\n[a]\nb.c.d=1", "line 3, column 1: `c` is defined twice" },
	{ "a={x=1}\n[a.b]", "line 2, column 1: `a` is defined twice" },
	{ "a={x=1}\na.y=2", "line 2, column 1: `a` is defined twice" },
	{ "a={b={x=1}, b.y=2}", "line 1, column 13: `b` is defined twice" },
	{ "a={b.x=1, b=2}", "line 1, column 11: `b` is defined twice" },
	{ "a=[{}]\n[[a]]", "line 2, column 1: `a` is defined twice" },
	{ "a=[{}]\n[a.b]", "line 2, column 1: `a` is defined twice" },
	{ "[[a]]\n[a]", "line 2, column 1: `a` is defined twice" },
	{ "[a]\n[[a]]", "line 2, column 1: `a` is defined twice" },
	{ "[a.b]\n[[a]]", "line 2, column 1: `a` is defined twice" },
	{ "[[a]]\nb.x=1\n[[a.b]]", "line 3, column 1: `b` is defined twice" },
	{ "[]", "line 1, column 2: expected a key" },
	{ "[a", "line 1, column 3: expected `]` after a table's name" },
	{ "[[a]", "line 1, column 5: expected `]]` after a table's name" },
	{ "[[a] ]", "line 1, column 5: expected `]]` after a table's name" },
	{ "[ [a]]", "line 1, column 3: expected a key" },
	{ "[a]x=1", "line 1, column 4: expected the end of the line" },
	{ "[a.]", "line 1, column 4: expected a key" },
	{ "[a..b]", "line 1, column 4: expected a key" },
	{ "[a\n]", "line 1, column 3: expected `]` after a table's name" },
	{ "a={x=1,}", "line 1, column 8: expected a key" },
	{ "a={x=1\n}", "line 1, column 7: expected `,` or `}` in an inline table" },
	{ "a={", "line 1, column 4: expected a key" },
	{ "a=[1 2]", "line 1, column 6: expected `,` or `]` in an array" },
	{ "a=[1,,2]", "line 1, column 6: expected a value" },
	{ "a=[", "line 1, column 4: expected a value" },
	{ "a=[1", "line 1, column 5: expected `,` or `]` in an array" },
	{ "\xc3\xa9=1", "line 1, column 1: expected a key" },
	{ "a=\"\xc3\xa9\" x", "line 1, column 7: expected the end of the line" },
};

static void
examples(const char *group, const struct example *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		is_str(read_text(v[i].text), v[i].want, arena_printf(arena, "%s %zu", group, i));
	arena_reset(arena);
}

#define EXAMPLES(v) examples(#v, (v), sizeof(v) / sizeof(*(v)))

static const char *
repeat(const char *before, const char *unit, size_t n, const char *after)
{
	struct buf b;

	buf_init(&b, arena, 1 << 23);
	buf_puts(&b, before);
	for (size_t i = 0; i < n; i++)
		buf_puts(&b, unit);
	buf_puts(&b, after);
	return buf_str(&b);
}

/* The sentence, or "" where the text is accepted. */
static const char *
refusal(const char *text)
{
	struct toml_table *root;
	struct err err = { 0 };

	(void)!toml_parse(arena, slice_str(text), &root, &err);
	return arena_strdup(arena, err.pub);
}

static void
test_depth(void)
{
	static const char *const deep = "nested more than 64 deep";
	char text[512];

	/* the key is one level, so 63 brackets reach the limit */
	snprintf(text, sizeof(text), "%s%s", repeat("a=", "[", 63, "1"), repeat("", "]", 63, ""));
	is_str(refusal(text), "", "63 arrays in a key");
	snprintf(text, sizeof(text), "%s%s", repeat("a=", "[", 64, "1"), repeat("", "]", 64, ""));
	ok(strstr(refusal(text), deep) != NULL, "64 arrays in a key");
	is_str(refusal(repeat("a", ".a", 63, "=1")), "", "a key of 64 parts");
	ok(strstr(refusal(repeat("a", ".a", 64, "=1")), deep) != NULL, "a key of 65 parts");
	is_str(refusal(repeat("[a", ".a", 63, "]")), "", "a header of 64 parts");
	ok(strstr(refusal(repeat("[a", ".a", 63, "]\nx=1")), deep) != NULL, "a pair below it");
	ok(strstr(refusal(repeat("a=", "{a=", 64, "")), deep) != NULL, "64 inline tables");
	ok(strstr(refusal(repeat("a=", "[", 100000, "")), deep) != NULL, "100000 brackets");
	ok(strstr(refusal(repeat("", "[[a]]\n[[a.a]]\n", 20, repeat("[a", ".a", 62, "]"))), deep) !=
		NULL, "elements of arrays count");
	arena_reset(arena);
}

static void
test_bytes(void)
{
	static const char nul[] = "a=1\n\0b=2";
	struct toml_table *root;
	const struct toml_value *v;
	struct err err = { 0 };

	is_str(read_slice(slice_of(nul, sizeof(nul) - 1)),
	    "line 2, column 1: control character U+0000", "a NUL in the text");
	is_str(read_slice(slice_of("a=12", 3)), "{a=1}", "the text ends where its length says");
	ok(toml_parse(arena, slice_str("a=\"x\\u0000y\""), &root, &err) == 0, "an escaped NUL");
	v = toml_get(root, "a");
	ok(v != NULL && v->u.string.n == 3 && memcmp(v->u.string.p, "x\0y", 3) == 0,
	    "is part of the string");
	ok(toml_get(root, "b") == NULL, "no such member");
	arena_reset(arena);
}

static void
test_places(void)
{
	struct toml_table *root;
	const struct toml_value *v;
	struct err err = { 0 };

	ok(toml_parse(arena, slice_str("\n [x]\n\xc3\xa9 = 1"), &root, &err) == -1, "no such key");
	ok(toml_parse(arena, slice_str("\n[x]\n'\xc3\xa9' = [1,\n  2]"), &root, &err) == 0,
	    "a text");
	v = toml_get(root, "x");
	ok(v != NULL && v->line == 2 && v->column == 1, "a header's place");
	v = v != NULL ? toml_get(v->u.table, "\xc3\xa9") : NULL;
	ok(v != NULL && v->line == 3 && v->column == 7, "columns count characters");
	v = v != NULL ? toml_array_at(v->u.array, 1) : NULL;
	ok(v != NULL && v->line == 4 && v->column == 3, "an element's place");
	arena_reset(arena);
}

/* What a document may hold altogether; memory is bounded by this. */
static void
test_items(void)
{
	static const char many[] = "more than 100000 keys and values";
	const size_t most = TOML_ITEMS_MAX;

	is_str(refusal(repeat("a=[", "1,", most - 2, "]")), "", "as many values as may be");
	ok(strstr(refusal(repeat("a=[", "1,", most - 1, "]")), many) != NULL, "one more");
	is_str(refusal(repeat("", "[[a]]\n", most, "")), "", "as many headers as may be");
	is_str(refusal(repeat("", "[[a]]\n", most + 1, "")),
	    "line 100001, column 3: more than 100000 keys and values", "one more, and its place");
	ok(strstr(refusal(repeat("", "[[a.b]]\n", most / 2 + 1, "")), many) != NULL,
	    "each part of a key counts");
	ok(strstr(refusal(repeat("a=[", "{b=1},", most / 3, "]")), many) != NULL,
	    "a table, its key and its value count");
	arena_reset(arena);
}

/* A quadratic step anywhere would need minutes for these. */
static void
test_hostile_size(void)
{
	static const size_t n = TOML_ITEMS_MAX / 2;
	struct toml_table *root = NULL;
	struct err err = { 0 };
	struct buf b;
	int64_t start = clock_us();
	bool found = true;

	buf_init(&b, arena, 1 << 21);
	for (size_t i = 0; i < n; i++)
		buf_printf(&b, "k%zu=1\n", i);
	ok(toml_parse(arena, buf_slice(&b), &root, &err) == 0, "50000 ascending keys");
	for (size_t i = 0; i < n && root != NULL; i++) {
		char key[16];

		snprintf(key, sizeof(key), "k%zu", i);
		found = found && toml_get(root, key) != NULL;
	}
	ok(found && root != NULL && toml_table_size(root) == n, "are all found");
	is_str(refusal(repeat("a=[", "1, ", n, "]")), "", "a line of 50000 elements");
	is_str(refusal(repeat("a=\"\"\"", "\\\n", 400000, "\"\"\"")), "", "400000 continued lines");
	ok(clock_us() - start < 20 * 1000000, "in time that grows with the text");
	arena_reset(arena);
}

int
main(void)
{
	arena = arena_new();
	EXAMPLES(scalars);
	EXAMPLES(bad_scalars);
	EXAMPLES(strings);
	EXAMPLES(bad_strings);
	EXAMPLES(tables);
	EXAMPLES(bad_tables);
	test_depth();
	test_bytes();
	test_places();
	test_items();
	test_hostile_size();
	arena_free(arena);
	return tap_done();
}
