#include "crate/archive/tar_walk.h"

#include <inttypes.h>

#include "crate/archive/path_set.h"
#include "crate/archive/tar_path.h"
#include "tap.h"
#include "tarball.h"

static struct arena *arena;

/* What the walk found, as text: "f PATH SIZE MODE [DATA]". */
static int
note_entry(void *arg, const struct tar_entry *e, struct err *err)
{
	(void)err;
	buf_printf(arg, "%c ", e->directory ? 'd' : 'f');
	buf_put_slice(arg, e->path);
	buf_printf(arg, " %" PRIu64 " %o [", e->size, e->mode);
	return e->headers.n % 512 == 0 && e->headers.n > 0 ? 0 : -1;
}

static int
note_data(void *arg, struct slice data, struct err *err)
{
	(void)err;
	buf_put_slice(arg, data);
	return 0;
}

static int
note_done(void *arg, struct err *err)
{
	(void)err;
	buf_puts(arg, "]\n");
	return 0;
}

static const struct tar_handler noting = { note_entry, note_data, note_done };

static int
walk(struct slice tar, size_t piece, const struct tar_limits *limits, struct buf *notes,
    struct err *err)
{
	struct tar_walk *w;

	buf_init(notes, arena, 1 << 20);
	w = tar_walk_new(arena, limits, &noting, notes);
	err_clear(err);
	for (size_t i = 0; i < tar.n; i += piece) {
		size_t n = tar.n - i < piece ? tar.n - i : piece;

		if (tar_walk_push(w, slice_of(tar.p + i, n), err) == -1)
			return -1;
	}
	return tar_walk_end(w, err);
}

static const struct tar_limits ample = { 1000, 1 << 20 };
static const size_t pieces[] = { 1, 511, 512, 513, 1 << 20 };
enum { PIECES = sizeof(pieces) / sizeof(*pieces) };

static void
is_walked(const struct buf *tar, const char *want, const char *name)
{
	for (size_t i = 0; i < PIECES; i++) {
		struct buf notes;
		struct err err;

		if (!ok(walk(buf_slice(tar), pieces[i], &ample, &notes, &err) == 0,
		    "%s: sound, in pieces of %zu", name, pieces[i]))
			printf("# %s\n", err.pub);
		is_str(buf_str(&notes), want, "and what is in it");
	}
}

static void
is_refused(const struct buf *tar, const char *reason, const char *name)
{
	for (size_t i = 0; i < PIECES; i++) {
		struct buf notes;
		struct err err;
		int rc = walk(buf_slice(tar), pieces[i], &ample, &notes, &err);

		ok(rc == -1 && err.status == 400 && strstr(err.pub, reason) != NULL,
		    "%s, in pieces of %zu: %s", name, pieces[i], err.pub);
	}
}

static struct buf *
tar_new(void)
{
	struct buf *tar = arena_alloc(arena, sizeof(*tar));

	buf_init(tar, arena, TARBALL_MAX);
	return tar;
}

