/* Small modules of base: utf8, hex, base62, err, clock, disk, gzip. */
#include "base/base62.h"

#include <errno.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/gzip.h"
#include "base/hex.h"
#include "base/utf8.h"
#include "base/words.h"
#include "tap.h"

static void
test_utf8(void)
{
	static const struct {
		const char *text;
		size_t n;
		bool valid;
	} cases[] = {
		{ "", 0, true },
		{ "abc", 3, true },
		{ "\0", 1, true },
		{ "\xc3\xa9", 2, true },
		{ "\xe2\x82\xac", 3, true },
		{ "\xf0\x9f\xa6\x80", 4, true },
		{ "\xf4\x8f\xbf\xbf", 4, true },
		{ "\xf4\x90\x80\x80", 4, false }, /* past U+10FFFF */
		{ "\xed\xa0\x80", 3, false }, /* surrogate */
		{ "\xc0\x80", 2, false }, /* overlong */
		{ "\xe0\x80\x80", 3, false },
		{ "\xf0\x80\x80\x80", 4, false },
		{ "\xc3", 1, false }, /* cut */
		{ "\x80", 1, false },
		{ "\xff", 1, false },
	};
	char out[4];
	uint32_t cp;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		ok(utf8_valid(slice_of(cases[i].text, cases[i].n)) == cases[i].valid, "utf8 case %zu", i);
	is_int(utf8_length(slice_str("a\xc3\xa9\xf0\x9f\xa6\x80")), 3, "length counts characters");
	for (uint32_t c = 1; c <= 0x10ffff; c = c * 3 + 1) {
		size_t n = utf8_encode(c, out);

		if (utf8_decode(out, n, &cp) != n || cp != c) {
			ok(false, "U+%04X survives encoding", (unsigned)c);
			return;
		}
	}
	ok(true, "encoding and decoding are inverse");
}

static void
test_digits(void)
{
	unsigned char bytes[32], back[2];
	char out[BASE62_256_WIDTH + 1];

	hex_encode((const unsigned char *)"\x00\xff", 2, out);
	is_str(out, "00ff", "hex is in lower case");
	ok(hex_decode(slice_str("00Ff"), back, 2) && back[1] == 0xff, "hex_decode takes both cases");
	ok(!hex_decode(slice_str("00f"), back, 2), "too short");
	ok(!hex_decode(slice_str("00fg"), back, 2), "no digit");
	memset(bytes, 0xff, sizeof(bytes));
	base62_encode(bytes, sizeof(bytes), out, BASE62_256_WIDTH);
	is_int(strlen(out), BASE62_256_WIDTH, "256 bits fit 43 digits");
	base62_encode((const unsigned char *)"\x00\x3e", 2, out, 3);
	is_str(out, "010", "62 is 10");
	ok(base62_valid(slice_str("09AZaz")) && !base62_valid(slice_str("a-")), "digits of base 62");
}

static void
test_words(void)
{
	const char *list = " \tone  two\tthree ";
	struct slice word;

	ok(words_next(&list, &word) && slice_is(word, "one"), "the first word");
	ok(words_next(&list, &word) && slice_is(word, "two"), "the second");
	ok(words_next(&list, &word) && slice_is(word, "three"), "the last");
	ok(!words_next(&list, &word) && word.n == 0, "no more");
	ok(!words_next(&list, &word), "and none after that");
	ok(words_include("a bc d", "bc") && words_include("a bc d", "d"), "words of a list");
	ok(!words_include("a bc d", "b") && !words_include("a bc d", "") && !words_include("", "a"),
	    "and what is none");
	ok(slice_equal(slice_str("ab"), slice_of("abc", 2)) &&
	    !slice_equal(slice_str("ab"), slice_str("ac")) &&
	    !slice_equal(slice_str("ab"), slice_str("a")), "slices are equal by length and bytes");
}

static void
test_err(void)
{
	struct err e = { 0 };
	char big[ERR_PUB_SIZE + 100];

	is_int(err_set(&e, 400, "bad `%s`", "a\x01"
					    "b\xff\xc3\xa9\x7f"),
	    -1, "err_set returns -1");
	is_str(e.pub, "bad `a?b?\xc3\xa9?`", "control bytes and bad UTF-8 are replaced");
	memset(big, 'x', sizeof(big));
	memcpy(big + ERR_PUB_SIZE - 3, "\xf0\x9f\xa6\x80", 4);
	big[sizeof(big) - 1] = '\0';
	err_set(&e, 400, "%s", big);
	is_int(strlen(e.pub), ERR_PUB_SIZE - 3, "a long text is cut between characters");
	err_internal(&e, 503, "secret %d", 1);
	is_str(e.pub, "the registry is temporarily unavailable, please try again",
	    "a 5xx shows a fixed sentence");
	is_str(e.detail, "secret 1", "the detail is kept for the log");
	err_context(&e, "while %s", "testing");
	is_str(e.detail, "secret 1; while testing", "context is added");
	err_clear(&e);
	is_int(e.status, 0, "cleared");
}

