#include "tasks/packed_log.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <unistd.h>

#include <zlib.h>

enum { IN_SIZE = 64 * 1024, WINDOW_GZIP_ONLY = 15 + 16 };

struct packed_log {
	z_stream z;
	int fd;
	bool begun; /* a member was seen */
	bool inside; /* of a member that has not ended */
	unsigned char in[IN_SIZE];
};

static void
packed_log_free(void *arg)
{
	inflateEnd(arg);
}

struct packed_log *
packed_log_new(struct arena *a, int fd, struct err *err)
{
	struct packed_log *p = arena_alloc(a, sizeof(*p));

	p->fd = fd;
	if (inflateInit2(&p->z, WINDOW_GZIP_ONLY) != Z_OK) {
		(void)err_internal(err, 500, "zlib does not start");
		return NULL;
	}
	arena_defer(a, packed_log_free, &p->z);
	return packed_log_rewind(p, err) == -1 ? NULL : p;
}

int
packed_log_rewind(struct packed_log *p, struct err *err)
{
	if (lseek(p->fd, 0, SEEK_SET) == -1)
		return err_sys(err, "lseek");
	p->begun = p->inside = false;
	p->z.avail_in = 0;
	return 0;
}

/* At the end of the file there is nothing. */
static int
fill(struct packed_log *p, struct err *err)
{
	ssize_t n = TEMP_FAILURE_RETRY(read(p->fd, p->in, sizeof(p->in)));

	if (n == -1)
		return err_sys(err, "read");
	p->z.next_in = p->in;
	p->z.avail_in = (uInt)n;
	return 0;
}

/* One turn of zlib, with input that is there. */
static int
turn(struct packed_log *p, struct err *err)
{
	int rc;

	if (!p->inside) {
		inflateReset(&p->z);
		p->begun = p->inside = true;
	}
	rc = inflate(&p->z, Z_NO_FLUSH);
	if (rc != Z_OK && rc != Z_STREAM_END)
		return err_internal(err, 500, "gzip: %s", p->z.msg != NULL ? p->z.msg : "damaged");
	p->inside = rc == Z_OK;
	return 0;
}

int
packed_log_read(struct packed_log *p, char *to, size_t max, size_t *got, struct err *err)
{
	int rc = 0;

	*got = 0;
	while (rc == 0 && *got < max) {
		uInt room = max - *got < UINT_MAX ? (uInt)(max - *got) : UINT_MAX;

		if (p->z.avail_in == 0 && fill(p, err) == -1)
			return -1;
		if (p->z.avail_in == 0 && p->begun && !p->inside)
			return 0;
		if (p->z.avail_in == 0)
			return err_internal(err, 500, "gzip: it ends too early");
		p->z.next_out = (unsigned char *)to + *got;
		p->z.avail_out = room;
		rc = turn(p, err);
		*got += room - p->z.avail_out;
	}
	return rc;
}