static void
test_sound(void)
{
	struct buf *tar = tar_new();
	char *h;

	tarball_entry(tar, '0', "a-1.0.0/x", "hello");
	tarball_entry(tar, '5', "a-1.0.0/dir/", "");
	tarball_entry(tar, '\0', "a-1.0.0/empty", "");
	tarball_end(tar);
	is_walked(tar, "f a-1.0.0/x 5 644 [hello]\nd a-1.0.0/dir/ 0 644 []\n"
	    "f a-1.0.0/empty 0 644 []\n", "files and a folder");

	tar = tar_new();
	tarball_entry(tar, 'L', "././@LongLink", "a-1.0.0/a long name");
	tarball_entry(tar, '0', "a-1.0.0/a lo", "1");
	tarball_header(tar, 'L', "././@LongLink", 4);
	tarball_data(tar, "a/b", 4);
	tarball_entry(tar, '0', "a/c", "2");
	tarball_entry(tar, '0', "a/d", "3");
	tarball_end(tar);
	is_walked(tar, "f a-1.0.0/a long name 1 644 [1]\nf a/b 1 644 [2]\nf a/d 1 644 [3]\n",
	    "long names, with and without a NUL, for one entry each");

	tar = tar_new();
	tarball_entry(tar, 'x', "pax", "12 path=a/b\n21 mtime=1234.567890\n10 size=3\n"
	    "9 uid=10\n12 comment=\n12 uname=me\n");
	tarball_entry(tar, '0', "a/c", "abc");
	tarball_end(tar);
	is_walked(tar, "f a/b 3 644 [abc]\n", "PAX records");

	tar = tar_new();
	h = tarball_header(tar, '0', "name", 0);
	memcpy(h + 257, "ustar\0" "00", 8);
	memcpy(h + 345, "the/prefix", 10);
	tarball_seal(h);
	h = tarball_header(tar, '0', "name", 0);
	memcpy(h + 345, "no prefix", 9);
	tarball_seal(h);
	h = tarball_header(tar, '0', "old", 0);
	memset(h + 257, 0, 8);
	tarball_seal(h);
	tarball_end(tar);
	tarball_end(tar);
	is_walked(tar, "f the/prefix/name 0 644 []\nf name 0 644 []\nf old 0 644 []\n",
	    "POSIX, GNU and version 7 headers");
}

static void
test_types(void)
{
	static const struct {
		char flag;
		const char *name;
	} types[] = {
		{ '1', "Link" }, { '2', "Symlink" }, { '3', "Char" }, { '4', "Block" },
		{ '6', "Fifo" }, { '7', "Continuous" }, { 'S', "GNUSparse" },
		{ 'g', "XGlobalHeader" }, { 'K', "GNULongLink" }, { 'Z', "Other(90)" },
		{ 'V', "Other(86)" }, { 'M', "Other(77)" }, { 'N', "Other(78)" },
		{ 'D', "Other(68)" }, { 'X', "Other(88)" }, { 'A', "Other(65)" },
		{ '\xff', "Other(255)" },
	};
	struct buf *tar;

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		tar = tar_new();
		tarball_entry(tar, types[i].flag, "a/b", "");
		tarball_end(tar);
		is_refused(tar, arena_printf(arena, "unexpected tar entry type %s found: a/b",
		    types[i].name), "type");
	}
	tar = tar_new();
	tarball_entry(tar, '5', "a/b", "data");
	tarball_end(tar);
	is_refused(tar, "unexpected tar entry type Directory with data found: a/b", "type");
}

/* Each changes one thing in a sound header. */
static void
test_headers(void)
{
	static const struct {
		size_t at;
		const char *bytes;
		size_t n;
		bool seal;
		const char *reason;
	} faults[] = {
		{ 148, "0012345", 8, false, "wrong checksum" },
		{ 148, "\0\0\0\0\0\0\0", 8, false, "bad checksum" },
		{ 0, "b", 1, false, "wrong checksum" },
		{ 124, "\0\0\0\0\0\0\0\0\0\0\0", 12, true, "bad size" },
		{ 124, "00000000008", 11, true, "bad size" },
		{ 124, "+0000000001", 11, true, "bad size" },
		{ 124, "-0000000001", 11, true, "bad size" },
		{ 124, "0x000000001", 11, true, "bad size" },
		{ 124, "\x80\0\0\0\0\0\0\0\0\0\0\1", 12, true, "bad size" },
		{ 124, "0000 000001", 11, true, "bad size" },
		{ 100, "\x80\0\0\0\0\0\0\1", 8, true, "bad mode" },
		{ 100, "rw-r--r", 7, true, "bad mode" },
		{ 108, "me", 2, true, "bad uid" },
		{ 116, "me", 2, true, "bad gid" },
		{ 136, "now", 3, true, "bad mtime" },
		{ 257, "ustar  1", 8, true, "no tar header" },
		{ 257, "USTAR\0" "00", 8, true, "no tar header" },
		{ 257, "ustar\0" "01", 8, true, "no tar header" },
		{ 0, "a\0b", 3, true, "has data after its end" },
		/* GNU's map of holes, which libarchive goes by in a plain file too */
		{ 386, "00000000001", 11, true, "has data after its end" },
		{ 482, "\1", 1, true, "has data after its end" },
		{ 511, "x", 1, true, "has data after its end" },
	};

	for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++) {
		struct buf *tar = tar_new();
		char *h = tarball_header(tar, '0', "a/b/c", 0);

		memcpy(h + faults[i].at, faults[i].bytes, faults[i].n);
		if (faults[i].seal)
			tarball_seal(h);
		tarball_end(tar);
		is_refused(tar, faults[i].reason, "header");
	}
}

