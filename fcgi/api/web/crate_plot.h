#ifndef API_WEB_CRATE_PLOT_H
#define API_WEB_CRATE_PLOT_H

/*
 * The downloads of a crate as a plot: a bar for each day, stacked by version, the most downloaded one at the
 * bottom and all others together on top.
 */

#include "base/arena.h"
#include "store/web/page_crate.h"

enum {
	CRATE_PLOT_HEIGHT = 160, /* units of the drawing, as are the next ones */
	CRATE_PLOT_STEP = 8, /* from day to day */
	CRATE_PLOT_BAR = 6,
	CRATE_PLOT_BANDS = PAGE_CRATE_BANDS + 1,
	CRATE_PLOT_WEEKS = 13
};

struct crate_plot_band {
	const char *version; /* NULL: all others */
	int64_t downloads;
	int64_t days[PAGE_CRATE_DAYS];
	const char *outline; /* its parts of all bars, as an SVG path */
};

struct crate_plot {
	struct crate_plot_band bands[CRATE_PLOT_BANDS]; /* from the bottom up; each has downloads */
	size_t n;
	int64_t most; /* downloads on one day */
};

void crate_plot_draw(struct arena *, const struct page_crate *, struct crate_plot *);

/* Which pattern the band is drawn with: all others have the last one. */
int64_t crate_plot_pattern(const struct crate_plot_band *, size_t i);

/* The sum of seven days, the last of which was 7 * week days ago; fewer days in the first week. */
int64_t crate_plot_week(const int64_t days[PAGE_CRATE_DAYS], size_t week);

#endif
