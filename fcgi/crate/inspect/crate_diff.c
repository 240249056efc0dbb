#include "crate/inspect/crate_diff.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/sha256.h"
#include "base/utf8.h"
#include "crate/archive/gzip_stream.h"
#include "crate/archive/tar_path.h"
#include "crate/archive/tar_walk.h"
#include "crate/inspect/diff_hunks.h"
#include "crate/inspect/diff_text.h"

enum { ANSWER_MAX = 4 << 20, LINES_MAX = 2 * DIFF_HUNKS_BYTES_MAX };

struct file {
	struct file *next;
	const char *path;
	uint64_t size;
	char *text; /* NULL: it was not kept */
	unsigned char digest[SHA256_SIZE]; /* of a file without its text */
	bool met; /* the new crate has the path */
};

/* One of the two crates, and the file that is being read. */
struct reader {
	struct crate_diff *diff;
	enum crate_diff_side side;
	struct slice folder;
	struct gzip_stream *gzip;
	struct tar_walk *tar;
	size_t nfiles;
	struct file *file; /* NULL: none that counts */
	size_t have; /* bytes of its text */
	struct sha256 digest; /* of a file whose text is not kept */
};

struct crate_diff {
	struct arena *arena;
	struct err broken; /* status 0 unless crate_diff_new() failed */
	struct reader readers[2];
	struct file *files; /* of the old crate, the last one first */
	struct by_path { /* the same by path */
		const char *path;
		struct file *file;
	} *sorted;
	size_t nsorted;
	struct file current; /* of the new crate */
	char *text; /* room for it */
	size_t kept; /* bytes of the old texts */
	size_t listed, names, unlisted; /* files that differ, and bytes of their paths */
	struct diff_hunks hunks;
	struct buf out;
};

/* The room for the text of a file; NULL: it is not kept. */
static char *
room_for(struct reader *r, uint64_t size)
{
	struct crate_diff *d = r->diff;

	if (size > CRATE_DIFF_TEXT_MAX)
		return NULL;
	if (r->side == CRATE_DIFF_NEW)
		return d->text;
	if (size > CRATE_DIFF_KEPT_MAX - d->kept)
		return NULL;
	d->kept += (size_t)size;
	return arena_alloc(d->arena, (size_t)size + 1);
}

static int
entry_found(void *arg, const struct tar_entry *entry, struct err *err)
{
	struct reader *r = arg;
	struct slice path = tar_path_below(entry->path, r->folder);
	struct file *f = &r->diff->current;

	r->file = NULL;
	if (tar_path_check(entry->path, entry->directory, err) == -1)
		return -1;
	if (entry->directory || path.n == 0)
		return 0;
	if (++r->nfiles > CRATE_DIFF_FILES_MAX)
		return err_set(err, 413, "the crates have too many files to be compared");
	if (r->side == CRATE_DIFF_OLD)
		f = arena_alloc(r->diff->arena, sizeof(*f));
	*f = (struct file) { .path = arena_slicedup(r->diff->arena, path), .size = entry->size };
	f->text = room_for(r, entry->size);
	r->file = f;
	r->have = 0;
	return f->text == NULL && !sha256_begin(&r->digest) ? err_internal(err, 500, "OpenSSL fails") : 0;
}

static int
data_found(void *arg, struct slice data, struct err *err)
{
	struct reader *r = arg;

	(void)err;
	if (r->file == NULL)
		return 0;
	if (r->file->text == NULL)
		return sha256_add(&r->digest, data.p, data.n) ? 0 : err_internal(err, 500, "OpenSSL fails");
	memcpy(r->file->text + r->have, data.p, data.n);
	r->have += data.n;
	return 0;
}

static int
compare_paths(const void *left, const void *right)
{
	const struct by_path *a = left, *b = right;

	return strcmp(a->path, b->path);
}

static struct file *
find_old(const struct crate_diff *d, const struct file *f)
{
	const struct by_path key = { .path = f->path };
	const struct by_path *found = d->nsorted == 0 ? NULL
	    : bsearch(&key, d->sorted, d->nsorted, sizeof(*d->sorted), compare_paths);

	return found != NULL ? found->file : NULL;
}

static bool
is_same(const struct file *a, const struct file *b)
{
	if (a->size != b->size)
		return false;
	if (a->text != NULL && b->text != NULL)
		return memcmp(a->text, b->text, (size_t)a->size) == 0;
	return a->text == NULL && b->text == NULL && memcmp(a->digest, b->digest, SHA256_SIZE) == 0;
}

/* The text of a file; a missing file counts as empty. */
static struct slice
text_of(const struct file *f)
{
	return f != NULL ? slice_of(f->text, (size_t)f->size) : slice_str("");
}

static bool
is_text(struct slice s)
{
	return memchr(s.p, '\0', s.n) == NULL && utf8_valid(s);
}

/* Writes the lines of one file that differ.  Returns DIFF_SHOWN, or why it writes none. */
static enum diff_why
put_lines(struct crate_diff *d, const struct file *old, const struct file *new, struct buf *out)
{
	if ((old != NULL && old->text == NULL) || (new != NULL && new->text == NULL))
		return DIFF_TOO_LARGE;
	if (!is_text(text_of(old)) || !is_text(text_of(new)))
		return DIFF_BINARY;
	return diff_hunks_put(&d->hunks, text_of(old), text_of(new), out) ? DIFF_SHOWN : DIFF_TOO_LONG;
}

static uint64_t
size_of(const struct file *f)
{
	return f != NULL ? f->size : 0;
}

