#include "store/package/fsck_source.h"

#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

#include "base/disk.h"
#include "store/backup/backup_copy.h"
#include "store/backup/backup_manifest.h"
#include "store/blob/blob.h"

static int
try_file(struct fsck *f, struct arena *a, const char *path, const char *sha256, int64_t size, bool *found,
    struct err *err)
{
	return *found ? 0 : backup_copy_add(a, f->copy, path, sha256, size, found, err);
}

/* Crates that somebody has kept have names of their own. */
static int
try_crates(struct fsck *f, struct arena *a, const char *sha256, int64_t size, bool *found, struct err *err)
{
	DIR *d = opendir(f->from);
	const char *name;
	int more = 0, rc = 0;

	if (d == NULL)
		return err_sys(err, "--from: open %s", f->from);
	while (rc == 0 && !*found && (more = disk_next_name(d, &name)) == 1) {
		size_t n = strlen(name), end = strlen(".crate");

		if (n > end && strcmp(name + n - end, ".crate") == 0)
			rc = try_file(f, a, arena_printf(a, "%s/%s", f->from, name), sha256, size, found, err);
	}
	if (more == -1)
		rc = err_sys(err, "--from: read %s", f->from);
	closedir(d);
	return rc;
}

/* Looks for the blob in a bucket, which has backups or a store. */
static int
try_bucket(struct fsck *f, struct arena *a, const char *sha256, int64_t size, bool *found, struct err *err)
{
	const struct {
		const struct blob_store *store;
		const char *key;
	} sources[] = { { f->target->blobs, blob_path(a, sha256) }, { f->target->files, blob_path(a, sha256) },
		{ f->target->files, blob_trash_path(a, sha256) } };
	int rc = 0;

	for (size_t i = 0; rc == 0 && !*found && i < sizeof(sources) / sizeof(*sources); i++)
		rc = backup_copy_add_from(a, f->copy, sources[i].store, sources[i].key, sha256, size, found, err);
	return rc;
}

int
fsck_source_bring(
    struct fsck *f, struct arena *a, const char *sha256, int64_t size, bool *found, struct err *err)
{
	const char *path = blob_path(a, sha256);
	struct stat st;

	*found = false;
	if (f->from == NULL)
		return 0;
	if (f->copy == NULL && backup_copy_to_store(f->arena, f->store, &f->copy, err) == -1)
		return -1;
	if (f->target != NULL)
		return try_bucket(f, a, sha256, size, found, err);
	if (stat(f->from, &st) == -1)
		return err_sys(err, "--from: %s", f->from);
	if (!S_ISDIR(st.st_mode))
		return try_file(f, a, f->from, sha256, size, found, err);
	if (try_file(f, a, arena_printf(a, "%s/" BACKUP_BLOBS "/%s", f->from, path), sha256, size, found,
		err) == -1 ||
	    try_file(f, a, arena_printf(a, "%s/%s", f->from, path), sha256, size, found, err) == -1 ||
	    try_file(f, a, arena_printf(a, "%s/" BLOB_TRASH "/%s", f->from, sha256), sha256, size, found,
		err) == -1 ||
	    try_file(f, a, arena_printf(a, "%s/%s", f->from, sha256), sha256, size, found, err) == -1)
		return -1;
	return *found ? 0 : try_crates(f, a, sha256, size, found, err);
}

int
fsck_source_end(struct fsck *f, struct arena *a, struct err *err)
{
	return f->copy == NULL ? 0 : backup_copy_end(a, f->copy, err);
}
