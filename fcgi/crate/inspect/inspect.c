#include "crate/inspect/inspect.h"

#include <locale.h>
#include <strings.h>

#include "base/excerpt.h"
#include "base/utf8.h"
#include "crate/archive/file_twice.h"
#include "crate/archive/gzip_stream.h"
#include "crate/archive/path_set.h"
#include "crate/archive/tar_crosscheck.h"
#include "crate/archive/tar_path.h"
#include "crate/archive/tar_walk.h"
#include "crate/manifest/manifest.h"
#include "crate/manifest/targets.h"

/* Readme texts that are kept, altogether and in number, until the manifest names one. */
enum { README_MAX = 1 << 20, README_CANDIDATES = 8 };

/* Bits that give a file its owner's rights; a client's umask does not take them away. */
enum { MODE_SPECIAL = 07000 };

/* A file whose content is kept. */
struct kept {
	struct slice path; /* below the folder */
	char *p;
	size_t n, size;
};

struct inspect {
	struct arena *arena; /* its own: inspect_repeats() empties it */
	struct gzip_stream *gzip;
	struct tar_walk *tar;
	struct tar_crosscheck *second;
	struct path_set *paths;
	struct file_twice *files;
	struct inspect_limits limits;
	enum { TWICE_HASHED, TWICE_UNEXPECTED, TWICE_MET } twice; /* what it does where a path comes twice */
	bool is_file; /* the current entry */
	bool targets[TARGET__MAX]; /* files that make one */
	struct err broken; /* status 0 unless inspect_prepare() failed: then told by the first call */
	struct slice folder; /* that everything is in; p NULL: not known before the first entry */
	struct kept manifest; /* path.p NULL: there was none yet */
	struct package package; /* good once the manifest was read */
	struct kept readmes[README_CANDIDATES];
	size_t nreadmes, readme_bytes;
	struct kept *current; /* takes the data of the current entry; NULL: nobody does */
};

static bool
equals_folded(struct slice s, const char *str)
{
	return s.n == strlen(str) && strncasecmp(s.p, str, s.n) == 0;
}

/* What is before the first slash. */
static struct slice
first_name(struct slice path)
{
	const char *slash = path.n > 0 ? memchr(path.p, '/', path.n) : NULL;

	return slice_of(path.p, slash == NULL ? path.n : (size_t)(slash - path.p));
}

static bool
equals(struct slice a, struct slice b)
{
	return a.n == b.n && memcmp(a.p, b.p, a.n) == 0;
}

static void
keep_begin(struct inspect *in, struct kept *kept, struct slice path, uint64_t size)
{
	kept->path = slice_of(arena_slicedup(in->arena, path), path.n);
	kept->size = (size_t)size;
	kept->n = 0;
	kept->p = arena_alloc(in->arena, kept->size + 1);
	in->current = kept;
}

/* The path below the folder in *rest; the folder itself leaves it empty. */
static int
folder_check(struct inspect *in, const struct tar_entry *entry, struct slice path,
    struct slice *rest, struct err *err)
{
	const char *slash = memchr(path.p, '/', path.n);
	struct slice folder = slice_of(path.p, slash == NULL ? path.n : (size_t)(slash - path.p));

	if (in->folder.p == NULL)
		in->folder = slice_of(arena_slicedup(in->arena, folder), folder.n);
	if (!equals(folder, in->folder))
		return tar_path_refuse(path, "it is not in the crate's folder", err);
	if (slash == NULL && !entry->directory)
		return tar_path_refuse(path, "it is in no folder", err);
	*rest = slash == NULL ? slice_of("", 0) : slice_of(slash + 1, path.n - folder.n - 1);
	return 0;
}

static int
manifest_begin(struct inspect *in, struct slice name, uint64_t size, struct err *err)
{
	/* the same name again: whether the bytes are the same is seen at their end */
	if (in->manifest.path.p != NULL && equals(in->manifest.path, name))
		return 0;
	if (in->manifest.path.p != NULL)
		return err_set(err, 400, "uploaded tarball contains more than one `Cargo.toml` "
		    "manifest file; found `%.*s`, `%.*s`", (int)in->manifest.path.n,
		    in->manifest.path.p, (int)name.n, name.p);
	/* all lower case was allowed once, and such crates are still around */
	if (!slice_is(name, "Cargo.toml") && !slice_is(name, "cargo.toml"))
		return err_set(err, 400, "uploaded tarball is missing a `Cargo.toml` manifest "
		    "file; `%.*s` was found, but must be named `Cargo.toml` with that exact casing",
		    (int)name.n, name.p);
	if (size > MANIFEST_MAX)
		return err_set(err, 400, "failed to parse `Cargo.toml` manifest file: "
		    "it is larger than %d bytes", MANIFEST_MAX);
	keep_begin(in, &in->manifest, name, size);
	return 0;
}

