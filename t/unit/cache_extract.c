/* cache/cache_extract: extracts come back whole, only for their project and key; the oldest are removed. */
#include "cache/cache_extract.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "remove_tree.h"
#include "tap.h"

enum { MAX = 1 << 20 };

static struct arena *arena;
static char dir[] = "/tmp/extract.XXXXXX";

static struct cache_extract
extract(int64_t project_id, unsigned number)
{
	struct cache_extract e = { .dir = dir, .project_id = project_id };

	memcpy(e.key, &number, sizeof(number));
	return e;
}

static const char *
read_back(const struct cache_extract *e)
{
	struct slice out;

	return cache_extract_read(arena, e, MAX, &out) ? arena_slicedup(arena, out) : "none";
}

static void
keep(const struct cache_extract *e, const char *text)
{
	cache_extract_write(arena, e, slice_str(text));
}

static const char *
path(const char *name)
{
	return arena_printf(arena, "%s/extract%s", dir, name);
}

static void
test_kept(void)
{
	struct cache_extract e = extract(7, 1), other = extract(7, 2), elsewhere = extract(8, 1);
	struct slice out;

	keep(&e, "early");
	is_str(read_back(&e), "none", "without a keeper's folder nothing is kept");
	ok(mkdir(path(""), 0755) == 0, "there is one");
	is_str(read_back(&e), "none", "at first nothing is there");
	keep(&e, "one");
	is_str(read_back(&e), "one", "what was kept comes back");
	is_str(read_back(&other), "none", "nothing of another key");
	is_str(read_back(&elsewhere), "none", "nor of another project");
	keep(&e, "");
	is_str(read_back(&e), "", "it is replaced, also by nothing");
	keep(&e, "twelve bytes");
	ok(!cache_extract_read(arena, &e, 11, &out), "more than asked for is none");
	ok(cache_extract_read(arena, &e, 12, &out), "but so much is");
	e.dir = "";
	keep(&e, "x");
	is_str(read_back(&e), "none", "without cache_dir there is nothing");
}

/* Files that somebody else may have put there. */
static void
test_others(void)
{
	struct cache_extract e = extract(9, 1);
	char name[80] = "/9/";

	for (size_t i = 0; i < SHA256_SIZE; i++)
		snprintf(name + 3 + 2 * i, 3, "%02x", e.key[i]);
	ok(mkdir(path("/9"), 0700) == 0 && symlink("/etc/passwd", path(name)) == 0, "a symbolic link");
	is_str(read_back(&e), "none", "is not followed");
	keep(&e, "ours");
	is_str(read_back(&e), "ours", "but replaced");
	ok(unlink(path(name)) == 0 && mkdir(path(name), 0700) == 0, "a folder");
	is_str(read_back(&e), "none", "is nothing");
	keep(&e, "ours");
	is_str(read_back(&e), "none", "and stays");
}

static void
keep_some(const struct cache_extract *e, const char *text)
{
	for (int i = 0; i < CACHE_EXTRACT_BOUND_EVERY; i++)
		keep(e, text);
}

static void
test_bound(void)
{
	const struct timespec early[] = { { .tv_sec = 1000 }, { .tv_sec = 1000 } };
	struct cache_extract last = extract(3, 12345);
	size_t gone = 0, left = 0;

	ok(mkdir(path("/1"), 0700) == 0 && mkdir(path("/2"), 0700) == 0 && mkdir(path("/4"), 0700) == 0, "projects");
	for (int i = 0; i < CACHE_EXTRACT_FILES_MAX; i++) {
		const char *name = path(arena_printf(arena, "/%d/%d", i % 2 + 1, i));
		int fd = open(name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

		if (fd == -1 || (i < 100 && futimens(fd, early) == -1) || close(fd) == -1)
			exit(EXIT_FAILURE);
	}
	keep_some(&last, "last");
	for (int i = 0; i < CACHE_EXTRACT_FILES_MAX; i++) {
		bool there = access(path(arena_printf(arena, "/%d/%d", i % 2 + 1, i)), F_OK) == 0;

		gone += i < 100 && !there;
		left += there;
	}
	is_int(gone, 100, "the oldest are gone");
	ok(left > CACHE_EXTRACT_FILES_MAX / 2 && left < CACHE_EXTRACT_FILES_MAX, "most of the others stay");
	is_str(read_back(&last), "last", "and so does the last");
	ok(access(path("/4"), F_OK) == -1, "an empty folder is gone");
	ok(truncate(path("/2/4095"), CACHE_EXTRACT_BYTES_MAX) == 0 &&
	    utimensat(AT_FDCWD, path("/2/4095"), early, 0) == 0, "a file that takes all bytes");
	keep_some(&last, "again");
	ok(access(path("/2/4095"), F_OK) == -1, "is gone");
	is_str(read_back(&last), "again", "and what was kept last is there");
}

int
main(void)
{
	if (mkdtemp(dir) == NULL)
		return EXIT_FAILURE;
	arena = arena_new();
	test_kept();
	test_others();
	test_bound();
	arena_free(arena);
	remove_tree(dir);
	return tap_done();
}
