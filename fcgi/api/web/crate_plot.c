#include "api/web/crate_plot.h"

#include <inttypes.h>
#include <string.h>

#include "base/buf.h"

enum { DAYS_OF_WEEK = 7, OUTLINE_MAX = PAGE_CRATE_DAYS * 48 };

int64_t
crate_plot_week(const int64_t days[PAGE_CRATE_DAYS], size_t week)
{
	int64_t sum = 0;

	for (size_t ago = week * DAYS_OF_WEEK; ago < (week + 1) * DAYS_OF_WEEK && ago < PAGE_CRATE_DAYS; ago++)
		sum += days[PAGE_CRATE_DAYS - 1 - ago];
	return sum;
}

int64_t
crate_plot_pattern(const struct crate_plot_band *band, size_t i)
{
	return band->version != NULL ? (int64_t)i : CRATE_PLOT_BANDS - 1;
}

/* Adds a band; one without downloads is left out. */
static void
add_band(struct crate_plot *plot, const char *version, const int64_t days[PAGE_CRATE_DAYS])
{
	struct crate_plot_band *band = &plot->bands[plot->n];

	*band = (struct crate_plot_band) { .version = version };
	memcpy(band->days, days, sizeof(band->days));
	for (size_t i = 0; i < PAGE_CRATE_DAYS; i++)
		band->downloads += days[i];
	plot->n += band->downloads > 0;
}

/* The height of so many downloads; what is not 0 is seen. */
static int64_t
height(const struct crate_plot *plot, int64_t downloads)
{
	return (downloads * CRATE_PLOT_HEIGHT + plot->most - 1) / plot->most;
}

/* Draws a band on top of what is `below`, to which it adds the band. */
static const char *
outline(struct arena *a, const struct crate_plot *plot, const struct crate_plot_band *band,
    int64_t below[PAGE_CRATE_DAYS])
{
	struct buf b;

	buf_init(&b, a, OUTLINE_MAX);
	for (size_t i = 0; i < PAGE_CRATE_DAYS; i++) {
		int64_t from = height(plot, below[i]);
		int64_t to = height(plot, below[i] + band->days[i]);

		if (to > from)
			buf_printf(&b, "M%zu %" PRId64 "h%dv%" PRId64 "h-%dz", i * CRATE_PLOT_STEP, CRATE_PLOT_HEIGHT - to,
			    CRATE_PLOT_BAR, to - from, CRATE_PLOT_BAR);
		below[i] += band->days[i];
	}
	return buf_str(&b);
}

void
crate_plot_draw(struct arena *a, const struct page_crate *crate, struct crate_plot *plot)
{
	int64_t others[PAGE_CRATE_DAYS], below[PAGE_CRATE_DAYS] = { 0 };

	*plot = (struct crate_plot) { .most = 1 };
	memcpy(others, crate->days, sizeof(others));
	for (size_t v = 0; v < PAGE_CRATE_BANDS && v < crate->nloads; v++) {
		add_band(plot, crate->loads[v].version, crate->bands[v]);
		for (size_t i = 0; i < PAGE_CRATE_DAYS; i++)
			others[i] -= crate->bands[v][i];
	}
	add_band(plot, NULL, others);
	for (size_t i = 0; i < PAGE_CRATE_DAYS; i++)
		plot->most = crate->days[i] > plot->most ? crate->days[i] : plot->most;
	for (size_t i = 0; i < plot->n; i++)
		plot->bands[i].outline = outline(a, plot, &plot->bands[i], below);
}