/* Is this file the readme, or might it become so? */
static bool
readme_expected(const struct inspect *in, struct slice path)
{
	const char *expected = in->package.readme_file;

	if (in->package.name == NULL)
		return path.n >= 6 && strncasecmp(path.p, "readme", 6) == 0 &&
		    memchr(path.p, '/', path.n) == NULL;
	if (expected != NULL && strncmp(expected, "./", 2) == 0)
		expected += 2;
	return expected != NULL && slice_is(path, expected);
}

/* A readme that there is no room for is none: that is no reason to refuse a crate. */
static void
readme_begin(struct inspect *in, struct slice path, uint64_t size)
{
	if (!readme_expected(in, path) || in->nreadmes == README_CANDIDATES ||
	    size > README_MAX - in->readme_bytes)
		return;
	in->readme_bytes += (size_t)size;
	keep_begin(in, &in->readmes[in->nreadmes++], path, size);
}

static int
file_begin(struct inspect *in, struct slice path, bool again, struct err *err)
{
	if (in->twice == TWICE_HASHED)
		return file_twice_begin(in->files, path, again, err);
	if (!again)
		return 0;
	in->twice = TWICE_MET;
	return err_internal(err, 500, "a fault of Berth: two entries of the crate have the same path, and Berth "
	    "did not read the crate a second time to compare them; please report this");
}

static int
entry_found(void *arg, const struct tar_entry *entry, struct err *err)
{
	struct inspect *in = arg;
	struct slice path = entry->path, rest = path;
	bool again = false;

	in->is_file = !entry->directory;
	if (tar_path_check(path, entry->directory, err) == -1)
		return -1;
	if (entry->directory && path.p[path.n - 1] == '/')
		path.n--;
	if (folder_check(in, entry, path, &rest, err) == -1)
		return -1;
	/* cargo's own mark that a crate was unpacked whole: a folder would be in its way too */
	if (equals_folded(first_name(rest), ".cargo-ok"))
		return tar_path_refuse(path, "cargo reserves this name", err);
	/*
	 * Write rights for group and others do pass: old cargos packed the
	 * modes of the disk, and unpacking takes them away (umask).
	 */
	if ((entry->mode & MODE_SPECIAL) != 0)
		return tar_path_refuse(path, "its mode has a set-id or sticky bit", err);
	/* before the set of paths, which would only see two equal names */
	if (!entry->directory && equals_folded(rest, "Cargo.toml") &&
	    manifest_begin(in, rest, entry->size, err) == -1)
		return -1;
	if (path_set_add(in->paths, path, entry->directory, &again, err) == -1 ||
	    (in->is_file && file_begin(in, path, again, err) == -1))
		return -1;
	if (in->is_file)
		targets_note(in->targets, rest);
	if (in->is_file && !again && in->current == NULL)
		readme_begin(in, rest, entry->size);
	return tar_crosscheck_entry(in->second, entry, err);
}

static int
data_found(void *arg, struct slice data, struct err *err)
{
	struct inspect *in = arg;
	struct kept *kept = in->current;

	(void)err;
	if (in->twice == TWICE_HASHED)
		file_twice_data(in->files, data);
	if (kept != NULL) {
		memcpy(kept->p + kept->n, data.p, data.n);
		kept->n += data.n;
	}
	return 0;
}

/* The manifest is read where it lies, so that the readme that it names is known from there on. */
static int
entry_done(void *arg, struct err *err)
{
	struct inspect *in = arg;
	struct kept *kept = in->current;

	in->current = NULL;
	if (in->is_file && in->twice == TWICE_HASHED && file_twice_end(in->files, err) == -1)
		return -1;
	if (kept != &in->manifest)
		return 0;
	return manifest_parse(in->arena, slice_of(kept->p, kept->n), &in->package, err);
}

static int
gzip_found(void *arg, struct slice data, struct err *err)
{
	struct inspect *in = arg;

	return tar_walk_push(in->tar, data, err);
}

/* One for the life of the process: to load it takes longer than a crate.  0 with errno set. */
static locale_t
locale_get(void)
{
	static locale_t locale;

	if (locale == (locale_t)0)
		locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	return locale;
}

/* Makes the readers, which serve for one crate. */
static void
readers_new(struct inspect *in)
{
	in->second = tar_crosscheck_new(in->arena, locale_get(), &in->broken);
	if (in->second != NULL)
		in->gzip = gzip_stream_new(in->arena, 0, gzip_found, in, &in->broken);
}