static void
test_err_disk(void)
{
	static const struct {
		int number, status;
		const char *detail;
	} cases[] = {
		{ ENOSPC, 503, "x: No space left on device" },
		{ EDQUOT, 503, "x: Disk quota exceeded" },
		{ EROFS, 503, "x: Read-only file system" },
		{ EIO, 500, "x: Input/output error" },
		{ EACCES, 500, "x: Permission denied" },
	};
	struct err e = { 0 };

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		errno = cases[i].number;
		is_int(err_disk(&e, "%c", 'x'), -1, "err_disk returns -1");
		is_int(e.status, cases[i].status, "its status");
		is_str(e.detail, cases[i].detail, "and what has gone wrong");
		errno = cases[i].number;
		err_sys(&e, "%c", 'x');
		is_int(e.status, 500, "err_sys: 500 always");
		is_str(e.detail, cases[i].detail, "with the same words");
	}
}

static void
test_clock(void)
{
	char out[CLOCK_RFC3339_SIZE];

	clock_rfc3339(0, out);
	is_str(out, "1970-01-01T00:00:00Z", "epoch");
	clock_rfc3339(1767225599, out);
	is_str(out, "2025-12-31T23:59:59Z", "20 characters, no fraction");
}

/* Compresses a text that comes in pieces of so many bytes. */
static struct slice
packed_in(struct arena *a, struct slice text, size_t piece)
{
	struct err e = { 0 };
	struct gzip_writer *w = gzip_writer_new(a, &e);
	struct slice out = { 0 };
	bool good = w != NULL;

	for (size_t n; good && text.n > 0; text = slice_of(text.p + n, text.n - n)) {
		n = text.n < piece ? text.n : piece;
		good = gzip_writer_add(w, slice_of(text.p, n), &e) == 0;
	}
	ok(good && gzip_writer_end(w, &out, &e) == 0, "compressed by %zu bytes", piece);
	return out;
}

/* Text that was compressed for speed is longer, and expands to the same bytes. */
static void
test_gzip_fast(void)
{
	struct arena *a = arena_new();
	struct err e = { 0 };
	struct gzip_writer *w = gzip_writer_new(a, &e);
	struct slice packed, text, out;
	struct buf b;

	buf_init(&b, a, 1 << 16);
	for (int i = 0; i < 1000; i++)
		buf_printf(&b, "<tr><td>%d</td><td>%d.0.%d</td></tr>\n", i * i % 37, i % 11, i * 7 % 101);
	text = buf_slice(&b);
	ok(gzip_writer_speed_up(w, &e) == 0 && gzip_writer_add(w, text, &e) == 0 &&
	    gzip_writer_end(w, &packed, &e) == 0, "compressed for speed");
	ok(packed.n > packed_in(a, text, text.n).n && packed.n < text.n / 3, "a little longer: %zu bytes", packed.n);
	ok(gzip_expand(a, packed, text.n, &out, &e) == 0 && slice_equal(out, text), "and the same");
	arena_free(a);
}

static int
refuse_piece(void *arg, struct slice piece, struct err *err)
{
	size_t *n = arg;

	*n += piece.n;
	return err_set(err, 418, "enough");
}

/* A member that grows by so many texts is as good as one of all of them. */
static void
test_gzip_grow(void)
{
	struct arena *a = arena_new();
	struct slice packed = packed_in(a, slice_str("first line\n"), 100), before = slice_str("first line\n"), text;
	struct slice old = packed_in(a, slice_str(""), 1);
	char whole[4096] = "first line\n";
	struct err e = { 0 };

	for (int i = 0; i < 20; i++) {
		struct slice more = slice_str(arena_printf(a, "first line, and number %d\n", i)), tail, out;
		char *grown;

		tail = slice_of(packed.p + packed.n - GZIP_TAIL_SIZE, GZIP_TAIL_SIZE);
		ok(gzip_can_grow(slice_of(packed.p, GZIP_HEAD_SIZE), tail), "it can grow");
		is_int(gzip_grow(a, tail, i % 2 ? before : slice_str(""), more, &out, &e), 0, "it grows");
		grown = arena_alloc(a, packed.n + out.n);
		memcpy(grown, packed.p, packed.n - GZIP_TAIL_SIZE);
		memcpy(grown + packed.n - GZIP_TAIL_SIZE, out.p, out.n);
		packed = slice_of(grown, packed.n - GZIP_TAIL_SIZE + out.n);
		before = more;
		memcpy(whole + strlen(whole), more.p, more.n + 1);
	}
	ok(gzip_expand(a, packed, sizeof(whole), &text, &e) == 0 && slice_is(text, whole),
	    "all texts: %s", e.detail);
	is_int(gzip_text_size(packed), (int64_t)strlen(whole), "and their length");
	ok(gzip_can_grow(slice_of(old.p, GZIP_HEAD_SIZE), slice_of(old.p + old.n - GZIP_TAIL_SIZE, GZIP_TAIL_SIZE)),
	    "an empty one can grow");
	ok(!gzip_can_grow(slice_of("\x1f\x8b\x08\0\0\0\0\0\0\x03", GZIP_HEAD_SIZE),
	       slice_of(packed.p + packed.n - GZIP_TAIL_SIZE, GZIP_TAIL_SIZE)), "one of another program cannot");
	ok(!gzip_can_grow(slice_of(packed.p, GZIP_HEAD_SIZE), slice_str("")), "one without a tail cannot");
	arena_free(a);
}

