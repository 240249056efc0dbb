#include "crate/archive/tar_crosscheck.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdbool.h>

#include "crate/archive/malformed.h"
#include "crate/archive/tar_header.h"
#include "crate/archive/tar_path.h"

struct tar_crosscheck {
	struct archive *archive;
	locale_t locale;
	bool opened;
	struct slice next; /* header blocks that libarchive has not fetched yet */
	uint64_t data; /* bytes, with padding, that it has to skip before those */
};

static void
free_archive(void *arg)
{
	archive_read_free(arg);
}

/* No bytes left is the end of the file for libarchive: reading on too far shows as an error. */
static la_ssize_t
headers_read(struct archive *a, void *arg, const void **p)
{
	struct tar_crosscheck *check = arg;
	size_t n = check->data > 0 ? 0 : check->next.n;

	(void)a;
	*p = check->next.p;
	if (n > 0)
		check->next.n = 0;
	return (la_ssize_t)n;
}

/* What is not skipped here libarchive tries to read, and finds the end of the file. */
static la_int64_t
data_skip(struct archive *a, void *arg, la_int64_t n)
{
	struct tar_crosscheck *check = arg;

	(void)a;
	if (n < 0 || (uint64_t)n > check->data)
		return 0;
	check->data -= (uint64_t)n;
	return n;
}

struct tar_crosscheck *
tar_crosscheck_new(struct arena *arena, locale_t locale, struct err *err)
{
	struct tar_crosscheck *check = arena_alloc(arena, sizeof(*check));

	check->locale = locale;
	check->archive = archive_read_new();
	if (check->archive == NULL || archive_read_support_format_tar(check->archive) != ARCHIVE_OK) {
		archive_read_free(check->archive);
		(void)err_internal(err, 500, "libarchive does not start");
		return NULL;
	}
	arena_defer(arena, free_archive, check->archive);
	return check;
}

/* Hands over blocks and has them read. */
static int
header_read(struct tar_crosscheck *check, struct slice blocks, struct archive_entry **entry)
{
	check->next = blocks;
	if (!check->opened) {
		check->opened = true;
		if (archive_read_open2(check->archive, check, NULL, headers_read, data_skip, NULL) !=
		    ARCHIVE_OK)
			return ARCHIVE_FATAL;
	}
	return archive_read_next_header(check->archive, entry);
}

/* Where the two readers differ; NULL: nowhere. */
static const char *
entry_difference(struct tar_crosscheck *check, const struct tar_entry *ours)
{
	struct archive_entry *theirs = NULL;
	const char *path;

	if (header_read(check, ours->headers, &theirs) != ARCHIVE_OK)
		return "libarchive cannot read its header";
	if (check->next.n > 0 || check->data > 0)
		return "it begins in two places";
	path = archive_entry_pathname(theirs);
	if (path == NULL || !slice_is(ours->path, path))
		return "it has two names";
	if (archive_entry_filetype(theirs) != (ours->directory ? AE_IFDIR : AE_IFREG) ||
	    archive_entry_hardlink(theirs) != NULL || archive_entry_symlink(theirs) != NULL)
		return "it has two types";
	if (!archive_entry_size_is_set(theirs) || archive_entry_size(theirs) < 0 ||
	    (uint64_t)archive_entry_size(theirs) != ours->size)
		return "it has two sizes";
	return NULL;
}

int
tar_crosscheck_entry(struct tar_crosscheck *check, const struct tar_entry *ours, struct err *err)
{
	/* libarchive converts names by it: in "C" it shows none that goes beyond ASCII */
	locale_t before = uselocale(check->locale);
	const char *difference = entry_difference(check, ours);

	(void)uselocale(before);
	if (difference != NULL)
		return err_set(err, 400, MALFORMED ": tar readers do not agree on the entry %.*s: %s",
		    tar_path_shown(ours->path), ours->path.p, difference);
	check->data = ours->size + (TAR_BLOCK - ours->size % TAR_BLOCK) % TAR_BLOCK;
	return 0;
}

int
tar_crosscheck_end(struct tar_crosscheck *check, struct err *err)
{
	static const char zeros[2 * TAR_BLOCK];
	struct archive_entry *theirs = NULL;

	if (header_read(check, slice_of(zeros, sizeof(zeros)), &theirs) != ARCHIVE_EOF ||
	    check->data > 0)
		return err_set(err, 400, MALFORMED ": tar readers do not agree on the end");
	return 0;
}