static void
free_arena(void *arg)
{
	arena_free(arg);
}

struct inspect *
inspect_prepare(struct arena *arena)
{
	struct inspect *in = arena_alloc(arena, sizeof(*in));

	in->arena = arena_new();
	arena_defer(arena, free_arena, in->arena);
	if (locale_get() == (locale_t)0) {
		(void)err_sys(&in->broken, "the locale C.UTF-8");
		return in;
	}
	in->files = file_twice_new(arena, &in->broken);
	if (in->files != NULL)
		readers_new(in);
	return in;
}

static void
limits_set(struct inspect *in, const struct inspect_limits *limits)
{
	static const struct tar_handler handler = { entry_found, data_found, entry_done };
	const struct tar_limits tar_limits = { limits->max_entries, limits->max_unpacked };

	in->limits = *limits;
	if (limits->folder != NULL)
		in->folder = slice_str(limits->folder);
	in->paths = path_set_new(in->arena, limits->max_entries, locale_get());
	in->tar = tar_walk_new(in->arena, &tar_limits, &handler, in);
	if (in->gzip != NULL)
		gzip_stream_limit(in->gzip, limits->max_unpacked);
}

void
inspect_begin(struct inspect *in, const struct inspect_limits *limits)
{
	limits_set(in, limits);
	if (in->gzip != NULL)
		(void)!file_twice_start(in->files, &in->broken);
}

void
inspect_expect_once(struct inspect *in)
{
	in->twice = TWICE_UNEXPECTED;
}

bool
inspect_repeats(struct inspect *in)
{
	struct inspect again = { .arena = in->arena, .files = in->files };
	const struct inspect_limits limits = in->limits;

	if (in->twice != TWICE_MET)
		return false;
	arena_reset(in->arena);
	*in = again;
	readers_new(in);
	limits_set(in, &limits);
	return true;
}

struct inspect *
inspect_new(struct arena *arena, const struct inspect_limits *limits)
{
	struct inspect *in = inspect_prepare(arena);

	inspect_begin(in, limits);
	return in;
}

static int
start_check(const struct inspect *in, struct err *err)
{
	if (in->broken.status == 0)
		return 0;
	*err = in->broken;
	return -1;
}

int
inspect_push(struct inspect *in, struct slice bytes, struct err *err)
{
	if (start_check(in, err) == -1)
		return -1;
	return gzip_stream_push(in->gzip, bytes, err);
}

/* NAME-VERSION of the manifest must be the folder, or cargo could not unpack the crate. */
static int
folder_compare(const struct inspect *in, struct err *err)
{
	const char *expected = arena_printf(in->arena, "%s-%s", in->package.name,
	    in->package.version);

	if (slice_is(in->folder, expected))
		return 0;
	return err_set(err, 400, "invalid path found: %.*s/%.*s (but the manifest is that of `%.*s`)",
	    excerpt(in->folder), in->folder.p, (int)in->manifest.path.n, in->manifest.path.p,
	    excerpt(slice_str(expected)), expected);
}

/* The text of the readme that the manifest names, if it is in the crate and is text. */
static const char *
readme_text(const struct inspect *in)
{
	for (size_t i = 0; i < in->nreadmes; i++) {
		const struct kept *r = &in->readmes[i];

		if (readme_expected(in, r->path) && memchr(r->p, '\0', r->n) == NULL &&
		    utf8_valid(slice_of(r->p, r->n)))
			return r->p;
	}
	return NULL;
}

static bool
has_file(void *arg, const char *path)
{
	const struct inspect *in = arg;
	const char *full = arena_printf(in->arena, "%.*s/%s", (int)in->folder.n, in->folder.p, path);

	return path_set_has_file(in->paths, slice_str(full));
}

int
inspect_end(struct inspect *in, struct verdict *verdict, struct err *err)
{
	if (start_check(in, err) == -1 || gzip_stream_end(in->gzip, err) == -1 ||
	    tar_walk_end(in->tar, err) == -1 || tar_crosscheck_end(in->second, err) == -1)
		return -1;
	if (in->manifest.path.p == NULL)
		return err_set(err, 400,
		    "uploaded tarball is missing a `Cargo.toml` manifest file");
	if (folder_compare(in, err) == -1 ||
	    targets_check(in->arena, &in->package, in->targets, has_file, in, err) == -1)
		return -1;
	in->package.readme = readme_text(in);
	*verdict = (struct verdict) {
		.accepted = true,
		.entries = (int64_t)tar_walk_entries(in->tar),
		.unpacked_size = (int64_t)gzip_stream_size(in->gzip),
		.package = in->package,
	};
	return 0;
}
