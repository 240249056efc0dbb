#include "base/disk.h"

#include <errno.h>
#include <unistd.h>

int
disk_write(int fd, struct slice bytes)
{
	while (bytes.n > 0) {
		ssize_t n = write(fd, bytes.p, bytes.n);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		bytes = slice_of(bytes.p + n, bytes.n - (size_t)n);
	}
	return 0;
}
