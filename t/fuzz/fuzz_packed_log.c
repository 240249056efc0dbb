#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tasks/packed_log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OUT_MAX = 256 * 1024 };

/* All of it, up to OUT_MAX bytes, in pieces.  0 or -1 as packed_log_read(). */
static int
read_all(struct packed_log *p, size_t piece, char *out, size_t *n)
{
	struct err err = { 0 };
	size_t got = piece;

	*n = 0;
	while (got == piece && *n + piece <= OUT_MAX) {
		int rc = packed_log_read(p, out + *n, piece, &got, &err);

		assert(got <= piece && (rc == 0) == (err.status == 0));
		*n += got;
		if (rc == -1)
			return -1;
	}
	return 0;
}

/* What compressed bytes say does not depend on how they are read. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t pieces[] = { OUT_MAX, 4096, 64 };
	static char first[OUT_MAX], again[OUT_MAX];
	struct arena *a = arena_new();
	int fd = memfd_create("log", MFD_CLOEXEC);
	struct err err = { 0 };
	struct packed_log *p;
	size_t n, m;
	int rc;

	assert(fd != -1 && write(fd, data, size) == (ssize_t)size);
	p = packed_log_new(a, fd, &err);
	assert(p != NULL);
	rc = read_all(p, pieces[0], first, &n);
	for (size_t i = 1; i < sizeof(pieces) / sizeof(*pieces); i++) {
		assert(packed_log_rewind(p, &err) == 0);
		assert(read_all(p, pieces[i], again, &m) == rc || n == OUT_MAX || m == OUT_MAX);
		/* where it is cut, zlib may have taken in what it has not given out yet */
		assert((m == n || rc == -1) && memcmp(first, again, m < n ? m : n) == 0);
	}
	arena_free(a);
	close(fd);
	return 0;
}
