#include "crate/inspect/line_diff.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A part of both texts as numbers: equal lines have equal numbers. */
struct side {
	struct lines *lines;
	size_t *number;
	size_t *at; /* which line it is */
	size_t n;
};

struct line_ref {
	struct slice text;
	size_t side, at;
};

struct lines
lines_of(struct arena *a, struct slice text)
{
	struct lines lines = { NULL, 0, NULL };
	size_t n = 0;

	for (size_t i = 0; i < text.n; i++)
		n += text.p[i] == '\n';
	n += text.n > 0 && text.p[text.n - 1] != '\n';
	lines.v = arena_calloc(a, n, sizeof(*lines.v));
	lines.differs = arena_calloc(a, n, sizeof(*lines.differs));
	while (lines.n < n) {
		const char *end = memchr(text.p, '\n', text.n);
		size_t length = end != NULL ? (size_t)(end - text.p) + 1 : text.n;

		lines.v[lines.n++] = slice_of(text.p, length);
		text = slice_of(text.p + length, text.n - length);
	}
	return lines;
}

static int
compare_text(const void *left, const void *right)
{
	const struct line_ref *a = left, *b = right;
	size_t n = a->text.n < b->text.n ? a->text.n : b->text.n;
	int order = n > 0 ? memcmp(a->text.p, b->text.p, n) : 0;

	return order != 0 ? order : (a->text.n > b->text.n) - (a->text.n < b->text.n);
}

/*
 * Numbers the lines between the first and the last that differ: number[] of each side, SIZE_MAX of a line
 * that the other side does not have.
 */
static void
number_lines(struct arena *a, const struct lines *lines[2], size_t first, const size_t end[2],
    size_t *number[2])
{
	size_t n = 0, from = 0;
	struct line_ref *refs = arena_calloc(a, end[0] + end[1] - 2 * first, sizeof(*refs));

	for (size_t side = 0; side < 2; side++) {
		for (size_t i = first; i < end[side]; i++)
			refs[n++] = (struct line_ref) { lines[side]->v[i], side, i };
	}
	if (n > 1)
		qsort(refs, n, sizeof(*refs), compare_text);
	while (from < n) {
		bool has[2] = { false, false };
		size_t to = from;

		for (; to < n && compare_text(&refs[from], &refs[to]) == 0; to++)
			has[refs[to].side] = true;
		for (size_t i = from; i < to; i++)
			number[refs[i].side][refs[i].at] = has[0] && has[1] ? from : SIZE_MAX;
		from = to;
	}
}

/* Keeps the lines that the other side has as well; the others differ. */
static struct side
keep_common(struct arena *a, struct lines *lines, const size_t *number, size_t first, size_t end)
{
	struct side s = { lines, arena_calloc(a, end - first, sizeof(*s.number)),
		arena_calloc(a, end - first, sizeof(*s.at)), 0 };

	for (size_t i = first; i < end; i++) {
		lines->differs[i] = number[i] == SIZE_MAX;
		if (lines->differs[i])
			continue;
		s.number[s.n] = number[i];
		s.at[s.n++] = i;
	}
	return s;
}

/* How far the path on diagonal k comes with d edits, from how far the paths with d - 1 edits came. */
static size_t
step(const size_t *before, ptrdiff_t d, ptrdiff_t k)
{
	/* before[] has the diagonals -(d-1), -(d-3) ... d-1 */
	ptrdiff_t above = (k + d) / 2, left = above - 1;

	if (d == 0)
		return 0;
	if (k == -d || (k != d && before[left] < before[above]))
		return before[above];
	return before[left] + 1;
}

/* Walks back from the end, and marks the line that each step has added or removed. */
static void
mark_path(const struct side *old, const struct side *new, size_t *const *reached, ptrdiff_t d)
{
	ptrdiff_t x = (ptrdiff_t)old->n, y = (ptrdiff_t)new->n;

	for (; d > 0; d--) {
		const size_t *before = reached[d - 1];
		ptrdiff_t k = x - y, above = (k + d) / 2, left = above - 1;
		bool down = k == -d || (k != d && before[left] < before[above]);

		x = (ptrdiff_t)before[down ? above : left];
		y = x - (down ? k + 1 : k - 1);
		if (down)
			new->lines->differs[new->at[y]] = true;
		else
			old->lines->differs[old->at[x]] = true;
	}
}

/* Follows the path on diagonal k from x on, past lines that are equal. */
static size_t
slide(const struct side *old, const struct side *new, size_t x, ptrdiff_t k, size_t *steps)
{
	size_t y = (size_t)((ptrdiff_t)x - k);

	for (; x < old->n && y < new->n && old->number[x] == new->number[y]; x++) {
		y++;
		*steps -= *steps > 0;
	}
	*steps -= *steps > 0;
	return x;
}

/* False: there are too many edits, or steps. */
static bool
search(struct arena *a, const struct side *old, const struct side *new, size_t *steps)
{
	size_t **reached = arena_calloc(a, LINE_DIFF_EDITS_MAX + 1, sizeof(*reached));

	for (ptrdiff_t d = 0; d <= LINE_DIFF_EDITS_MAX && *steps > 0; d++) {
		reached[d] = arena_calloc(a, (size_t)d + 1, sizeof(**reached));
		for (ptrdiff_t k = -d; k <= d; k += 2) {
			size_t x = slide(old, new, step(d > 0 ? reached[d - 1] : NULL, d, k), k, steps);

			reached[d][(k + d) / 2] = x;
			if (x >= old->n && (ptrdiff_t)x - k >= (ptrdiff_t)new->n) {
				mark_path(old, new, reached, d);
				return true;
			}
		}
	}
	return false;
}

static void
mark_all(const struct side *s)
{
	for (size_t i = 0; i < s->n; i++)
		s->lines->differs[s->at[i]] = true;
}

void
line_diff(struct arena *a, struct lines *old, struct lines *new, size_t *steps)
{
	const struct lines *lines[2] = { old, new };
	size_t first = 0, end[2] = { old->n, new->n };
	size_t *number[2] = { arena_calloc(a, old->n, sizeof(size_t)), arena_calloc(a, new->n, sizeof(size_t)) };
	struct side sides[2];

	while (first < end[0] && first < end[1] && slice_equal(old->v[first], new->v[first]))
		first++;
	while (end[0] > first && end[1] > first && slice_equal(old->v[end[0] - 1], new->v[end[1] - 1])) {
		end[0]--;
		end[1]--;
	}
	number_lines(a, lines, first, end, number);
	sides[0] = keep_common(a, old, number[0], first, end[0]);
	sides[1] = keep_common(a, new, number[1], first, end[1]);
	if (search(a, &sides[0], &sides[1], steps))
		return;
	mark_all(&sides[0]);
	mark_all(&sides[1]);
}
