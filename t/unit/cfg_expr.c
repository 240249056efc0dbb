#include "crate/cfg_expr.h"

#include "base/buf.h"
#include "tap.h"

static void
test_accepted(void)
{
	static const char *const targets[] = { "x86_64-unknown-linux-gnu",
		"thumbv8m.main-none-eabi", "wasm32", "cfg", "cfg(unix)", "cfg( unix )", "cfg(_a9)",
		"cfg(true)", "cfg(false)", "cfg(target_os = \"linux\")", "cfg(target_os=\"linux\")",
		"cfg(a = \"\")", "cfg(a = \"x y\\\")", "cfg(a = \"(,)\")", "cfg(a = \"é\t☃\")",
		"cfg(all())", "cfg(any())", "cfg(all(unix))", "cfg(all(unix,))", "cfg(all(unix, ))",
		"cfg(any(unix, windows))", "cfg(any (unix,windows))", "cfg(not(unix))",
		"cfg(not( all(a, any(b, not(c)), d = \"e\") ))", "cfg(true = \"x\")", "cfg(r#all)",
		"cfg(r#true)", "cfg(r#fn = \"x\")", "cfg(r)", "cfg(r1)", "cfg(allx)", "cfg(ALL)",
		"cfg(all(not(true), any(false)))" };

	for (size_t i = 0; i < sizeof(targets) / sizeof(*targets); i++) {
		struct err err = { 0 };

		ok(cfg_expr_check(slice_str(targets[i]), &err) == 0, "%s", targets[i]);
		is_str(err.pub, "", "without an error");
	}
}

static void
test_refused(void)
{
	static const struct {
		const char *target, *why;
	} cases[] = {
		{ "", "expected the triple of a platform or `cfg(...)`" },
		{ "x86_64 linux", "expected the triple of a platform or `cfg(...)`" },
		{ "x86_64/linux", "expected the triple of a platform or `cfg(...)`" },
		{ "linux☃", "expected the triple of a platform or `cfg(...)`" },
		{ "cfg(unix", "expected the triple of a platform or `cfg(...)`" },
		{ "cfg(unix) ", "expected the triple of a platform or `cfg(...)`" },
		{ " cfg(unix)", "expected the triple of a platform or `cfg(...)`" },
		{ "cfg (unix)", "expected the triple of a platform or `cfg(...)`" },
		{ "any(unix)", "expected the triple of a platform or `cfg(...)`" },
		{ "cfg(", "expected the triple of a platform or `cfg(...)`" },
		{ "cfg()", "expected an identifier, `all`, `any` or `not`" },
		{ "cfg( )", "expected an identifier, `all`, `any` or `not`" },
		{ "cfg(())", "expected an identifier, `all`, `any` or `not`" },
		{ "cfg(\"unix\")", "expected an identifier, `all`, `any` or `not`" },
		{ "cfg(= \"x\")", "expected an identifier, `all`, `any` or `not`" },
		{ "cfg(all(,))", "expected an identifier, `all`, `any` or `not`" },
		{ "cfg(all(a,,b))", "expected an identifier, `all`, `any` or `not`" },
		{ "cfg(all(a,)", "expected an identifier, `all`, `any` or `not`" },
		{ "cfg(not())", "expected an identifier, `all`, `any` or `not`" },
		{ "cfg(not(a, b))", "expected `)`" },
		{ "cfg(not(a,))", "expected `)`" },
		{ "cfg(all)", "expected `(`" },
		{ "cfg(any = \"x\")", "expected `(`" },
		{ "cfg(not unix)", "expected `(`" },
		{ "cfg(all(a b))", "expected `,` or `)`" },
		{ "cfg(all(a)", "expected `,` or `)`" },
		{ "cfg(a =)", "expected a string after `=`" },
		{ "cfg(a = b)", "expected a string after `=`" },
		{ "cfg(a = = \"b\")", "expected a string after `=`" },
		{ "cfg(a = \"b)", "unterminated string" },
		{ "cfg(a = \")", "unterminated string" },
		{ "cfg(a))", "unexpected text at the end" },
		{ "cfg(a b)", "unexpected text at the end" },
		{ "cfg(a, b)", "unexpected text at the end" },
		{ "cfg(a = \"b\" c)", "unexpected text at the end" },
		{ "cfg(r#all(a))", "unexpected text at the end" },
		{ "cfg(9a)", "unexpected character" },
		{ "cfg(a-b)", "unexpected character" },
		{ "cfg(\tunix)", "unexpected character" },
		{ "cfg(é)", "unexpected character" },
		{ "cfg(unix || windows)", "unexpected character" },
		{ "cfg(r#)", "expected an identifier after `r#`" },
		{ "cfg(r#9)", "expected an identifier after `r#`" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct err err = { 0 };
		char want[256];

		snprintf(want, sizeof(want), "\"%s\" is an invalid target: %s", cases[i].target,
		    cases[i].why);
		ok(cfg_expr_check(slice_str(cases[i].target), &err) == -1 && err.status == 400,
		    "a target is refused");
		if (strchr(cases[i].target, '\t') == NULL)
			is_str(err.pub, want, "its sentence");
	}
}

static int
check_nested(struct arena *a, int depth, struct err *err)
{
	struct buf b;

	buf_init(&b, a, 1 << 20);
	buf_puts(&b, "cfg(");
	for (int i = 0; i < depth; i++)
		buf_puts(&b, i % 2 == 0 ? "not(" : "any(x,");
	buf_puts(&b, "a");
	for (int i = 0; i < depth; i++)
		buf_putc(&b, ')');
	buf_putc(&b, ')');
	return cfg_expr_check(buf_slice(&b), err);
}

static void
test_depth(struct arena *a)
{
	struct err err = { 0 };

	is_int(check_nested(a, CFG_EXPR_DEPTH_MAX, &err), 0, "as deep as may be");
	is_int(check_nested(a, CFG_EXPR_DEPTH_MAX + 1, &err), -1, "one deeper");
	ok(strstr(err.pub, "it is nested too deeply") != NULL, "its sentence");
	err_clear(&err);
	is_int(check_nested(a, 100000, &err), -1, "far too deep");
	ok(strstr(err.pub, "it is nested too deeply") != NULL, "the sentence is whole");
}

static void
test_bytes(void)
{
	struct err err = { 0 };

	is_int(cfg_expr_check(slice_of("linux\0", 6), &err), -1, "NUL in a triple");
	is_int(cfg_expr_check(slice_of("cfg(a\0)", 7), &err), -1, "NUL in an expression");
	is_int(cfg_expr_check(slice_of("cfg(unix)x", 9), &err), 0, "a slice ends before its text");
}

int
main(void)
{
	struct arena *a = arena_new();

	test_accepted();
	test_refused();
	test_depth(a);
	test_bytes();
	arena_free(a);
	return tap_done();
}
