/*
 * Two readers, one crate.  Whatever the inspector accepts, libarchive, let loose
 * on the whole archive by itself, lists the same entries with the same bytes,
 * and the manifest that it finds is the one that was judged.  The corpus is
 * what the real `cargo package` makes.
 */

#include "crate/inspect/inspect.h"

#include <archive.h>
#include <archive_entry.h>
#include <locale.h>
#include <stdlib.h>

#include "crate/archive/tar_walk.h"
#include "crate/manifest/manifest.h"
#include "tarball.h"

enum { MAX_TAR = 4 << 20, MAX_NOTES = 16 << 20, MAX_ENTRIES = 200 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Stays on with any NDEBUG. */
static void
must(bool good)
{
	if (!good)
		abort();
}

static void
note_entry(struct buf *notes, struct slice path, bool directory, uint64_t size)
{
	buf_printf(notes, "\n%c %llu ", directory ? 'd' : 'f', (unsigned long long)size);
	buf_put_slice(notes, path);
	buf_putc(notes, '\n');
}

static int
our_entry(void *arg, const struct tar_entry *e, struct err *err)
{
	(void)err;
	note_entry(arg, e->path, e->directory, e->size);
	return 0;
}

static int
our_data(void *arg, struct slice data, struct err *err)
{
	(void)err;
	buf_put_slice(arg, data);
	return 0;
}

static int
our_done(void *arg, struct err *err)
{
	(void)arg;
	(void)err;
	return 0;
}

static void
our_list(struct arena *a, struct slice tar, struct buf *notes)
{
	static const struct tar_handler handler = { our_entry, our_data, our_done };
	static const struct tar_limits limits = { MAX_ENTRIES, MAX_TAR };
	struct tar_walk *walk = tar_walk_new(a, &limits, &handler, notes);
	struct err err = { 0 };

	must(tar_walk_push(walk, tar, &err) == 0 && tar_walk_end(walk, &err) == 0);
}

/* Is it the Cargo.toml directly below the folder? */
static bool
is_manifest(const char *path)
{
	const char *slash = strchr(path, '/');

	return slash != NULL && strcasecmp(slash + 1, "Cargo.toml") == 0;
}

static void
their_list(struct arena *a, struct slice tar, struct buf *notes, struct buf *manifest)
{
	struct archive *archive = archive_read_new();
	struct archive_entry *entry;
	char piece[4096];
	int rc;

	must(archive != NULL && archive_read_support_format_tar(archive) == ARCHIVE_OK);
	must(archive_read_open_memory(archive, tar.p, tar.n) == ARCHIVE_OK);
	while ((rc = archive_read_next_header(archive, &entry)) == ARCHIVE_OK) {
		const char *path = archive_entry_pathname(entry);
		bool directory = archive_entry_filetype(entry) == AE_IFDIR;
		size_t start;
		la_ssize_t n;

		must(path != NULL && (directory || archive_entry_filetype(entry) == AE_IFREG));
		note_entry(notes, slice_str(path), directory, (uint64_t)archive_entry_size(entry));
		start = notes->n;
		while ((n = archive_read_data(archive, piece, sizeof(piece))) > 0)
			buf_put(notes, piece, (size_t)n);
		must(n == 0);
		if (is_manifest(path))
			buf_put(manifest, notes->p + start, notes->n - start);
	}
	must(rc == ARCHIVE_EOF);
	archive_read_free(archive);
	(void)a;
}

static void
compare(struct arena *a, struct slice tar, const struct verdict *verdict)
{
	struct buf ours, theirs, manifest;
	struct package package = { 0 };
	struct err err = { 0 };

	buf_init(&ours, a, MAX_NOTES);
	buf_init(&theirs, a, MAX_NOTES);
	buf_init(&manifest, a, MANIFEST_MAX);
	our_list(a, tar, &ours);
	their_list(a, tar, &theirs, &manifest);
	must(ours.n == theirs.n && memcmp(buf_str(&ours), buf_str(&theirs), ours.n) == 0);
	must(manifest_parse(a, buf_slice(&manifest), &package, &err) == 0);
	must(strcmp(package.name, verdict->package.name) == 0);
	must(strcmp(package.version, verdict->package.version) == 0);
	must(package.ndeps == verdict->package.ndeps && package.nfeatures == verdict->package.nfeatures);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct inspect_limits limits = { .max_unpacked = MAX_TAR, .max_entries = MAX_ENTRIES };
	static locale_t utf8;
	struct arena *a = arena_new();
	struct verdict verdict = { .accepted = false };
	struct inspect *in = inspect_new(a, &limits);
	struct err err = { 0 };
	struct slice tar = tarball_sealed(a, slice_of((const char *)data, size));

	/* libarchive gives out names in the locale's encoding */
	if (utf8 == (locale_t)0)
		utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	uselocale(utf8);
	if (inspect_push(in, tarball_gzip(a, tar, 1), &err) == 0 && inspect_end(in, &verdict, &err) == 0)
		compare(a, tar, &verdict);
	arena_free(a);
	return 0;
}