static void
test_extensions(void)
{
	static const struct {
		const char *records, *reason;
	} pax[] = {
		{ "11 path=a/b\n", "PAX record" },
		{ "13 path=a/b\n", "wrong length" },
		{ "12 path=a/b ", "no `key=value` line" },
		{ "012 path=a/b\n", "wrong length" },
		{ "-2 path=a/b\n", "wrong length" },
		{ "2 \n", "wrong length" },
		{ "3 \n", "no `key=value` line" },
		{ " 12 path=a/b\n", "wrong length" },
		{ "99999999999999999999 path=a/b\n", "wrong length" },
		{ "18446744073709551615 a=b\n", "wrong length" },
		{ "nothing", "without a length" },
		{ "12 path:a/b\n", "no `key=value` line" },
		{ "8 path=\n", "bad value for the PAX key `path`" },
		{ "10 size=5\n", "PAX size 5, but size 3" },
		{ "12 size=abc\n", "bad value for the PAX key `size`" },
		{ "11 size=+3\n", "bad value for the PAX key `size`" },
		{ "30 size=100000000000000000000\n", "bad value for the PAX key `size`" },
		{ "13 mtime=now\n", "bad value for the PAX key `mtime`" },
		{ "11 mtime=.\n", "bad value for the PAX key `mtime`" },
		/* cargo takes what is between the line feeds for a record */
		{ "25 comment=x\n12 path=a/c\n", "bad value for the PAX key `comment`" },
		{ "23 uname=x\n12 path=a/c\n", "bad value for the PAX key `uname`" },
		{ "23 gname=x\n12 path=a/c\n", "bad value for the PAX key `gname`" },
		{ "12 path=a/b\n12 path=a/c\n", "the PAX key `path` is given twice" },
		{ "25 GNU.sparse.name=a/bcd\n", "the PAX key `GNU.sparse.name` is not allowed" },
		{ "16 linkpath=a/b\n", "the PAX key `linkpath` is not allowed" },
		{ "18 SCHILY.fflags=\n", "the PAX key `SCHILY.fflags` is not allowed" },
		{ "21 hdrcharset=BINARY\n", "the PAX key `hdrcharset` is not allowed" },
		{ "12 Path=a/b\n", "the PAX key `Path` is not allowed" },
		{ "4 =\n", "the PAX key `` is not allowed" },
		{ "8 a\nb=c\n", "the PAX key `a` is not allowed" },
	};
	struct buf *tar;

	for (size_t i = 0; i < sizeof(pax) / sizeof(*pax); i++) {
		tar = tar_new();
		tarball_entry(tar, 'x', "pax", pax[i].records);
		tarball_entry(tar, '0', "a/c", "abc");
		tarball_end(tar);
		is_refused(tar, pax[i].reason, "PAX");
	}
	tar = tar_new();
	tarball_header(tar, 'x', "pax", 14);
	tarball_data(tar, "14 path=a\0b/c\n", 14);
	tarball_entry(tar, '0', "a/c", "abc");
	is_refused(tar, "bad value for the PAX key `path`", "a NUL in a PAX path");

	tar = tar_new();
	tarball_header(tar, 'L', "long", 5);
	tarball_data(tar, "a/\0b", 5);
	tarball_entry(tar, '0', "a/c", "abc");
	is_refused(tar, "NUL", "a NUL in a long name");

	for (const char *p = "xLLxLLxx"; *p != '\0'; p += 2) {
		tar = tar_new();
		tarball_entry(tar, p[0], "ext", p[0] == 'x' ? "12 path=a/b\n" : "a/b");
		tarball_entry(tar, p[1], "ext", p[1] == 'x' ? "12 path=a/b\n" : "a/b");
		tarball_entry(tar, '0', "a/c", "abc");
		is_refused(tar, "two extension headers", "two in a row");
	}
	for (const char *p = "xL"; *p != '\0'; p++) {
		char *h;

		tar = tar_new();
		h = tarball_header(tar, *p, "ext", 12);
		memset(h + 257, 0, 8);
		tarball_seal(h);
		tarball_data(tar, "12 path=a/b\n", 12);
		tarball_entry(tar, '0', "a/c", "abc");
		is_refused(tar, "an extension header of a format that has none", "version 7");
	}
	tar = tar_new();
	tarball_entry(tar, 'L', "ext", "");
	is_refused(tar, "an extension header of 0 bytes", "an empty long name");
	tar = tar_new();
	tarball_entry(tar, 'L', "ext", "a/b");
	tarball_end(tar);
	is_refused(tar, "an extension header at the end", "a long name for nothing");
}

