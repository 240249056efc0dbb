#include "admin/report_svg.h"

#include <inttypes.h>
#include <string.h>

/* The picture's measures, in its own units. */
enum {
	WIDTH = 960,
	HEIGHT = 720,
	LEFT = 64, /* of a panel's plot */
	RIGHT = WIDTH - 24,
	PLOT_HEIGHT = 210,
	FIRST_TOP = 116,
	PANEL_STEP = 310,
	BAR_MAX = 56,
	GRID_LINES = 4,
	DIGIT = 8, /* how wide one is */
	WIDE_SLOT = 50, /* has room for 2026-01, and for growth */
	NARROW_SLOT = 30 /* has not even room for 01 beside 02 */
};

static const struct {
	const char *name, *color;
} actors[REPORT__ACTORS] = {
	[REPORT_USERS] = { "people", "#2b6cb0" },
	[REPORT_DEPLOY_TOKENS] = { "deploy tokens", "#dd8b1f" },
	[REPORT_JOBS] = { "CI jobs", "#4c9a5b" },
};

static void
put_escaped(struct buf *b, const char *s)
{
	for (; *s != '\0'; s++) {
		if (*s == '&')
			buf_puts(b, "&amp;");
		else if (*s == '<')
			buf_puts(b, "&lt;");
		else if (*s == '>')
			buf_puts(b, "&gt;");
		else if ((unsigned char)*s >= ' ')
			buf_putc(b, *s);
	}
}

static void
put_text(struct buf *b, int x, int y, const char *class, const char *text)
{
	buf_printf(b, "<text class=\"%s\" x=\"%d\" y=\"%d\">", class, x, y);
	put_escaped(b, text);
	buf_puts(b, "</text>\n");
}

/* A step of the grid that reads well: 1, 2 or 5 and zeros, so that GRID_LINES of them suffice. */
static int64_t
grid_step(int64_t max)
{
	static const int64_t factors[] = { 1, 2, 5 };

	for (int64_t power = 1;; power *= 10) {
		for (size_t i = 0; i < sizeof(factors) / sizeof(*factors); i++) {
			if (factors[i] * power * GRID_LINES >= max)
				return factors[i] * power;
		}
	}
}

static int
height_of(int64_t v, int64_t scale)
{
	return (int)((v * PLOT_HEIGHT + scale / 2) / scale);
}

static void
put_grid(struct buf *b, int bottom, int64_t step, int64_t scale)
{
	for (int64_t v = 0; v <= scale; v += step) {
		int y = bottom - height_of(v, scale);

		buf_printf(b, "<line class=\"%s\" x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\"/>\n",
		    v == 0 ? "axis" : "grid", LEFT, y, RIGHT, y);
		buf_printf(b, "<text class=\"tick\" x=\"%d\" y=\"%d\">%" PRId64 "</text>\n", LEFT - 8,
		    y + 4, v);
	}
}

/* One month: its parts on top of each other. */
static void
put_bar(struct buf *b, int middle, int width, int bottom, const int64_t v[REPORT__ACTORS],
    int64_t scale)
{
	int64_t below = 0;

	for (size_t i = 0; i < REPORT__ACTORS; i++) {
		int from = height_of(below, scale), to = height_of(below + v[i], scale);

		below += v[i];
		if (to > from)
			buf_printf(b, "<rect fill=\"%s\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/>\n",
			    actors[i].color, middle - width / 2, bottom - to, width, to - from);
	}
}

/* Above it, how many they are in all. */
static void
put_total(struct buf *b, int middle, int bottom, int64_t total, int64_t scale)
{
	if (total > 0)
		buf_printf(b, "<text class=\"total\" x=\"%d\" y=\"%d\">%" PRId64 "</text>\n", middle,
		    bottom - height_of(total, scale) - 5, total);
}

static void
put_growth(struct buf *b, int x, int y, struct report_growth g)
{
	const char *class = g.tenths < 0 ? "fall" : "rise";

	if (g.known && g.tenths != 0)
		buf_printf(b, "<text class=\"%s\" x=\"%d\" y=\"%d\">%+" PRId64 "%%</text>\n", class, x, y,
		    (g.tenths + (g.tenths < 0 ? -5 : 5)) / 10);
}

static const int64_t *
numbers(const struct report_month *m, int downloads)
{
	return downloads ? m->downloaders : m->publishers;
}

