/* crate/inspect/source: the files of a crate, or one, from pieces of any size and from damaged bytes. */
#include "crate/inspect/source.h"

#include <stdlib.h>
#include <string.h>

#include "crate/inspect/sample.h"
#include "tap.h"

#define SAMPLE_FOLDER "sample-1.0.0"

static struct arena *arena;
static struct err err;
static struct slice crate;

/* The answer of a crate that comes in pieces of so many bytes.  -1: err. */
static int
show(enum job_kind kind, const char *path, struct slice bytes, size_t piece, struct slice *out)
{
	const struct job job = { .kind = kind, .path = path,
		.limits = { .max_unpacked = 1 << 20, .max_entries = 100, .folder = SAMPLE_FOLDER } };
	struct source *s = source_new(arena, &job);

	err_clear(&err);
	*out = slice_str("");
	while (bytes.n > 0 && !source_done(s)) {
		size_t n = bytes.n < piece ? bytes.n : piece;

		if (source_push(s, slice_of(bytes.p, n), &err) == -1)
			return -1;
		bytes = slice_of(bytes.p + n, bytes.n - n);
	}
	return source_end(s, out, &err);
}

static void
test_list(void)
{
	struct slice whole, pieces;

	is_int(show(JOB_LIST, NULL, crate, crate.n, &whole), 0, "a list");
	is_int(show(JOB_LIST, NULL, crate, 7, &pieces), 0, "also in small pieces");
	ok(slice_equal(whole, pieces), "is the same");
	ok(memmem(whole.p, whole.n, " Cargo.toml\n", 12) != NULL, "it has the manifest");
	ok(memmem(whole.p, whole.n, SAMPLE_FOLDER, strlen(SAMPLE_FOLDER)) == NULL, "without the folder");
	ok(whole.n > 0 && whole.p[whole.n - 1] == '\n', "each file has a line");
}

static void
test_read(void)
{
	struct slice list, out;

	is_int(show(JOB_LIST, NULL, crate, crate.n, &list), 0, "a list");
	is_int(show(JOB_READ, "Cargo.toml", crate, 100, &out), 0, "the manifest");
	is_int(out.n, strtoul(arena_slicedup(arena, list), NULL, 10), "has as many bytes as the list says");
	ok(memmem(out.p, out.n, "[package]", 9) != NULL, "and is the manifest");
	is_int(show(JOB_READ, "cargo.toml", crate, 100, &out), -1, "in other case it is not there");
	is_int(err.status, 404, "which is 404");
	is_str(err.pub, "the crate has no file `cargo.toml`", "and says so");
	is_int(show(JOB_READ, SAMPLE_FOLDER, crate, 100, &out), -1, "nor is the folder a file");
	is_int(show(JOB_READ, "../" SAMPLE_FOLDER "/Cargo.toml", crate, 100, &out), -1, "nor is another spelling");
	is_int(show(JOB_READ, "/etc/passwd", crate, 100, &out), -1, "nor a file of this machine");
	is_int(err.status, 404, "which is 404");
}

static void
test_damaged(void)
{
	char *bytes = arena_alloc(arena, crate.n);
	size_t passed = 0;
	struct slice out;

	for (size_t n = 0; n < crate.n; n++) {
		if (show(JOB_LIST, NULL, slice_of(crate.p, n), 64, &out) == 0)
			passed++;
	}
	is_int(passed, 0, "a crate that was cut has no list");
	for (size_t i = 0; i < crate.n; i++) {
		memcpy(bytes, crate.p, crate.n);
		bytes[i] ^= 0x40;
		if (show(JOB_LIST, NULL, slice_of(bytes, crate.n), 64, &out) == -1 && err.status >= 500)
			passed++;
	}
	is_int(passed, 0, "and one with another byte is no fault of ours");
}

int
main(void)
{
	arena = arena_new();
	if (sample_make(arena, &crate, &err) == -1)
		return EXIT_FAILURE;
	test_list();
	test_read();
	test_damaged();
	arena_free(arena);
	return tap_done();
}