/* Extension headers at their greatest length and past it. */
static void
test_extension_limits(void)
{
	static const struct {
		char type;
		size_t n;
		bool fits;
	} cases[] = {
		{ 'L', TAR_PATH_MAX + 1, true }, { 'L', TAR_PATH_MAX + 2, false },
		{ 'x', 16384, true }, { 'x', 16385, false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct buf *tar = tar_new();
		char *text = arena_alloc(arena, cases[i].n + 1);

		memset(text, 'a', cases[i].n);
		if (cases[i].type == 'x') {
			memcpy(text, "16384 comment=", 14);
			text[16383] = '\n';
		}
		tarball_entry(tar, cases[i].type, "ext", text);
		tarball_entry(tar, '0', "a/c", "");
		tarball_end(tar);
		if (cases[i].fits) {
			struct buf notes;
			struct err err;

			is_int(walk(buf_slice(tar), 1000, &ample, &notes, &err), 0, "just fits");
		} else {
			is_refused(tar, "an extension header of", "one byte too long");
		}
	}
}

static void
test_ends(void)
{
	static const char zeros[4096];
	struct buf *tar = tar_new();

	is_refused(tar, "ends too early", "nothing");
	tarball_end(tar);
	is_walked(tar, "", "an empty archive is sound to the walk");
	buf_put(tar, "", 1);
	is_refused(tar, "whole block", "half a block of zeros");

	tar = tar_new();
	tarball_entry(tar, '0', "a/b", "text");
	is_refused(tar, "ends too early", "no end");
	buf_put(tar, zeros, 512);
	is_refused(tar, "ends too early", "one block of zeros");
	buf_put(tar, zeros, 511);
	is_refused(tar, "ends too early", "almost two");
	buf_put(tar, zeros, 1);
	is_walked(tar, "f a/b 4 644 [text]\n", "two");
	tarball_entry(tar, '0', "a/hidden", "");
	is_refused(tar, "bytes after the end", "an entry behind the end");

	tar = tar_new();
	tarball_entry(tar, '0', "a/b", "text");
	buf_put(tar, zeros, 512);
	tarball_entry(tar, '0', "a/hidden", "");
	tarball_end(tar);
	is_refused(tar, "bytes after the end", "an entry behind one block of zeros");

	tar = tar_new();
	tarball_header(tar, '0', "a/b", 513);
	tarball_data(tar, zeros, 512);
	is_refused(tar, "ends too early", "data that is missing");
	tar = tar_new();
	tarball_entry(tar, '0', "a/b", "text");
	tar->p[tar->n - 1] = 1;
	tarball_end(tar);
	is_refused(tar, "padding that is not zero", "something in the padding");
	tar = tar_new();
	tarball_entry(tar, 'L', "ext", "a/b");
	tar->p[tar->n - 1] = 1;
	is_refused(tar, "padding that is not zero", "something in the padding of a long name");
}

static void
test_limits(void)
{
	struct tar_limits limits = { 3, 1 << 20 };
	struct buf *tar = tar_new(), notes;
	struct err err;

	for (int i = 0; i < 3; i++) {
		tarball_entry(tar, 'L', "ext", "a/b");
		tarball_entry(tar, i == 0 ? '5' : '0', "a/c", "");
	}
	tarball_end(tar);
	is_int(walk(buf_slice(tar), 4096, &limits, &notes, &err), 0, "as many entries as allowed");
	limits.max_entries = 2;
	is_int(walk(buf_slice(tar), 4096, &limits, &notes, &err), -1, "one more");
	is_str(err.pub, "uploaded tarball contains more than 2 entries; "
	    "an administrator can raise max_entries for the project", "says how many");

	limits.max_bytes = tar->n + 1;
	limits.max_entries = 3;
	for (size_t i = 0; i < PIECES; i++)
		is_int(walk(buf_slice(tar), pieces[i], &limits, &notes, &err), 0, "just below");
	limits.max_bytes = tar->n;
	for (size_t i = 0; i < PIECES; i++) {
		is_int(walk(buf_slice(tar), pieces[i], &limits, &notes, &err), -1, "at the limit");
		is_str(err.pub, arena_printf(arena, "uploaded tarball is malformed or too large when decompressed: "
		    "it has %zu bytes or more; an administrator can raise max_unpacked_size for the project", tar->n),
		    "says so");
	}
	tar = tar_new();
	tarball_header(tar, '0', "a/b", 077777777777);
	is_refused(tar, "too large when decompressed", "a size that cannot fit, at its header");
}

static void
test_paths(void)
{
	static const struct {
		const char *path;
		bool directory;
		const char *reason; /* NULL: good */
	} paths[] = {
		{ "a/b", false, NULL }, { "a/b/", true, NULL }, { "a", true, NULL },
		{ "a/\xc3\xa4/\xe6\xbc\xa2.rs", false, NULL }, { "a/.hidden", false, NULL },
		{ "a/...b", false, NULL }, { "a/auxiliary", false, NULL },
		{ "a/com0", false, NULL }, { "a/com10", false, NULL },
		{ "a/console.rs", false, NULL }, { "a/b c", false, NULL },
		{ "a/b/", false, "empty component" }, { "a/b//", true, "empty component" },
		{ "", false, "empty component" }, { "/", true, "empty component" },
		{ "/a/b", false, "empty component" }, { "a//b", false, "empty component" },
		{ "./a/b", false, "a `.` component" }, { "a/./b", false, "a `.` component" },
		{ "a/.", true, "a `.` component" }, { "a/..", true, "a `..` component" },
		{ "a/../b", false, "a `..` component" }, { "../a", false, "a `..` component" },
		{ "a/b.", false, "dot or a blank" }, { "a/b /c", false, "dot or a blank" },
		{ "a\\b", false, "special on Windows" }, { "a/c:d", false, "special on Windows" },
		{ "a/\"", false, "special on Windows" }, { "a/?", false, "special on Windows" },
		{ "a/b\nc", false, "found: a/b (it has a control character" }, { "a/\x7f", false, "control character" },
		{ "a/\xc2\x85", false, "control character" }, { "a/\xff", false, "not UTF-8" },
		{ "a/\xc0\xaf", false, "not UTF-8" }, { "a/\xed\xa0\x80", false, "not UTF-8" },
		{ "a/nul", false, "device" }, { "a/NUL.txt", false, "device" },
		{ "a/Com1/b", false, "device" }, { "aux.rs", false, "device" },
		{ "a/lpt9.tar.gz", false, "device" },
	};
	char *longest = arena_alloc(arena, TAR_PATH_MAX + 2);
	struct err err;

	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
		int rc;

		err_clear(&err);
		rc = tar_path_check(slice_str(paths[i].path), paths[i].directory, &err);
		if (paths[i].reason == NULL)
			ok(rc == 0, "path %zu is good", i);
		else
			ok(rc == -1 && err.status == 400 &&
			    strncmp(err.pub, "invalid path found: ", 20) == 0 &&
			    strstr(err.pub, paths[i].reason) != NULL, "path %zu: %s", i, err.pub);
	}
	memset(longest, 'a', TAR_PATH_MAX + 1);
	is_int(tar_path_check(slice_of(longest, 255), false, &err), 0, "a component of 255 bytes");
	is_int(tar_path_check(slice_of(longest, 256), false, &err), -1, "one of 256 bytes");
	for (size_t i = 128; i < TAR_PATH_MAX; i += 128)
		longest[i] = '/';
	is_int(tar_path_check(slice_of(longest, TAR_PATH_MAX), false, &err), 0, "1024 bytes");
	is_int(tar_path_check(slice_of(longest, TAR_PATH_MAX + 1), false, &err), -1, "1025 bytes");
	ok(strstr(err.pub, "longer than 1024 bytes") != NULL, "%s", err.pub);
}

