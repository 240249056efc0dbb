/* base/disk and base/random: reads end with the buffer or the file, and random bytes fill it. */

#include "base/disk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/random.h"
#include "tap.h"

static void
test_disk_read_at(void)
{
	char path[] = "/tmp/berth-disk-XXXXXX", text[16];
	int fd = mkstemp(path);
	size_t n;

	unlink(path);
	ok(disk_write(fd, slice_str("0123456789")) == 0, "ten bytes");
	ok(disk_read_at(fd, 0, text, 4, &n) == 0 && n == 4 && memcmp(text, "0123", 4) == 0,
	    "as many as there is room for");
	ok(disk_read_at(fd, 4, text, sizeof(text), &n) == 0 && n == 6 && memcmp(text, "456789", 6) == 0,
	    "from another place up to the end");
	ok(disk_read_at(fd, 10, text, sizeof(text), &n) == 0 && n == 0, "at the end there is nothing");
	close(fd);
	ok(disk_read_at(fd, 0, text, sizeof(text), &n) == -1 && errno == EBADF, "a file that is closed");
}

/* A file of so many bytes into a buffer of so many. */
static void
test_disk_read_all(void)
{
	static const struct {
		size_t file, room;
		ssize_t got;
	} cases[] = { { 0, 4, 0 }, { 3, 4, 3 }, { 4, 4, 4 }, { 5, 4, -1 }, { 0, 0, 0 }, { 1, 0, -1 } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char bytes[4];
		int fds[2];

		ok(pipe(fds) == 0 && write(fds[1], "abcde", cases[i].file) == (ssize_t)cases[i].file, "a pipe");
		close(fds[1]);
		errno = 0;
		is_int(disk_read_all(fds[0], bytes, cases[i].room), cases[i].got, "it is all read, or none");
		ok(cases[i].got != -1 || errno == EFBIG, "and why not");
		close(fds[0]);
	}
	is_int(disk_read_all(-1, NULL, 0), -1, "no file");
}

static void
test_disk_bytes(void)
{
	int64_t bytes = -1;

	is_int(disk_bytes(3, 4096), 12288, "blocks");
	ok(disk_bytes(UINT64_C(1) << 51, 4096) == INT64_MAX, "8 EiB are the most");
	ok(disk_bytes(UINT64_MAX, 4096) == INT64_MAX && disk_bytes(INT64_MAX, 10) == INT64_MAX, "what has no limit");
	ok(disk_free("/", &bytes) == 0 && bytes >= 0, "what is free");
	ok(disk_free("/nonexistent/x", &bytes) == -1 && errno == ENOENT, "nothing there");
}

static void
test_random(void)
{
	unsigned char one[RANDOM_MAX] = { 0 }, other[RANDOM_MAX] = { 0 };
	struct err err;

	ok(random_bytes(one, sizeof(one), &err) == 0 && random_bytes(other, sizeof(other), &err) == 0,
	    "random bytes");
	ok(memcmp(one, other, sizeof(one)) != 0, "are others each time");
}

int
main(void)
{
	test_disk_read_at();
	test_disk_read_all();
	test_disk_bytes();
	test_random();
	return tap_done();
}
