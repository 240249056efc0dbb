#include "base/disk.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/file.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/fault.h"

int
disk_write(int fd, struct slice bytes)
{
	while (bytes.n > 0) {
		ssize_t n = TEMP_FAILURE_RETRY(write(fd, bytes.p, bytes.n));

		if (n == -1)
			return -1;
		bytes = slice_of(bytes.p + n, bytes.n - (size_t)n);
	}
	return 0;
}

ssize_t
disk_read_all(int fd, char *bytes, size_t size)
{
	size_t n = 0;

	for (;;) {
		char more;
		bool is_full = n == size;
		ssize_t got = TEMP_FAILURE_RETRY(
		    is_full ? read(fd, &more, sizeof(more)) : read(fd, bytes + n, size - n));

		if (got <= 0)
			return got == 0 ? (ssize_t)n : -1;
		if (is_full) {
			errno = EFBIG;
			return -1;
		}
		n += (size_t)got;
	}
}

int
disk_free(const char *path, int64_t *bytes)
{
	struct statvfs fs;

	if (statvfs(path, &fs) == -1)
		return -1;
	*bytes = disk_bytes(fs.f_bavail, fs.f_frsize);
	return 0;
}

int64_t
disk_bytes(uint64_t n, uint64_t size)
{
	int64_t bytes;

	return __builtin_mul_overflow(n, size, &bytes) ? INT64_MAX : bytes;
}

int
disk_read_at(int fd, int64_t at, void *to, size_t n, size_t *got)
{
	char *p = to;

	for (*got = 0; *got < n;) {
		ssize_t more = TEMP_FAILURE_RETRY(pread(fd, p + *got, n - *got, (off_t)(at + (int64_t)*got)));

		if (more == -1)
			return -1;
		if (more == 0)
			break;
		*got += (size_t)more;
	}
	return 0;
}

int
disk_next_name(DIR *dir, const char **name)
{
	struct dirent *entry;

	do {
		errno = 0;
		entry = FAULT_FAILS("disk", "readdir") ? NULL : readdir(dir);
	} while (entry != NULL && (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0));
	if (entry == NULL)
		return errno != 0 ? -1 : 0;
	*name = entry->d_name;
	return 1;
}

int
disk_lock(int fd)
{
	if (!FAULT_FAILS("disk", "lock") && flock(fd, LOCK_EX | LOCK_NB) == 0)
		return 1;
	return errno == EWOULDBLOCK ? 0 : -1;
}
