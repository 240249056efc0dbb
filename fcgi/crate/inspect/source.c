#include "crate/inspect/source.h"

#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/excerpt.h"
#include "crate/archive/gzip_stream.h"
#include "crate/archive/tar_path.h"
#include "crate/archive/tar_walk.h"

struct source {
	struct arena *arena;
	struct gzip_stream *gzip;
	struct tar_walk *tar;
	struct err broken; /* status 0 unless source_new() failed: then told by the first call */
	struct slice folder;
	const char *path; /* of the file that is to be read; NULL: all are listed */
	struct buf out;
	bool reading; /* the current entry is the file */
	bool found; /* it was read to its end */
};

static int
entry_found(void *arg, const struct tar_entry *entry, struct err *err)
{
	struct source *s = arg;
	struct slice path = tar_path_below(entry->path, s->folder);

	if (tar_path_check(entry->path, entry->directory, err) == -1)
		return -1;
	if (entry->directory || path.n == 0)
		return 0;
	if (s->path == NULL) {
		buf_printf(&s->out, "%" PRIu64 " %.*s\n", entry->size, (int)path.n, path.p);
		return !buf_full(&s->out) ? 0 :
		    err_set(err, 413, "the crate has too many files to be listed");
	}
	s->reading = !s->found && slice_is(path, s->path);
	if (s->reading && entry->size > SOURCE_FILE_MAX)
		return err_set(err, 413, "`%.*s` has %" PRIu64 " bytes, and files of up to %d are shown",
		    excerpt(path), path.p, entry->size, SOURCE_FILE_MAX);
	if (s->reading)
		buf_expect(&s->out, (size_t)entry->size);
	return 0;
}

static int
data_found(void *arg, struct slice data, struct err *err)
{
	struct source *s = arg;

	(void)err;
	if (s->reading)
		buf_put(&s->out, data.p, data.n);
	return 0;
}

static int
entry_done(void *arg, struct err *err)
{
	struct source *s = arg;

	(void)err;
	s->found = s->found || s->reading;
	s->reading = false;
	return 0;
}

static int
gzip_found(void *arg, struct slice data, struct err *err)
{
	struct source *s = arg;

	return tar_walk_push(s->tar, data, err);
}

struct source *
source_new(struct arena *arena, const struct job *job)
{
	static const struct tar_handler handler = { entry_found, data_found, entry_done };
	const struct tar_limits limits = { job->limits.max_entries, job->limits.max_unpacked };
	struct source *s = arena_alloc(arena, sizeof(*s));

	s->arena = arena;
	s->folder = slice_str(job->limits.folder);
	s->path = job->kind == JOB_READ ? job->path : NULL;
	buf_init(&s->out, arena, job->kind == JOB_READ ? SOURCE_FILE_MAX : SOURCE_LIST_MAX);
	s->tar = tar_walk_new(arena, &limits, &handler, s);
	s->gzip = gzip_stream_new(arena, limits.max_bytes, gzip_found, s, &s->broken);
	return s;
}

int
source_push(struct source *s, struct slice bytes, struct err *err)
{
	if (s->broken.status == 0)
		return gzip_stream_push(s->gzip, bytes, err);
	*err = s->broken;
	return -1;
}

bool
source_done(const struct source *s)
{
	return s->found;
}

int
source_end(struct source *s, struct slice *out, struct err *err)
{
	if (s->broken.status != 0) {
		*err = s->broken;
		return -1;
	}
	if (!s->found && (gzip_stream_end(s->gzip, err) == -1 || tar_walk_end(s->tar, err) == -1))
		return -1;
	if (s->path != NULL && !s->found)
		return err_set(err, 404, "the crate has no file `%.*s`", excerpt(slice_str(s->path)), s->path);
	*out = buf_slice(&s->out);
	return 0;
}
