#include "crate/archive/tar_walk.h"

#include <inttypes.h>
#include <string.h>

#include "crate/archive/malformed.h"
#include "crate/archive/tar_header.h"
#include "crate/archive/tar_path.h"
#include "crate/archive/tar_pax.h"

/* Of a PAX header; the handful of keys that are allowed need far less. */
enum { PAX_MAX = 16 * 1024 };
/* Zeros after the last entry: two blocks, or more where the writer fills up its tape records. */
enum { TRAILER_MIN = 2 * TAR_BLOCK, TRAILER_MAX = 1024 * 1024 };

enum state { HEADER, EXTENSION, DATA, PADDING, TRAILER, STATES };

struct tar_walk {
	const struct tar_handler *handler;
	void *arg;
	struct tar_limits limits;
	enum state state;
	uint64_t entries;
	uint64_t offset; /* of the next byte */
	uint64_t left; /* bytes to come of the extension or the data */
	uint64_t padding; /* bytes to come after that, up to a whole block */
	uint64_t trailer; /* zeros seen at the end */
	size_t header; /* where in `blocks` the header begins that is being read */
	size_t n; /* bytes in `blocks` */
	unsigned char extension; /* its type; 0: none before this header */
	struct slice extension_text; /* in `blocks` */
	unsigned char blocks[TAR_BLOCK + PAX_MAX + TAR_BLOCK];
	char path[TAR_PREFIX_SIZE + 1 + TAR_NAME_SIZE];
};

struct tar_walk *
tar_walk_new(struct arena *arena, const struct tar_limits *limits,
    const struct tar_handler *handler, void *arg)
{
	struct tar_walk *w = arena_alloc(arena, sizeof(*w));

	w->limits = *limits;
	w->handler = handler;
	w->arg = arg;
	return w;
}

uint64_t
tar_walk_entries(const struct tar_walk *w)
{
	return w->entries;
}

static bool
all_zero(const void *p, size_t n)
{
	const unsigned char *c = p;

	/* each byte equals the next one, and the first is 0 */
	return n == 0 || (c[0] == 0 && memcmp(c, c + 1, n - 1) == 0);
}

/* Takes up to `max` bytes off the front of what came. */
static struct slice
input_cut(struct tar_walk *w, struct slice *in, uint64_t max)
{
	struct slice s = slice_of(in->p, max < in->n ? (size_t)max : in->n);

	in->p += s.n;
	in->n -= s.n;
	w->offset += s.n;
	return s;
}

/* As input_cut, and keeps the bytes. */
static struct slice
input_keep(struct tar_walk *w, struct slice *in, uint64_t max)
{
	struct slice s = input_cut(w, in, max);

	memcpy(w->blocks + w->n, s.p, s.n);
	w->n += s.n;
	return s;
}

static uint64_t
header_offset(const struct tar_walk *w)
{
	return w->offset - TAR_BLOCK;
}

static uint64_t
padding_after(uint64_t size)
{
	return (TAR_BLOCK - size % TAR_BLOCK) % TAR_BLOCK;
}

/* The next thing in the archive is a header that belongs to no earlier one. */
static void
entry_forget(struct tar_walk *w)
{
	w->state = HEADER;
	w->n = 0;
	w->header = 0;
	w->extension = 0;
}

/* A header that says something about the next one. */
static int
extension_begin(struct tar_walk *w, const struct tar_header *h, struct err *err)
{
	/* a NUL may end a long name */
	uint64_t max = h->type == TAR_PAX ? PAX_MAX : TAR_PATH_MAX + 1;

	/*
	 * Readers have differed on which of two such headers wins, and on
	 * which entry the second belongs to.
	 */
	if (w->extension != 0)
		return err_set(err, 400, MALFORMED ": two extension headers in a row, at byte %"
		    PRIu64, header_offset(w));
	if (h->size == 0 || h->size > max)
		return err_set(err, 400, MALFORMED ": an extension header of %" PRIu64
		    " bytes, at byte %" PRIu64, h->size, header_offset(w));
	w->extension = h->type;
	w->left = h->size;
	w->padding = padding_after(h->size);
	w->extension_text = slice_of((const char *)w->blocks + w->n, (size_t)h->size);
	w->state = EXTENSION;
	return 0;
}

/* The path in the header itself. */
static struct slice
header_path(struct tar_walk *w, const struct tar_header *h)
{
	size_t n = h->prefix.n;

	if (n == 0)
		return h->name;
	memcpy(w->path, h->prefix.p, n);
	w->path[n++] = '/';
	memcpy(w->path + n, h->name.p, h->name.n);
	return slice_of(w->path, n + h->name.n);
}

static int
long_name_apply(struct tar_walk *w, struct tar_entry *entry, struct err *err)
{
	struct slice name = w->extension_text;

	if (name.p[name.n - 1] == '\0')
		name.n--;
	if (memchr(name.p, '\0', name.n) != NULL)
		return tar_path_refuse(name, "it has a NUL byte", err);
	entry->path = name;
	return 0;
}

static int
pax_apply(struct tar_walk *w, struct tar_entry *entry, struct err *err)
{
	struct tar_pax pax;

	if (tar_pax_parse(w->extension_text, &pax, err) == -1)
		return -1;
	/* readers that know PAX would go on elsewhere than those that do not */
	if (pax.has_size && pax.size != entry->size)
		return err_set(err, 400, "uploaded tarball is malformed: PAX size %" PRIu64
		    ", but size %" PRIu64 " in the header at byte %" PRIu64,
		    pax.size, entry->size, header_offset(w));
	if (pax.has_path)
		entry->path = pax.path;
	return 0;
}

