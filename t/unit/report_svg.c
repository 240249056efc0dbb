/* admin/report_svg and the sums of store/report: numbers as people read them. */
#include "admin/report_svg.h"

#include "tap.h"

static const char *
draw(struct arena *a, const char *title, const struct report_month *m, size_t n)
{
	struct buf b;

	buf_init(&b, a, 1 << 20);
	report_svg_write(&b, title, m, n);
	ok(!buf_full(&b), "it fits");
	return buf_str(&b);
}

static void
test_growth(void)
{
	static const struct {
		int64_t before, now;
		bool known;
		int64_t tenths;
	} cases[] = {
		{ 0, 0, false, 0 },
		{ 0, 5, false, 0 },
		{ 5, 5, true, 0 },
		{ 1, 2, true, 1000 },
		{ 2, 1, true, -500 },
		{ 3, 5, true, 667 },
		{ 3, 4, true, 333 },
		{ 6, 5, true, -167 },
		{ 5, 0, true, -1000 },
		{ 1000, 1001, true, 1 },
		{ 2000, 2001, true, 1 },
		{ 2000, 1999, true, -1 },
		{ 3000, 3001, true, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const int64_t before[REPORT__ACTORS] = { cases[i].before };
		const int64_t now[REPORT__ACTORS] = { 0, cases[i].now };
		struct report_growth g = report_growth(before, now);

		is_int(g.known, cases[i].known, "whether it is known");
		is_int(g.tenths, cases[i].tenths, "tenths of a percent");
	}
}

int
main(void)
{
	const struct report_month months[] = {
		{ .month = "2025-12", .publishers = { 1, 2, 3 }, .downloaders = { INT32_MAX, 0, 0 } },
		{ .month = "2026-01" },
	};
	struct arena *a = arena_new();
	const char *svg;

	test_growth();
	svg = draw(a, "<a> & \"b\"", months, 2);
	ok(strstr(svg, "&lt;a&gt; &amp; \"b\"") != NULL, "what XML has uses for is escaped");
	ok(strstr(svg, "<a>") == NULL, "everywhere");
	ok(strstr(svg, ">2147483647<") != NULL, "a large number");
	ok(strstr(svg, ">-100%<") != NULL, "and its fall");
	svg = draw(a, "x", months, 1);
	ok(strstr(svg, ">6<") != NULL, "one month alone");
	arena_free(a);
	return tap_done();
}