static void
test_path_set(void)
{
	static const struct {
		const char *path; /* NULL: a new set */
		bool directory;
		const char *reason;
	} steps[] = {
		{ "a/b", false, NULL },
		{ "a/c", false, NULL },
		{ "a", true, NULL },
		{ "a", true, "already has this path" },
		{ "a/b", false, "again" },
		{ "a/B", false, "again" },
		{ "A/b", false, "again" },
		{ "a/b", true, "already has this path" },
		{ "a/b/c", false, "one of its folders is also a file" },
		{ "a/B/d/c", false, "one of its folders is also a file" },
		{ NULL, false, NULL },
		{ "a/b/c", false, NULL },
		{ "a/b", true, NULL },
		{ "a/b", false, "already has this path" },
		{ "a", false, "already has this path" },
		{ "a/\xc3\x84", false, NULL },
		{ "a/\xc3\xa4", false, "again" },
		{ "a/\xcf\x82", false, NULL },
		{ "a/\xcf\x83", false, "again" },
	};
	locale_t locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	struct path_set *set = path_set_new(arena, 10, locale);
	struct err err;
	int failed = 0;
	bool again = false;

	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		int rc;

		if (steps[i].path == NULL) {
			set = path_set_new(arena, 10, locale);
			continue;
		}
		err_clear(&err);
		rc = path_set_add(set, slice_str(steps[i].path), steps[i].directory, &again, &err);
		ok(steps[i].reason == NULL ? rc == 0 && !again
			: strcmp(steps[i].reason, "again") == 0 ? rc == 0 && again
			: rc == -1 && strstr(err.pub, steps[i].reason) != NULL,
		    "step %zu: %s", i, err.pub);
	}
	set = path_set_new(arena, 10, locale);
	is_int(path_set_add(set, slice_str("1/2/3/4/5/6/7/8/9/10/x"), false, &again, &err), 0,
	    "as many folders as allowed");
	is_int(path_set_add(set, slice_str("1/2/b/x"), false, &again, &err), -1, "one more");
	is_str(err.pub, "uploaded tarball contains more than 10 folders; "
	    "an administrator can raise max_entries for the project", "says how many");

	set = path_set_new(arena, 10, locale);
	for (int i = 0; i < 10000; i++)
		failed += path_set_add(set, slice_str(arena_printf(arena, "a/%d.rs", i)), false,
		    &again, &err) != 0 || again;
	is_int(failed, 0, "ten thousand files");
	for (int i = 0; i < 10000; i++)
		failed += path_set_add(set, slice_str(arena_printf(arena, "A/%d.RS", i)), false,
		    &again, &err) != 0 || again;
	is_int(failed, 10000, "and each of them is known");
	freelocale(locale);
}

int
main(void)
{
	arena = arena_new();
	test_sound();
	test_types();
	test_headers();
	test_extensions();
	test_extension_limits();
	test_ends();
	test_limits();
	test_paths();
	test_path_set();
	arena_free(arena);
	return tap_done();
}
