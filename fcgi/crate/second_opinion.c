#include "crate/second_opinion.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdbool.h>

#include "crate/malformed.h"
#include "crate/tar_header.h"
#include "crate/tar_path.h"

struct second_opinion {
	struct archive *archive;
	locale_t locale;
	bool opened;
	struct slice next; /* header blocks that libarchive has not fetched yet */
	uint64_t data; /* bytes, with padding, that it has to skip before those */
};

static void
opinion_free(void *arg)
{
	archive_read_free(arg);
}

/* No bytes left is the end of the file for libarchive: reading on too far shows as an error. */
static la_ssize_t
headers_read(struct archive *a, void *arg, const void **p)
{
	struct second_opinion *so = arg;
	size_t n = so->data > 0 ? 0 : so->next.n;

	(void)a;
	*p = so->next.p;
	if (n > 0)
		so->next.n = 0;
	return (la_ssize_t)n;
}

/* What is not skipped here libarchive tries to read, and finds the end of the file. */
static la_int64_t
data_skip(struct archive *a, void *arg, la_int64_t n)
{
	struct second_opinion *so = arg;

	(void)a;
	if (n < 0 || (uint64_t)n > so->data)
		return 0;
	so->data -= (uint64_t)n;
	return n;
}

struct second_opinion *
second_opinion_new(struct arena *arena, locale_t locale, struct err *err)
{
	struct second_opinion *so = arena_alloc(arena, sizeof(*so));

	so->locale = locale;
	so->archive = archive_read_new();
	if (so->archive == NULL || archive_read_support_format_tar(so->archive) != ARCHIVE_OK) {
		archive_read_free(so->archive);
		(void)err_internal(err, 500, "libarchive does not start");
		return NULL;
	}
	arena_defer(arena, opinion_free, so->archive);
	return so;
}

/* Hands over blocks and has them read. */
static int
header_read(struct second_opinion *so, struct slice blocks, struct archive_entry **entry)
{
	so->next = blocks;
	if (!so->opened) {
		so->opened = true;
		if (archive_read_open2(so->archive, so, NULL, headers_read, data_skip, NULL) !=
		    ARCHIVE_OK)
			return ARCHIVE_FATAL;
	}
	return archive_read_next_header(so->archive, entry);
}

/* NULL, or what the two readers do not agree on. */
static const char *
entry_difference(struct second_opinion *so, const struct tar_entry *ours)
{
	struct archive_entry *theirs = NULL;
	const char *path;

	if (header_read(so, ours->headers, &theirs) != ARCHIVE_OK)
		return "whether it is sound";
	if (so->next.n > 0 || so->data > 0)
		return "where it begins";
	path = archive_entry_pathname(theirs);
	if (path == NULL || !slice_is(ours->path, path))
		return "its name";
	if (archive_entry_filetype(theirs) != (ours->directory ? AE_IFDIR : AE_IFREG) ||
	    archive_entry_hardlink(theirs) != NULL || archive_entry_symlink(theirs) != NULL)
		return "its type";
	if (!archive_entry_size_is_set(theirs) || archive_entry_size(theirs) < 0 ||
	    (uint64_t)archive_entry_size(theirs) != ours->size)
		return "its size";
	return NULL;
}

int
second_opinion_entry(struct second_opinion *so, const struct tar_entry *ours, struct err *err)
{
	/* libarchive converts names by it: in "C" it shows none that goes beyond ASCII */
	locale_t before = uselocale(so->locale);
	const char *difference = entry_difference(so, ours);

	(void)uselocale(before);
	if (difference != NULL)
		return err_set(err, 400, MALFORMED ": tar readers do not agree on the entry %.*s: %s",
		    tar_path_shown(ours->path), ours->path.p, difference);
	so->data = ours->size + (TAR_BLOCK - ours->size % TAR_BLOCK) % TAR_BLOCK;
	return 0;
}

int
second_opinion_end(struct second_opinion *so, struct err *err)
{
	static const char zeros[2 * TAR_BLOCK];
	struct archive_entry *theirs = NULL;

	if (header_read(so, slice_of(zeros, sizeof(zeros)), &theirs) != ARCHIVE_EOF ||
	    so->data > 0)
		return err_set(err, 400, MALFORMED ": tar readers do not agree on the end");
	return 0;
}
