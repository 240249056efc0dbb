#include "crate/archive/tar_walk.h"

#include <assert.h>
#include <inttypes.h>

#include "crate/archive/tar_path.h"
#include "tarball.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* All that a walk says, to be compared. */
struct walked {
	struct buf notes;
	struct err err;
	uint64_t due; /* bytes of the current file that are to come */
	int rc;
};

static int
entry_found(void *arg, const struct tar_entry *e, struct err *err)
{
	struct walked *w = arg;

	assert(w->due == 0 && memchr(e->path.p, '\0', e->path.n) == NULL);
	assert(!e->directory || e->size == 0);
	w->due = e->size;
	buf_printf(&w->notes, "%d %" PRIu64 " %o ", e->directory, e->size, e->mode);
	buf_put_slice(&w->notes, e->path);
	return tar_path_check(e->path, e->directory, err);
}

static int
data_found(void *arg, struct slice data, struct err *err)
{
	struct walked *w = arg;

	(void)err;
	assert(data.n > 0 && data.n <= w->due);
	w->due -= data.n;
	buf_put_slice(&w->notes, data);
	return 0;
}

static int
entry_done(void *arg, struct err *err)
{
	struct walked *w = arg;

	(void)err;
	assert(w->due == 0);
	buf_putc(&w->notes, '\n');
	return 0;
}

static void
walk(struct arena *a, struct slice tar, size_t step, struct walked *w)
{
	static const struct tar_handler handler = { entry_found, data_found, entry_done };
	static const struct tar_limits limits = { 20, 1 << 20 };
	struct tar_walk *walk = tar_walk_new(a, &limits, &handler, w);

	*w = (struct walked) { .rc = 0 };
	buf_init(&w->notes, a, 4 << 20);
	while (tar.n > 0 && w->rc == 0) {
		size_t n = tar.n < step ? tar.n : step;

		w->rc = tar_walk_push(walk, slice_of(tar.p, n), &w->err);
		tar = slice_of(tar.p + n, tar.n - n);
	}
	if (w->rc == 0)
		w->rc = tar_walk_end(walk, &w->err);
	assert(tar_walk_entries(walk) <= limits.max_entries + 1);
	assert(w->rc == 0 ? w->err.status == 0 : w->err.status == 400);
}

/* The first byte is the size of the pieces, which must make no difference. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct walked whole, pieces;
	struct slice tar;

	if (size > 1) {
		tar = tarball_sealed(a, slice_of((const char *)data + 1, size - 1));
		walk(a, tar, SIZE_MAX, &whole);
		walk(a, tar, (size_t)data[0] + 1, &pieces);
		assert(whole.rc == pieces.rc && strcmp(whole.err.pub, pieces.err.pub) == 0);
		assert(whole.notes.n == pieces.notes.n);
		assert(memcmp(buf_str(&whole.notes), buf_str(&pieces.notes), whole.notes.n) == 0);
	}
	arena_free(a);
	return 0;
}
