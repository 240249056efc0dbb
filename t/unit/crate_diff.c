/* crate/inspect/crate_diff, and diff_text, which reads it: the differences between two crates, and limits. */
#include "crate/inspect/crate_diff.h"

#include <stdlib.h>
#include <time.h>

#include "crate/inspect/diff_hunks.h"
#include "crate/inspect/diff_text.h"
#include "tap.h"
#include "tarball.h"

#define OLD "foo-1.0.0"
#define NEW "foo-1.1.0"

static struct arena *arena;
static struct err err;
static struct buf tars[2]; /* the crates that are being made */

static void
begin(void)
{
	arena_reset(arena);
	buf_init(&tars[0], arena, TARBALL_MAX);
	buf_init(&tars[1], arena, TARBALL_MAX);
}

static void
add_bytes(int side, const char *name, struct slice bytes)
{
	tarball_header(&tars[side], '0', arena_printf(arena, "%s/%s", side == 0 ? OLD : NEW, name), bytes.n);
	tarball_data(&tars[side], bytes.p, bytes.n);
}

/* A file of both crates; NULL: the crate does not have it. */
static void
add(const char *name, const char *old, const char *new)
{
	if (old != NULL)
		add_bytes(0, name, slice_str(old));
	if (new != NULL)
		add_bytes(1, name, slice_str(new));
}

static int
push(struct crate_diff *d, enum crate_diff_side side, struct slice bytes, size_t piece)
{
	while (bytes.n > 0) {
		size_t n = bytes.n < piece ? bytes.n : piece;

		if (crate_diff_push(d, side, slice_of(bytes.p, n), &err) == -1)
			return -1;
		bytes = slice_of(bytes.p + n, bytes.n - n);
	}
	return crate_diff_end(d, side, &err);
}

/* -1: err. */
static int
compare(struct slice old, struct slice new, size_t piece, struct slice *out)
{
	const struct job job = { .kind = JOB_DIFF, .path = NEW,
		.limits = { .max_unpacked = TARBALL_MAX, .max_entries = 100000, .folder = OLD } };
	struct crate_diff *d = crate_diff_new(arena, &job);

	err_clear(&err);
	if (push(d, CRATE_DIFF_OLD, old, piece) == -1 || push(d, CRATE_DIFF_NEW, new, piece) == -1)
		return -1;
	*out = crate_diff_answer(d);
	return 0;
}

static struct slice
crate_of(int side)
{
	tarball_end(&tars[side]);
	return tarball_gzip(arena, buf_slice(&tars[side]), 1);
}

static const char *
answer(void)
{
	struct slice old = crate_of(0), new = crate_of(1), out, pieces;

	if (compare(old, new, old.n + new.n, &out) == -1)
		return arena_printf(arena, "%d %s", err.status, err.pub);
	is_int(compare(old, new, 1000, &pieces), 0, "in pieces");
	ok(slice_equal(out, pieces), "the same");
	return arena_slicedup(arena, out);
}

static void
test_files(void)
{
	begin();
	add("same.txt", "a\n", "a\n");
	add("gone.txt", "x\ny", NULL);
	add("src/lib.rs", "1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nfive\n6\n7\n8\n9\n");
	add("new.txt", NULL, "n\n");
	add("empty.txt", NULL, "");
	add("end.txt", "a\nb", "a\nb\n");
	add("crlf.txt", "a\r\n", "a\n");
	is_str(answer(), "F M - 18 21 src/lib.rs\n@ 2 2\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n"
	    "F A - 0 2 new.txt\n@ 1 1\n+n\n"
	    "F A - 0 0 empty.txt\n"
	    "F M - 3 4 end.txt\n@ 1 1\n a\n-b\n\\\n+b\n"
	    "F M - 3 2 crlf.txt\n@ 1 1\n-a\r\n+a\n"
	    "F D - 3 0 gone.txt\n@ 1 1\n-x\n-y\n\\\nE 0\n", "all kinds");
}

/* Old cargos packed some files twice: crate/archive/file_twice.h. */
static void
test_twice(void)
{
	struct diff_text out;

	begin();
	for (int i = 0; i < 2; i++) {
		add("same.txt", "a\n", "a\n");
		add("changed.txt", "1\n", "2\n");
		add("gone.txt", "x\n", NULL);
		add("new.txt", NULL, "n\n");
	}
	is_int(diff_text_read(arena, slice_str(answer()), &out, &err), 0, "files that each crate has twice");
	is_int(out.nfiles, 3, "are listed once");
	is_str(out.files[0].path, "changed.txt", "one that differs");
	is_int(out.files[0].change, DIFF_CHANGED, "  as changed");
	is_str(out.files[1].path, "gone.txt", "one that is gone");
	is_str(out.files[2].path, "new.txt", "one that is new");
}

