#include "crate/inspect/diff_hunks.h"

#include "crate/inspect/line_diff.h"

/* A line of a diff: its kind, and its place in both texts. */
struct row {
	char kind; /* of ' ', '-', '+' */
	size_t old, new; /* from 0 */
};

/* Merges the lines of both texts, in order; removed lines come before the added ones that replace them. */
static size_t
merge(const struct lines *old, const struct lines *new, struct row *rows)
{
	size_t n = 0, o = 0, w = 0;

	while (o < old->n || w < new->n) {
		if (o < old->n && old->differs[o])
			rows[n++] = (struct row) { '-', o++, w };
		else if (w < new->n && new->differs[w])
			rows[n++] = (struct row) { '+', o, w++ };
		else
			rows[n++] = (struct row) { ' ', o++, w++ };
	}
	return n;
}

/* The end of the rows around a change: the index after the last one. */
static size_t
context_end(const struct row *rows, size_t n, size_t change)
{
	enum { NEAR = 2 * DIFF_HUNKS_CONTEXT + 1 };
	size_t end = change;

	for (size_t i = change; i < n && i <= end + NEAR; i++) {
		if (rows[i].kind != ' ')
			end = i;
	}
	end += DIFF_HUNKS_CONTEXT + 1;
	return end < n ? end : n;
}

static void
put_row(const struct row *r, const struct lines *old, const struct lines *new, struct buf *out)
{
	struct slice text = r->kind == '+' ? new->v[r->new] : old->v[r->old];
	bool ends = text.n > 0 && text.p[text.n - 1] == '\n';

	buf_putc(out, r->kind);
	buf_put_slice(out, text);
	if (!ends)
		buf_puts(out, "\n\\\n");
}

/* Returns how many rows it has written. */
static size_t
put_hunks(const struct row *rows, size_t n, const struct lines *old, const struct lines *new, struct buf *out)
{
	size_t written = 0;

	for (size_t i = 0, shown = 0; i < n; i++) {
		size_t begin, end;

		if (rows[i].kind == ' ')
			continue;
		begin = i > shown + DIFF_HUNKS_CONTEXT ? i - DIFF_HUNKS_CONTEXT : shown;
		end = context_end(rows, n, i);
		buf_printf(out, "@ %zu %zu\n", rows[begin].old + 1, rows[begin].new + 1);
		for (i = begin; i < end && !buf_full(out); i++)
			put_row(&rows[i], old, new, out);
		written += end - begin + 1;
		shown = i = end;
		i--;
	}
	return written;
}

struct diff_hunks
diff_hunks_all(void)
{
	enum { WORK = 8 << 20, STEPS = 50000000, BYTES = 256 << 10, ROWS = 8000 };

	return (struct diff_hunks) { WORK, STEPS, BYTES, ROWS };
}

bool
diff_hunks_put(struct diff_hunks *left, struct slice old, struct slice new, struct buf *out)
{
	struct arena *a = out->arena;
	struct lines before = lines_of(a, old), after = lines_of(a, new);
	struct row *rows;
	size_t n;

	if (before.n > DIFF_HUNKS_LINES_MAX || after.n > DIFF_HUNKS_LINES_MAX || old.n + new.n > left->work)
		return false;
	left->work -= old.n + new.n;
	line_diff(a, &before, &after, &left->steps);
	rows = arena_calloc(a, before.n + after.n, sizeof(*rows));
	n = merge(&before, &after, rows);
	n = put_hunks(rows, n, &before, &after, out);
	if (n > DIFF_HUNKS_ROWS_MAX || n > left->rows || out->n > DIFF_HUNKS_BYTES_MAX ||
	    out->n > left->bytes || buf_full(out)) {
		buf_reset(out);
		return false;
	}
	left->bytes -= out->n;
	left->rows -= n;
	return true;
}
