#include "tasks/packed_log.h"

#include <assert.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/gzip.h"
#include "tap.h"

enum { PLAIN = 300000 };

static struct arena *arena;
static char plain[PLAIN];
static struct slice packed;

static int
file_of(struct slice a, struct slice b)
{
	int fd = memfd_create("log", MFD_CLOEXEC);

	assert(fd != -1 && write(fd, a.p, a.n) == (ssize_t)a.n &&
	    write(fd, b.p, b.n) == (ssize_t)b.n);
	return fd;
}

/* Reads a file to its end, in pieces.  -1 with err: how much came before is in *n. */
static int
read_all(int fd, size_t piece, char *to, size_t *n, struct err *err)
{
	struct packed_log *p = packed_log_new(arena, fd, err);
	size_t got = piece;

	err_clear(err);
	*n = 0;
	while (got == piece) {
		int rc = packed_log_read(p, to + *n, piece, &got, err);

		*n += got;
		if (rc == -1)
			return -1;
	}
	return 0;
}

static void
is_refused(struct slice a, struct slice b, const char *why, const char *name)
{
	static char out[2 * PLAIN];
	int fd = file_of(a, b);
	struct err err;
	size_t n;

	ok(read_all(fd, 4096, out, &n, &err) == -1 && err.status == 500 &&
	    strstr(err.detail, why) != NULL, "%s: %s", name, err.detail);
	ok(n <= PLAIN && memcmp(out, plain, n) == 0, "%s: what came before it is right", name);
	close(fd);
}

static void
whole_ones(void)
{
	static const size_t pieces[] = { 7, 4096, 2 * PLAIN + 1 };
	static char out[3 * PLAIN];
	const struct slice none = slice_of("", 0);
	int one = file_of(packed, none), two = file_of(packed, packed);
	struct err err = { 0 };
	struct packed_log *p;
	size_t n;

	for (size_t i = 0; i < sizeof(pieces) / sizeof(*pieces); i++) {
		ok(read_all(one, pieces[i], out, &n, &err) == 0 && n == PLAIN &&
		    memcmp(out, plain, n) == 0, "in pieces of %zu", pieces[i]);
		ok(read_all(two, pieces[i], out, &n, &err) == 0 && n == 2 * PLAIN &&
		    memcmp(out, plain, PLAIN) == 0 && memcmp(out + PLAIN, plain, PLAIN) == 0,
		    "two members, in pieces of %zu", pieces[i]);
	}
	p = packed_log_new(arena, one, &err);
	ok(packed_log_read(p, out, 100, &n, &err) == 0 && n == 100, "a part");
	ok(packed_log_rewind(p, &err) == 0 && packed_log_read(p, out, sizeof(out), &n, &err) == 0 &&
	    n == PLAIN && memcmp(out, plain, n) == 0, "and all of it after that");
	ok(packed_log_read(p, out, sizeof(out), &n, &err) == 0 && n == 0, "then nothing");
	close(one);
	close(two);
}

static void
damaged_ones(void)
{
	const struct slice none = slice_of("", 0);
	char *flipped = arena_slicedup(arena, packed);

	flipped[packed.n - 8] ^= 1;
	is_refused(none, none, "too early", "empty");
	is_refused(slice_of(packed.p, 5), none, "too early", "a part of the header");
	is_refused(slice_of(packed.p, packed.n / 2), none, "too early", "a half");
	is_refused(slice_of(packed.p, packed.n - 1), none, "too early", "all but a byte");
	is_refused(slice_of(flipped, packed.n), none, "incorrect data check", "the checksum");
	is_refused(packed, slice_of("behind", 6), "incorrect header check", "something behind it");
	is_refused(packed, slice_of(packed.p, 3), "too early", "a second member that is not whole");
	is_refused(slice_of("not compressed\n", 15), none, "incorrect header check", "text");
}

int
main(void)
{
	struct err err = { 0 };
	struct gzip_writer *w;
	unsigned seed = 1;

	arena = arena_new();
	for (size_t i = 0; i < PLAIN; i++) {
		seed = seed * 1103515245 + 12345;
		plain[i] = (char)('a' + (seed >> 16) % 16);
	}
	w = gzip_writer_new(arena, &err);
	ok(w != NULL && gzip_writer_add(w, slice_of(plain, PLAIN), &err) == 0 &&
		gzip_writer_end(w, &packed, &err) == 0, "there is a log");
	whole_ones();
	damaged_ones();
	arena_free(arena);
	return tap_done();
}