static int
type_check(unsigned char type, const struct tar_entry *entry, struct err *err)
{
	const char *name = tar_header_type_name(type);
	char other[sizeof("Other(255)")];

	if (type == TAR_FILE || (type == TAR_DIRECTORY && entry->size == 0))
		return 0;
	if (type == TAR_DIRECTORY)
		name = "Directory with data";
	if (name == NULL) {
		snprintf(other, sizeof(other), "Other(%u)", (unsigned)type);
		name = other;
	}
	return err_set(err, 400, "unexpected tar entry type %s found: %.*s", name,
	    tar_path_shown(entry->path), entry->path.p);
}

/* What comes after a file's or directory's header, or after its data. */
static int
data_advance(struct tar_walk *w, struct err *err)
{
	if (w->left > 0) {
		w->state = DATA;
		return 0;
	}
	if (w->padding > 0) {
		w->state = PADDING;
		return 0;
	}
	entry_forget(w);
	return w->handler->done(w->arg, err);
}

static int
entry_begin(struct tar_walk *w, const struct tar_header *h, struct err *err)
{
	struct tar_entry entry = {
		.path = header_path(w, h),
		.directory = h->type == TAR_DIRECTORY,
		.size = h->size,
		.mode = h->mode,
		.headers = slice_of((const char *)w->blocks, w->n),
	};

	if (++w->entries > w->limits.max_entries)
		return err_set(err, 400, "uploaded tarball contains more than %" PRIu64
		    " entries; an administrator can raise max_entries for the project",
		    w->limits.max_entries);
	if (w->extension == TAR_PAX && pax_apply(w, &entry, err) == -1)
		return -1;
	if (w->extension == TAR_LONG_NAME && long_name_apply(w, &entry, err) == -1)
		return -1;
	if (type_check(h->type, &entry, err) == -1)
		return -1;
	/* offset is below the limit here: refuse a bomb before it goes off */
	if (entry.size >= w->limits.max_bytes - w->offset)
		return err_set(err, 400, MALFORMED_SIZE, w->limits.max_bytes);
	if (w->handler->entry(w->arg, &entry, err) == -1)
		return -1;
	w->left = entry.size;
	w->padding = padding_after(entry.size);
	return data_advance(w, err);
}

static int
header_step(struct tar_walk *w, struct slice *in, struct err *err)
{
	const unsigned char *block = w->blocks + w->header;
	struct tar_header h;

	(void)input_keep(w, in, w->header + TAR_BLOCK - w->n);
	if (w->n < w->header + TAR_BLOCK)
		return 0;
	if (all_zero(block, TAR_BLOCK)) {
		if (w->extension != 0)
			return err_set(err, 400, MALFORMED ": an extension header at the end");
		w->trailer = TAR_BLOCK;
		w->state = TRAILER;
		return 0;
	}
	if (tar_header_parse(block, header_offset(w), &h, err) == -1)
		return -1;
	if (h.type == TAR_LONG_NAME || h.type == TAR_PAX)
		return extension_begin(w, &h, err);
	return entry_begin(w, &h, err);
}

static int
extension_step(struct tar_walk *w, struct slice *in, struct err *err)
{
	if (w->left > 0) {
		w->left -= input_keep(w, in, w->left).n;
	} else {
		struct slice zeros = input_keep(w, in, w->padding);

		if (!all_zero(zeros.p, zeros.n))
			return err_set(err, 400, MALFORMED ": padding that is not zero");
		w->padding -= zeros.n;
	}
	if (w->left == 0 && w->padding == 0) {
		w->header = w->n;
		w->state = HEADER;
	}
	return 0;
}

static int
data_step(struct tar_walk *w, struct slice *in, struct err *err)
{
	struct slice data = input_cut(w, in, w->left);

	w->left -= data.n;
	if (w->handler->data(w->arg, data, err) == -1)
		return -1;
	return w->left == 0 ? data_advance(w, err) : 0;
}

static int
padding_step(struct tar_walk *w, struct slice *in, struct err *err)
{
	struct slice zeros = input_cut(w, in, w->padding);

	if (!all_zero(zeros.p, zeros.n))
		return err_set(err, 400, MALFORMED ": padding that is not zero");
	w->padding -= zeros.n;
	return w->padding == 0 ? data_advance(w, err) : 0;
}

static int
trailer_step(struct tar_walk *w, struct slice *in, struct err *err)
{
	struct slice zeros = input_cut(w, in, UINT64_MAX);

	if (!all_zero(zeros.p, zeros.n))
		return err_set(err, 400, MALFORMED ": bytes after the end of the archive");
	w->trailer += zeros.n;
	if (w->trailer > TRAILER_MAX)
		return err_set(err, 400, MALFORMED ": too many zeros after the end");
	return 0;
}

int
tar_walk_push(struct tar_walk *w, struct slice in, struct err *err)
{
	static int (*const steps[STATES])(struct tar_walk *, struct slice *, struct err *) = {
		[HEADER] = header_step,
		[EXTENSION] = extension_step,
		[DATA] = data_step,
		[PADDING] = padding_step,
		[TRAILER] = trailer_step,
	};

	if (in.n >= w->limits.max_bytes - w->offset)
		return err_set(err, 400, MALFORMED_SIZE, w->limits.max_bytes);
	while (in.n > 0) {
		if (steps[w->state](w, &in, err) == -1)
			return -1;
	}
	return 0;
}

int
tar_walk_end(const struct tar_walk *w, struct err *err)
{
	if (w->state != TRAILER || w->trailer < TRAILER_MIN)
		return err_set(err, 400, MALFORMED ": the archive ends too early, at byte %" PRIu64,
		    w->offset);
	if (w->trailer % TAR_BLOCK != 0)
		return err_set(err, 400, MALFORMED ": the archive does not end with a whole block");
	return 0;
}