static void
test_hunks(void)
{
	begin();
	add("a", "0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n", "0\nx\n2\n3\n4\n5\n6\n7\ny\n9\n");
	is_str(answer(), "F M - 20 20 a\n@ 1 1\n 0\n-1\n+x\n 2\n 3\n 4\n 5\n 6\n 7\n-8\n+y\n 9\nE 0\n",
	    "near ones are one");
	begin();
	add("a", "0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n", "x\n1\n2\n3\n4\n5\n6\n7\n8\n9\ny\n");
	is_str(answer(), "F M - 20 22 a\n@ 1 1\n-0\n+x\n 1\n 2\n 3\n@ 8 8\n 7\n 8\n 9\n+y\nE 0\n", "others are two");
}

/* The answer as the pool reads it. */
static struct diff_text
read_answer(void)
{
	const char *text = answer();
	struct diff_text out;

	if (!ok(diff_text_read(arena, slice_str(text), &out, &err) == 0, "it is read"))
		printf("# %s\n", text);
	return out;
}

static void
test_hostile(void)
{
	struct diff_text out;

	begin();
	add_bytes(0, "zero", slice_of("a\0b\n", 4));
	add_bytes(1, "zero", slice_of("a\0c\n", 4));
	add("latin", "caf\xe9\n", "caf\xc3\xa9\n");
	add("F A - 1 1 &\xc3\xa9", "E 0\n@ 1 1\n\\\n", "E 0\nF M - 1 1 x\n");
	out = read_answer();
	is_int(out.nfiles, 3, "texts that look like an answer");
	is_str(out.files[0].path, "F A - 1 1 &\xc3\xa9", "and a name that does");
	is_int(out.files[0].removed, 2, "are lines of a file");
	is_str(out.files[0].lines[4].text, "F M - 1 1 x", "as they are");
	is_int(out.files[1].why, DIFF_BINARY, "what is not UTF-8 is no text");
	is_int(out.files[2].why, DIFF_BINARY, "nor what has a NUL");
}

/* A text of n lines of this many bytes, numbered from a first number on. */
static const char *
lines(int from, int n, int bytes)
{
	struct buf b;

	buf_init(&b, arena, 64 << 20);
	for (int i = 0; i < n; i++)
		buf_printf(&b, "%0*d\n", bytes - 1, from + i);
	return buf_str(&b);
}

static void
test_bounds(void)
{
	const struct diff_hunks most = diff_hunks_all();
	struct diff_text out;
	int64_t rows = 0;

	begin();
	add("long", lines(0, DIFF_HUNKS_LINES_MAX + 1, 2), lines(0, 1, 2));
	add("large", lines(0, CRATE_DIFF_TEXT_MAX / 64 + 1, 64), lines(0, CRATE_DIFF_TEXT_MAX / 64, 64));
	add("wide", "a\n", lines(0, 1, DIFF_HUNKS_BYTES_MAX));
	add("most", "a\n", lines(0, 1, DIFF_HUNKS_BYTES_MAX - 100));
	add("rows", "a\n", lines(0, DIFF_HUNKS_ROWS_MAX, 8));
	out = read_answer();
	is_int(out.nfiles, 5, "files that are too much");
	is_int(out.files[0].why, DIFF_TOO_LARGE, "a large file");
	is_int(out.files[1].why, DIFF_TOO_LONG, "one of many lines");
	is_int(out.files[2].why, DIFF_SHOWN, "the widest line");
	is_int(out.files[3].why, DIFF_TOO_LONG, "one of many rows");
	is_int(out.files[4].why, DIFF_TOO_LONG, "a line that is wider");

	begin();
	for (int i = 0; i < 50; i++)
		add(arena_printf(arena, "f%02d", i), lines(0, 500, 12), lines(1000, 500, 12));
	out = read_answer();
	is_int(out.nfiles, 50, "many files");
	for (size_t i = 0; i < out.nfiles; i++)
		rows += (int64_t)out.files[i].nlines;
	ok(rows > (int64_t)most.rows / 2 && rows <= (int64_t)most.rows, "show so much that is enough");

	begin();
	for (int i = 0; i < 2000; i++)
		add(arena_printf(arena, "%d", i), NULL, "\1");
	out = read_answer();
	is_int(out.nfiles, CRATE_DIFF_LISTED_MAX, "more files are named");
	is_int((int64_t)out.nfiles + out.unlisted, 2000, "and the others counted");
	begin();
	for (int i = 0; i < 1000; i++)
		add(arena_printf(arena, "%0*d", 80, i), NULL, "\1");
	out = read_answer();
	is_int(out.nfiles, CRATE_DIFF_NAMES_MAX / 80, "or as many as have room");
	is_int((int64_t)out.nfiles + out.unlisted, 1000, "and the others counted, too");
}

