#ifndef POOL_METRICS_CELLS_H
#define POOL_METRICS_CELLS_H

/*
 * The layout of the pool's numbers in memory.  Only pool/metrics.c, which counts, and pool/metrics_print.c,
 * which shows, include it.
 *
 * There are PARTS + 1 equal parts.  A family has a row of cells in each, one metric after the
 * other; a metric is the sum of its cells over all parts.
 */

#include "pool/metrics.h"

enum {
	PARTS = 32, /* more workers than that share them, which costs a little time and no count */
	MASTER = PARTS /* the part of the master, which also has the gauges */
};

struct bound {
	int64_t us;
	const char *text; /* in seconds */
};

enum { BUCKETS = 17, HISTOGRAM_CELLS = BUCKETS + 1 /* the last one is the sum */ };

/* Upper bounds of a histogram's buckets; the last has none. */
extern const struct bound metrics_bounds[BUCKETS];

struct family {
	struct metric_family def;
	size_t first; /* its first cell */
	size_t cells; /* of one metric */
	size_t n; /* metrics */
};

struct metrics {
	const struct router *router;
	size_t *row; /* of each route: its place among the names; one more, for none */
	const char **names; /* distinct */
	size_t nnames;
	struct family *families;
	size_t nfamilies;
	size_t part; /* cells of one */
	_Atomic int64_t *cells; /* PARTS + 1 parts, shared */
	int fd; /* of these */
};

/* The cell at a place of one part. */
static inline _Atomic int64_t *
metrics_cell(const struct metrics *m, size_t part, size_t at)
{
	return &m->cells[part * m->part + at];
}

/* How many metrics there are for each value of the first label. */
static inline size_t
metrics_stride(const struct metric_family *def)
{
	return def->labels[1].name != NULL ? def->labels[1].n : 1;
}

#endif