/* Writes a file that only one of the crates has, or that differs. */
static void
put_file(struct crate_diff *d, const char *path, const struct file *old, const struct file *new)
{
	enum diff_change change = old == NULL ? DIFF_ADDED : new == NULL ? DIFF_REMOVED : DIFF_CHANGED;
	struct arena *a;
	struct buf lines;
	enum diff_why why;

	d->names += strlen(path);
	if (d->names > CRATE_DIFF_NAMES_MAX || d->listed == CRATE_DIFF_LISTED_MAX) {
		d->unlisted++;
		return;
	}
	d->listed++;
	a = arena_new();
	buf_init(&lines, a, LINES_MAX);
	why = put_lines(d, old, new, &lines);
	buf_printf(&d->out, "F %c %c %" PRIu64 " %" PRIu64 " %s\n", (char)change, (char)why, size_of(old),
	    size_of(new), path);
	buf_put_slice(&d->out, buf_slice(&lines));
	arena_free(a);
}

static int
entry_done(void *arg, struct err *err)
{
	struct reader *r = arg;
	struct crate_diff *d = r->diff;
	struct file *f = r->file, *old;

	if (f == NULL)
		return 0;
	r->file = NULL;
	if (f->text == NULL && !sha256_end(&r->digest, f->digest))
		return err_internal(err, 500, "OpenSSL fails");
	if (r->side == CRATE_DIFF_OLD) {
		f->next = d->files;
		d->files = f;
		return 0;
	}
	old = find_old(d, f);
	if (old != NULL && old->text == NULL && f->text != NULL &&
	    !sha256_digest(f->text, (size_t)f->size, f->digest))
		return err_internal(err, 500, "OpenSSL fails");
	if (old != NULL && old->text == NULL)
		f->text = NULL;
	if (old == NULL || !is_same(old, f))
		put_file(d, f->path, old, f);
	if (old != NULL)
		old->met = true;
	return 0;
}

static int
gzip_found(void *arg, struct slice data, struct err *err)
{
	struct reader *r = arg;

	return tar_walk_push(r->tar, data, err);
}

static void
reader_init(struct crate_diff *d, enum crate_diff_side side, const struct inspect_limits *limits,
    const char *folder)
{
	static const struct tar_handler handler = { entry_found, data_found, entry_done };
	const struct tar_limits tar = { limits->max_entries, limits->max_unpacked };
	struct reader *r = &d->readers[side];

	r->diff = d;
	r->side = side;
	r->folder = slice_str(folder);
	r->tar = tar_walk_new(d->arena, &tar, &handler, r);
	r->gzip = gzip_stream_new(d->arena, limits->max_unpacked, gzip_found, r, &d->broken);
}

static void
drop_digests(void *arg)
{
	struct crate_diff *d = arg;

	sha256_drop(&d->readers[CRATE_DIFF_OLD].digest);
	sha256_drop(&d->readers[CRATE_DIFF_NEW].digest);
}

struct crate_diff *
crate_diff_new(struct arena *arena, const struct job *job)
{
	struct crate_diff *d = arena_alloc(arena, sizeof(*d));

	d->arena = arena;
	d->text = arena_alloc(arena, CRATE_DIFF_TEXT_MAX + 1);
	d->hunks = diff_hunks_all();
	buf_init(&d->out, arena, ANSWER_MAX);
	reader_init(d, CRATE_DIFF_OLD, &job->limits, job->limits.folder);
	reader_init(d, CRATE_DIFF_NEW, &job->limits, job->path);
	arena_defer(arena, drop_digests, d);
	/* the first digest of a process opens files */
	if (d->broken.status == 0 && !sha256_digest("", 0, d->current.digest))
		(void)err_internal(&d->broken, 500, "OpenSSL does not start");
	return d;
}

int
crate_diff_push(struct crate_diff *d, enum crate_diff_side side, struct slice bytes, struct err *err)
{
	if (d->broken.status == 0)
		return gzip_stream_push(d->readers[side].gzip, bytes, err);
	*err = d->broken;
	return -1;
}

/* The old files by path, each once; some crates have a file twice (crate/archive/file_twice.h). */
static void
sort_old(struct crate_diff *d)
{
	size_t n = 0;

	d->sorted = arena_calloc(d->arena, d->readers[CRATE_DIFF_OLD].nfiles, sizeof(*d->sorted));
	for (struct file *f = d->files; f != NULL; f = f->next)
		d->sorted[n++] = (struct by_path) { f->path, f };
	if (n > 1)
		qsort(d->sorted, n, sizeof(*d->sorted), compare_paths);
	for (size_t i = 0; i < n; i++) {
		if (d->nsorted == 0 || compare_paths(&d->sorted[d->nsorted - 1], &d->sorted[i]) != 0)
			d->sorted[d->nsorted++] = d->sorted[i];
	}
}

int
crate_diff_end(struct crate_diff *d, enum crate_diff_side side, struct err *err)
{
	struct reader *r = &d->readers[side];

	if (d->broken.status != 0) {
		*err = d->broken;
		return -1;
	}
	if (gzip_stream_end(r->gzip, err) == -1 || tar_walk_end(r->tar, err) == -1)
		return -1;
	if (side == CRATE_DIFF_OLD)
		sort_old(d);
	return 0;
}

struct slice
crate_diff_answer(struct crate_diff *d)
{
	for (size_t i = 0; i < d->nsorted; i++) {
		if (!d->sorted[i].file->met)
			put_file(d, d->sorted[i].path, d->sorted[i].file, NULL);
	}
	buf_printf(&d->out, "E %zu\n", d->unlisted);
	return buf_slice(&d->out);
}