/* Texts that repeat themselves as far back as zlib looks, and some that do not. */
static void
test_gzip_member(void)
{
	enum { LONGEST = 40000 };
	struct arena *a = arena_new();
	char *p = arena_alloc(a, LONGEST);
	bool same = true, good = true;
	struct err e = { 0 };
	unsigned seed = 1;

	for (size_t n = 0; n < LONGEST; n = n + n / 3 + 1) {
		struct slice out, text;

		for (size_t i = 0; i < n; i++) {
			seed = seed * 1103515245 + 12345;
			p[i] = (char)(i < n / 2 ? seed >> 24 : (unsigned char)p[i - n / 2]);
		}
		good &= gzip_member(a, slice_of(p, n), &out, &e) == 0 && gzip_expand(a, out, n, &text, &e) == 0 &&
		    slice_equal(text, slice_of(p, n));
		same &= slice_equal(out, packed_in(a, slice_of(p, n), n + 1));
	}
	ok(good, "a whole text: %s", e.detail);
	ok(same, "with little memory the output is the same");
	arena_free(a);
}

static void
test_gzip(void)
{
	struct arena *a = arena_new();
	struct slice packed = packed_in(a, slice_str("hello\n"), 6), text;
	size_t n = 0;
	struct err e = { 0 };

	ok(slice_equal(packed_in(a, slice_str("hello\n"), 1), packed), "equal bytes give equal bytes");
	is_int(gzip_text_size(packed), 6, "how long it was");
	ok(gzip_expand(a, packed, 6, &text, &e) == 0 && slice_is(text, "hello\n"), "expand, at the limit");
	ok(gzip_expand(a, packed, 5, &text, &e) == -1 && e.status == 500, "one over the limit");
	ok(gzip_expand(a, slice_str("not gzip"), SIZE_MAX, &text, &e) == -1, "not gzip");
	ok(gzip_expand(a, slice_of(packed.p, packed.n - 1), 1 << 30, &text, &e) == -1, "cut short");
	is_int(gzip_text_size(slice_str("gz")), 0, "nothing that has a size");
	ok(gzip_read(packed, 6, refuse_piece, &n, &e) == -1 && e.status == 418 && n == 6,
	    "who reads may stop");
	ok(gzip_expand(a, packed_in(a, slice_str(""), 1), 0, &text, &e) == 0 && text.n == 0, "nothing");
	arena_free(a);
}

/* Beyond the size from which on it is compressed for speed. */
static void
test_gzip_large(void)
{
	enum { PAGE = 4096, TEXT = GZIP_FAST_AFTER + 3 * PAGE + 1 };
	struct arena *a = arena_new();
	char *p = arena_alloc(a, TEXT);
	struct slice packed, text;
	struct err e = { 0 };
	unsigned seed = 1;

	for (size_t i = 0; i < TEXT; i++) {
		seed = seed * 1103515245 + 12345;
		p[i] = (char)(i % PAGE < 64 ? seed >> 24 : 'x');
	}
	packed = packed_in(a, slice_of(p, TEXT), 10000);
	ok(slice_equal(packed_in(a, slice_of(p, TEXT), TEXT), packed), "equal bytes give equal bytes");
	is_int(gzip_text_size(packed), TEXT, "how long it was");
	ok(gzip_expand(a, packed, TEXT, &text, &e) == 0 && slice_equal(text, slice_of(p, TEXT)),
	    "and all of it comes back");
	arena_free(a);
}

int
main(void)
{
	test_utf8();
	test_digits();
	test_words();
	test_err();
	test_err_disk();
	test_clock();
	test_gzip();
	test_gzip_grow();
	test_gzip_member();
	test_gzip_fast();
	test_gzip_large();
	return tap_done();
}
