/* crate/inspect/line_diff: common lines of two texts are equal, and as many as can be if the search ends. */
#include "crate/inspect/line_diff.h"

#include <string.h>

#include "base/buf.h"
#include "tap.h"

static struct arena *arena;

/* The lines of a diff in order: common ones with ' ', removed ones with '-', added ones with '+'. */
static const char *
diff(struct slice left, struct slice right, size_t *steps)
{
	struct lines old = lines_of(arena, left), new = lines_of(arena, right);
	char *out = arena_alloc(arena, old.n + new.n + 1);
	size_t n = 0, o = 0, w = 0;

	line_diff(arena, &old, &new, steps);
	while (o < old.n || w < new.n) {
		if (o < old.n && old.differs[o]) {
			out[n++] = '-';
			o++;
		} else if (w < new.n && new.differs[w]) {
			out[n++] = '+';
			w++;
		} else if (o < old.n && w < new.n && slice_equal(old.v[o], new.v[w])) {
			out[n++] = ' ';
			o++;
			w++;
		} else {
			return "what stays is not the same";
		}
	}
	return out;
}

static const char *
diff_of(const char *left, const char *right)
{
	size_t steps = 1000000;

	return diff(slice_str(left), slice_str(right), &steps);
}

static void
test_texts(void)
{
	static const struct {
		const char *old, *new, *expected;
	} cases[] = {
		{ "", "", "" },
		{ "", "a\n", "+" },
		{ "a\n", "", "-" },
		{ "a\n", "a\n", " " },
		{ "a", "a\n", "-+" },
		{ "a\nb\n", "a\nb", " -+" },
		{ "a\r\n", "a\n", "-+" },
		{ "\n\n", "\n", " -" },
		{ "a\nb\nc\n", "a\nx\nc\n", " -+ " },
		{ "a\nb\nc\n", "b\nc\nd\n", "-  +" },
		{ "a\nb\nc\na\nb\nb\na\n", "c\nb\na\nb\na\nc\n", "-- +  - +" }, /* the example of the paper */
		{ "x\ny\nz\n", "z\n", "-- " },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		is_str(diff_of(cases[i].old, cases[i].new), cases[i].expected, cases[i].old);
	is_int(strlen(diff_of("a\nc\nb\n", "b\nc\na\n")), 5, "of what changed places one stays");
}

/* The length of the longest common subsequence, the slow way. */
static size_t
common(const char *old, size_t n, const char *new, size_t m)
{
	size_t table[16][16] = { { 0 } };

	for (size_t i = 1; i <= n; i++) {
		for (size_t k = 1; k <= m; k++) {
			size_t a = table[i - 1][k], b = table[i][k - 1];

			table[i][k] = old[i - 1] == new[k - 1] ? table[i - 1][k - 1] + 1 : a > b ? a : b;
		}
	}
	return table[n][m];
}

/* The same numbers each time. */
static unsigned
random_number(unsigned below)
{
	static uint64_t state = 1;

	state = state * UINT64_C(6364136223846793005) + 1442695040888963407U;
	return (unsigned)(state >> 33) % below;
}

/* A random text with lines of one letter each, and these letters. */
static struct slice
random_text(char letters[16], size_t *n)
{
	char *text = arena_alloc(arena, 32);

	*n = random_number(15);
	for (size_t i = 0; i < *n; i++) {
		letters[i] = (char)('a' + random_number(4));
		text[2 * i] = letters[i];
		text[2 * i + 1] = '\n';
	}
	return slice_of(text, 2 * *n);
}

static void
test_shortest(void)
{
	size_t bad = 0;

	for (int i = 0; i < 20000; i++) {
		char old[16], new[16];
		size_t n, m, kept = 0, steps = 1000000;
		struct slice left = random_text(old, &n), right = random_text(new, &m);
		const char *found = diff(left, right, &steps);

		for (const char *p = found; *p != '\0'; p++)
			kept += *p == ' ';
		bad += strchr(found, 'w') != NULL || kept != common(old, n, new, m);
		arena_reset(arena);
	}
	is_int(bad, 0, "as much stays as can, of 20000 random texts");
}

/* Many lines in another order: two texts of n lines. */
static void
test_bounds(void)
{
	enum { N = 5000 };
	struct buf old, new;
	size_t steps = 1000000, few = 100;
	const char *found;

	buf_init(&old, arena, 1 << 20);
	buf_init(&new, arena, 1 << 20);
	buf_puts(&old, "first\n");
	buf_puts(&new, "first\n");
	for (int i = 0; i < N; i++) {
		buf_printf(&old, "%d\n", i);
		buf_printf(&new, "%d\n", i * 7 % N);
	}
	buf_puts(&old, "last\n");
	buf_puts(&new, "last\n");
	found = diff(buf_slice(&old), buf_slice(&new), &steps);
	is_int(strlen(found), 2 + 2 * N - 1, "past the bound all but the ends is replaced");
	ok(found[0] == ' ' && found[strlen(found) - 1] == ' ', "and the ends stay");
	ok(steps < 1000000, "steps were taken");
	found = diff(slice_str("a\nb\nc\nb\na\n"), slice_str("b\na\nc\na\nb\n"), &few);
	ok(strchr(found, ' ') != NULL, "a search that comes to its end");
	few = 1;
	is_str(diff(slice_str("a\nb\nc\n"), slice_str("b\na\nc\n"), &few), "--++ ", "and one without steps");
	is_int(few, 0, "none are left");
}

int
main(void)
{
	arena = arena_new();
	test_texts();
	test_shortest();
	test_bounds();
	arena_free(arena);
	return tap_done();
}