/* Input that could take long: texts that have much in common, in another order. */
static void
test_slow(void)
{
	clock_t start;

	begin();
	for (int i = 0; i < 100; i++) {
		struct buf old, new;

		buf_init(&old, arena, 1 << 20);
		buf_init(&new, arena, 1 << 20);
		for (int k = 0; k < DIFF_HUNKS_LINES_MAX / 2; k++) {
			buf_printf(&old, "%s\n", k * k % 7 < 3 ? "" : "}");
			buf_printf(&new, "%s\n", k * k % 11 < 5 ? "" : "}");
		}
		add(arena_printf(arena, "f%d", i), buf_str(&old), buf_str(&new));
	}
	start = clock();
	is_int(read_answer().nfiles, 100, "texts of two lines again and again");
	ok(clock() - start < 20 * CLOCKS_PER_SEC, "in %.0f ms", (double)(clock() - start) * 1000 / CLOCKS_PER_SEC);
}

static void
test_damaged(void)
{
	struct slice crate, other, out;
	size_t passed = 0;
	char *bytes;

	begin();
	add("a", "a\n", "b\n");
	crate = crate_of(0);
	other = crate_of(1);
	bytes = arena_alloc(arena, crate.n);
	for (size_t n = 0; n < crate.n; n++) {
		if (compare(slice_of(crate.p, n), other, 64, &out) == 0 || err.status != 400)
			passed++;
	}
	is_int(passed, 0, "a crate that was cut is not compared");
	for (size_t i = 0; i < crate.n; i++) {
		memcpy(bytes, crate.p, crate.n);
		bytes[i] ^= 0x40;
		if (compare(other, slice_of(bytes, crate.n), 64, &out) == -1 && err.status >= 500)
			passed++;
	}
	is_int(passed, 0, "and one with another byte is no fault of ours");
	is_int(compare(other, crate, 64, &out), 0, "crates in other folders");
	is_str(arena_slicedup(arena, out), "E 0\n", "have no files");
}

/* Answers of an inspector that an attacker controls. */
static void
test_malformed(void)
{
	static const char *const cases[] = { "", "x", "E 0", "E\n", "E x\n", "E -1\n", "E 0\nE 0\n",
		"E 0\nF A - 0 0 a\n",
		"F A - 0 0 a\n", "F X - 0 0 a\nE 0\n", "F A x 0 0 a\nE 0\n", "F A - 0 a\nE 0\n", "F A - 0 0\nE 0\n",
		"F A - 0 0 \nE 0\n", "F A - 0 0 a\n+x\nE 0\n", "F A b 0 0 a\n@ 1 1\nE 0\n", "@ 1 1\nE 0\n",
		"F A - 0 0 a\n@ 1\nE 0\n", "F A - 0 0 a\n@ 1 1 1\nE 0\n", "F A - 0 0 a\n@ 1 1\n\\\nE 0\n",
		"F A - 0 0 a\n@ 1 1\n+x\n\\ \nE 0\n", "F A - 0 0 a\n@ 1 1\nx\nE 0\n", "F A - 0 0 a\n\nE 0\n", "F\nE 0\n",
		"F A - 9999999999999999999 0 a\nE 0\n", "F A - 0 0 \xff\nE 0\n", "FA - 0 0 a\nE 0\n" };
	struct diff_text out;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		is_int(diff_text_read(arena, slice_str(cases[i]), &out, &err), -1, "malformed");
	is_int(diff_text_read(arena, slice_of("E 0\0\n", 5), &out, &err), -1, "a NUL");
	is_int(err.status, 500, "is an error of ours");
	is_int(diff_text_read(arena, slice_str("E 0\n"), &out, &err), 0, "nothing differs");
}

int
main(void)
{
	arena = arena_new();
	test_files();
	test_twice();
	test_hunks();
	test_hostile();
	test_bounds();
	test_slow();
	test_damaged();
	test_malformed();
	arena_free(arena);
	return tap_done();
}
