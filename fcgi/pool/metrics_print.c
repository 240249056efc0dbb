#include <stdatomic.h>

#include "base/clock.h"
#include "pool/metrics_cells.h"

static int64_t
sum(const struct metrics *m, size_t at)
{
	int64_t n = 0;

	for (size_t part = 0; part <= PARTS; part++)
		n += atomic_load_explicit(metrics_cell(m, part, at), memory_order_relaxed);
	return n;
}

void
metrics_print_head(struct buf *b, const char *name, const char *help, enum metric_kind kind)
{
	static const char *const types[] = {
		[METRIC_COUNTER] = "counter",
		[METRIC_SECONDS] = "counter",
		[METRIC_HISTOGRAM] = "histogram",
		[METRIC_GAUGE] = "gauge",
	};

	buf_printf(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, types[kind]);
}

/* In quotes nothing else needs to be escaped. */
static void
print_value(struct buf *b, const char *value)
{
	for (; *value != '\0'; value++) {
		if (*value == '\n') {
			buf_puts(b, "\\n");
			continue;
		}
		if (*value == '"' || *value == '\\')
			buf_putc(b, '\\');
		buf_putc(b, *value);
	}
}

void
metrics_print_one(struct buf *b, const char *name, const char *const *labels, int64_t value)
{
	buf_puts(b, name);
	for (size_t i = 0; labels[i] != NULL; i += 2) {
		buf_printf(b, "%c%s=\"", i == 0 ? '{' : ',', labels[i]);
		print_value(b, labels[i + 1]);
		buf_putc(b, '"');
	}
	buf_printf(b, "%s %lld\n", labels[0] != NULL ? "}" : "", (long long)value);
}

/* Name and labels of metric i, and a label `le` where there is a bound. */
static void
print_name(struct buf *b, const struct family *f, size_t i, const char *suffix, const char *le)
{
	const struct metric_label *labels = f->def.labels;
	size_t stride = metrics_stride(&f->def);
	const char *comma = "";

	buf_printf(b, "%s%s", f->def.name, suffix);
	if (labels[0].name == NULL && le == NULL) {
		buf_putc(b, ' ');
		return;
	}
	buf_putc(b, '{');
	if (labels[0].name != NULL) {
		buf_printf(b, "%s=\"%s\"", labels[0].name, labels[0].values[i / stride]);
		comma = ",";
	}
	if (labels[1].name != NULL)
		buf_printf(b, "%s%s=\"%s\"", comma, labels[1].name, labels[1].values[i % stride]);
	if (le != NULL)
		buf_printf(b, "%sle=\"%s\"", comma, le);
	buf_puts(b, "} ");
}

static void
print_seconds(struct buf *b, int64_t us)
{
	buf_printf(b, "%lld.%06lld\n", (long long)(us / CLOCK_SECOND), (long long)(us % CLOCK_SECOND));
}

static void
print_number(struct buf *b, const struct metrics *m, const struct family *f, size_t i)
{
	bool gauge = f->def.kind == METRIC_GAUGE;
	int64_t n = gauge ? *metrics_cell(m, MASTER, f->first + i) : sum(m, f->first + i);

	if ((f->def.sparse && n == 0) || n == METRIC_UNSET)
		return;
	print_name(b, f, i, "", NULL);
	if (f->def.kind == METRIC_SECONDS)
		print_seconds(b, n);
	else if (f->def.until)
		buf_printf(b, "%lld\n", (long long)((n - clock_us()) / CLOCK_SECOND));
	else
		buf_printf(b, "%lld\n", (long long)n);
}

static void
print_histogram(struct buf *b, const struct metrics *m, const struct family *f, size_t i)
{
	size_t at = f->first + i * HISTOGRAM_CELLS;
	/* before the buckets, which may go on: what is shown is never less than was seen */
	int64_t us = sum(m, at + BUCKETS);
	int64_t n[BUCKETS], count = 0;

	for (size_t k = 0; k < BUCKETS; k++) {
		count += sum(m, at + k);
		n[k] = count;
	}
	if (f->def.sparse && count == 0)
		return;
	for (size_t k = 0; k < BUCKETS; k++) {
		print_name(b, f, i, "_bucket", metrics_bounds[k].text);
		buf_printf(b, "%lld\n", (long long)n[k]);
	}
	print_name(b, f, i, "_sum", NULL);
	print_seconds(b, us);
	print_name(b, f, i, "_count", NULL);
	buf_printf(b, "%lld\n", (long long)count);
}

void
metrics_print(const struct metrics *m, struct buf *b)
{
	for (size_t i = 0; i < m->nfamilies; i++) {
		const struct family *f = &m->families[i];

		metrics_print_head(b, f->def.name, f->def.help, f->def.kind);
		for (size_t k = 0; k < f->n; k++) {
			if (f->def.kind == METRIC_HISTOGRAM)
				print_histogram(b, m, f, k);
			else
				print_number(b, m, f, k);
		}
	}
}
