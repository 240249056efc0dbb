/* base/disk and base/random: reads end with the buffer or the file, and random bytes fill it. */

#include "base/disk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/random.h"
#include "tap.h"

static void
test_read(void)
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
	test_read();
	test_random();
	return tap_done();
}