/* Below the month's bar, where there is room for it: which one it is, and its growth. */
static void
put_label(struct buf *b, int middle, int bottom, int slot, const struct report_month *m, bool first,
    int downloads)
{
	/* "2026-01": January is 0 */
	const char *digits = m->month + strlen("2026-");
	int number = (digits[0] - '0') * 10 + digits[1] - '0' - 1;

	if (slot >= WIDE_SLOT) {
		put_text(b, middle, bottom + 17, "month", m->month);
		if (!first)
			put_growth(b, middle, bottom + 32,
			    report_growth(numbers(m - 1, downloads), numbers(m, downloads)));
		return;
	}
	if (slot >= NARROW_SLOT || number % (slot >= NARROW_SLOT / 2 ? 3 : 6) == 0)
		put_text(b, middle, bottom + 17, "month", digits);
	if (number == 0)
		buf_printf(b, "<text class=\"month\" x=\"%d\" y=\"%d\">%.4s</text>\n", middle,
		    bottom + 31, m->month);
}

static void
put_panel(struct buf *b, int top, const char *title, const struct report_month *m, size_t n,
    int downloads)
{
	int bottom = top + PLOT_HEIGHT, slot = (RIGHT - LEFT) / (int)n;
	int width = slot * 2 / 3 < BAR_MAX ? slot * 2 / 3 : BAR_MAX, digits = 0;
	int64_t max = 1, step, scale;

	for (size_t i = 0; i < n; i++) {
		int64_t sum = report_sum(numbers(&m[i], downloads));

		max = sum > max ? sum : max;
	}
	for (int64_t rest = max; rest > 0; rest /= 10)
		digits++;
	step = grid_step(max);
	scale = step * GRID_LINES;
	put_text(b, LEFT, top - 18, "panel", title);
	put_grid(b, bottom, step, scale);
	for (size_t i = 0; i < n; i++) {
		int middle = LEFT + slot * (int)i + slot / 2;

		put_bar(b, middle, width, bottom, numbers(&m[i], downloads), scale);
		/* all of them or none */
		if (digits * DIGIT <= slot)
			put_total(b, middle, bottom, report_sum(numbers(&m[i], downloads)), scale);
		put_label(b, middle, bottom, slot, &m[i], i == 0, downloads);
	}
}

static void
put_legend(struct buf *b, int y)
{
	int x = LEFT;

	for (size_t i = 0; i < REPORT__ACTORS; i++) {
		buf_printf(b, "<rect fill=\"%s\" x=\"%d\" y=\"%d\" width=\"12\" height=\"12\"/>\n",
		    actors[i].color, x, y - 10);
		put_text(b, x + 18, y, "legend", actors[i].name);
		x += 40 + 8 * (int)strlen(actors[i].name);
	}
}

void
report_svg_write(struct buf *b, const char *title, const struct report_month *m, size_t n)
{
	buf_printf(b,
	    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	    "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
	    "viewBox=\"0 0 %d %d\" role=\"img\">\n<title>",
	    WIDTH, HEIGHT, WIDTH, HEIGHT);
	put_escaped(b, title);
	buf_puts(b,
	    "</title>\n<style>\n"
	    "text { font-family: 'DejaVu Sans', Verdana, sans-serif; font-size: 12px; fill: #333 }\n"
	    ".title { font-size: 20px; font-weight: bold }\n"
	    ".panel { font-size: 14px; font-weight: bold }\n"
	    ".tick { text-anchor: end; fill: #666 }\n"
	    ".month, .total, .rise, .fall { text-anchor: middle }\n"
	    ".rise { fill: #2f7d3d; font-size: 11px }\n"
	    ".fall { fill: #b03030; font-size: 11px }\n"
	    ".axis { stroke: #666 }\n"
	    ".grid { stroke: #ddd }\n"
	    "</style>\n"
	    "<rect fill=\"#fff\" width=\"100%\" height=\"100%\"/>\n");
	put_text(b, LEFT, 38, "title", title);
	put_legend(b, 64);
	put_panel(b, FIRST_TOP, "Who has published, by month", m, n, 0);
	put_panel(b, FIRST_TOP + PANEL_STEP, "Who has downloaded, by month", m, n, 1);
	buf_puts(b, "</svg>\n");
}
