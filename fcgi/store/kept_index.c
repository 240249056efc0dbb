#include "store/kept_index.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "store/public_tree.h"

enum {
	HEAD_MAX = CRATE_ETAG_SIZE + 2 * 20 + 3,
	/* most files are read by one call */
	PIECE = 16 * 1024,
	DIGITS_MAX = 18 /* fit into 63 bits, whatever they are */
};

/* Digits up to `end`, which is passed over. */
static bool
number(struct slice *s, char end, int64_t *out)
{
	size_t i = 0;

	for (*out = 0; i < s->n && i < DIGITS_MAX && s->p[i] >= '0' && s->p[i] <= '9'; i++)
		*out = *out * 10 + (s->p[i] - '0');
	if (i == 0 || i == s->n || s->p[i] != end)
		return false;
	*s = slice_of(s->p + i + 1, s->n - i - 1);
	return true;
}

bool
kept_index_parse(struct slice s, struct kept_head *head)
{
	const char *blank = memchr(s.p, ' ', s.n < CRATE_ETAG_SIZE ? s.n : CRATE_ETAG_SIZE);
	struct slice rest;
	size_t n;

	if (blank == NULL || blank == s.p)
		return false;
	n = (size_t)(blank - s.p);
	memcpy(head->etag, s.p, n);
	head->etag[n] = '\0';
	rest = slice_of(blank + 1, s.n - n - 1);
	if (!number(&rest, ' ', &head->time) || !number(&rest, '\n', &head->length))
		return false;
	head->size = (size_t)(rest.p - s.p);
	return head->length > 0 && head->length <= CRATE_INDEX_MAX;
}

int
kept_index_put(struct public_dir *d, struct arena *a, const struct public_want *w,
    const struct crate_index *index, struct err *err)
{
	struct buf b;

	buf_init(&b, a, HEAD_MAX + index->body.n);
	buf_expect(&b, HEAD_MAX + index->body.n);
	buf_printf(&b, "%s %" PRId64 " %zu\n", index->etag, index->time, index->body.n);
	buf_put_slice(&b, index->body);
	return public_tree_put(d, w, buf_slice(&b), (time_t)index->time, err);
}

static ssize_t
read_some(int fd, char *p, size_t n)
{
	ssize_t got;

	do
		got = read(fd, p, n);
	while (got == -1 && errno == EINTR);
	return got;
}

/* All of the body, of which some has been read. */
static bool
read_body(struct arena *a, int fd, struct slice begun, size_t length, struct slice *out)
{
	char *p = arena_alloc(a, length);
	size_t n = begun.n < length ? begun.n : length;

	memcpy(p, begun.p, n);
	while (n < length) {
		ssize_t got = read_some(fd, p + n, length - n);

		if (got <= 0)
			return false;
		n += (size_t)got;
	}
	*out = slice_of(p, length);
	return true;
}

static bool
has_it(const struct kept_head *head, const char *const *etags, size_t netags)
{
	char of_nginx[2 * 16 + 2];

	if (netags == 0)
		return false;
	snprintf(of_nginx, sizeof(of_nginx), "%" PRIx64 "-%" PRIx64, (uint64_t)head->time,
	    (uint64_t)head->length);
	for (size_t i = 0; i < netags; i++) {
		if (strcmp(etags[i], head->etag) == 0 || strcmp(etags[i], of_nginx) == 0)
			return true;
	}
	return false;
}

static bool
read_index(struct arena *a, int fd, const char *const *etags, size_t netags,
    struct crate_index *index)
{
	char piece[PIECE];
	ssize_t n = read_some(fd, piece, sizeof(piece));
	struct kept_head head;

	if (n <= 0 || !kept_index_parse(slice_of(piece, (size_t)n), &head))
		return false;
	*index = (struct crate_index) {
		.found = true,
		.etag = arena_strdup(a, head.etag),
		.time = head.time,
		.length = head.length,
		.unchanged = has_it(&head, etags, netags),
	};
	return index->unchanged ||
	    read_body(a, fd, slice_of(piece + head.size, (size_t)n - head.size),
		(size_t)head.length, &index->body);
}

bool
kept_index_read(struct arena *a, const char *public_dir, const struct public_want *w,
    const char *const *etags, size_t netags, struct crate_index *index)
{
	int fd = public_dir_open_kept(a, public_dir, time(NULL), w);
	bool done;

	if (fd == -1)
		return false;
	done = read_index(a, fd, etags, netags, index);
	close(fd);
	return done;
}
