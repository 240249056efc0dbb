#include "store/blob/blob_trash.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/hex.h"
#include "base/sha256.h"
#include "store/blob/blob.h"
#include "store/blob/blob_dir.h"
#include "store/blob/blob_names.h"

static const char *
path_of(struct arena *a, const char *store, const char *sha256)
{
	return arena_printf(a, "%s/%s", store, blob_path(a, sha256));
}

static const char *
trash_of(struct arena *a, const char *store, const char *sha256)
{
	return arena_printf(a, "%s/" BLOB_TRASH "/%s", store, sha256);
}

int
blob_trash_put(struct arena *a, const char *store, const char *sha256, struct err *err)
{
	const char *path = path_of(a, store, sha256), *trash = trash_of(a, store, sha256);
	struct stat st;

	if (lstat(path, &st) == -1)
		return errno == ENOENT ? 0 : err_disk(err, "blob store: stat %s", path);
	if (!S_ISREG(st.st_mode))
		return err_internal(err, 500, "blob store: %s is not a regular file", path);
	/* set the time first: in the trash it says when the file came there */
	if (FAULT_FAILS("collect", "trash") || utimensat(AT_FDCWD, path, NULL, AT_SYMLINK_NOFOLLOW) == -1 ||
	    rename(path, trash) == -1)
		return err_disk(err, "blob store: rename %s to " BLOB_TRASH, path);
	FAULT_POINT("collect", "trashed");
	return 0;
}

bool
blob_trash_has(struct arena *a, const char *store, const char *sha256)
{
	struct stat st;

	return lstat(trash_of(a, store, sha256), &st) == 0 && S_ISREG(st.st_mode);
}

static int
sync_dir(const char *path, struct err *err)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = fd == -1 || fsync(fd) == -1 ? err_disk(err, "blob store: fsync %s", path) : 0;

	if (fd != -1)
		close(fd);
	return rc;
}

/* The link never replaces a file that another process has put there; the name in the trash goes last. */
static int
put_back(struct arena *a, const char *store, const char *sha256, struct err *err)
{
	const char *trash = trash_of(a, store, sha256), *path = path_of(a, store, sha256);
	const char *first = arena_printf(a, "%s/%.2s", store, sha256);
	const char *second = arena_printf(a, "%s/%.2s", first, sha256 + 2);
	struct stat like;

	if (stat(store, &like) == -1)
		return err_disk(err, "blob store: stat %s", store);
	if (blob_dir_make_like(first, &like, err) == -1 || blob_dir_make_like(second, &like, err) == -1)
		return -1;
	if (utimensat(AT_FDCWD, trash, NULL, AT_SYMLINK_NOFOLLOW) == -1 ||
	    (link(trash, path) == -1 && errno != EEXIST))
		return err_disk(err, "blob store: link %s", path);
	if (sync_dir(second, err) == -1 || sync_dir(first, err) == -1 || sync_dir(store, err) == -1)
		return -1;
	if (unlink(trash) == -1 && errno != ENOENT)
		return err_disk(err, "blob store: unlink %s", trash);
	return 0;
}

int
blob_trash_restore(struct arena *a, const char *store, const char *sha256, int64_t size,
    bool *restored, struct err *err)
{
	int fd = open(trash_of(a, store, sha256), BLOB_OPEN);
	struct stat st;
	bool good = false;

	*restored = false;
	if (fd == -1)
		return errno == ENOENT ? 0 : err_disk(err, "blob store: open %s", trash_of(a, store, sha256));
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (size == -1 || st.st_size == size) &&
	    blob_hash_file(fd, sha256, &good) == -1)
		good = false;
	close(fd);
	if (!good)
		return 0;
	if (put_back(a, store, sha256, err) == -1)
		return -1;
	*restored = true;
	return 0;
}

/* Finds files that are old enough, up to a full batch. */
static int
find_old(struct arena *a, const char *store, time_t before, struct blob_names *names, struct err *err)
{
	DIR *d = opendir(arena_printf(a, "%s/" BLOB_TRASH, store));
	struct dirent *entry;
	unsigned char digest[SHA256_SIZE];
	struct stat st;

	if (d == NULL)
		return errno == ENOENT ? 0 : err_disk(err, "blob store: open " BLOB_TRASH);
	while (!blob_names_full(names) && (entry = readdir(d)) != NULL) {
		if (hex_decode(slice_str(entry->d_name), digest, sizeof(digest)) &&
		    fstatat(dirfd(d), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
		    st.st_mtime <= before)
			blob_names_add(names, a, entry->d_name);
	}
	closedir(d);
	return 0;
}

/* Puts blobs back that a version needs and the store lacks, and takes them off the list. */
static int
restore_used(struct db *db, struct arena *a, const char *store, struct blob_names *names,
    struct blob_trash_emptied *emptied, struct err *err)
{
	struct blob_names *used = arena_alloc(a, sizeof(*used));

	*used = *names;
	if (blob_names_keep_used(db, a, used, err) == -1)
		return -1;
	for (size_t i = 0; i < used->n; i++) {
		const char *sha256 = used->v[i];
		struct stat st;
		bool restored;

		if (lstat(path_of(a, store, sha256), &st) == 0)
			continue;
		if (blob_trash_restore(a, store, sha256, -1, &restored, err) == -1)
			return -1;
		emptied->restored += restored;
		/* a damaged file stays, too: no other copy exists */
		for (size_t k = 0; k < names->n; k++) {
			if (names->v[k] != NULL && strcmp(names->v[k], sha256) == 0)
				names->v[k] = NULL;
		}
	}
	return 0;
}

int
blob_trash_empty(struct db *db, struct arena *a, const char *store, int64_t keep,
    struct blob_trash_emptied *emptied, bool *more, struct err *err)
{
	struct blob_names *names = arena_alloc(a, sizeof(*names));
	size_t removed = 0;

	*more = false;
	if (find_old(a, store, time(NULL) - (time_t)keep, names, err) == -1)
		return -1;
	if (names->n == 0)
		return 0;
	if (restore_used(db, a, store, names, emptied, err) == -1)
		return -1;
	for (size_t i = 0; i < names->n; i++) {
		if (names->v[i] == NULL)
			continue;
		if (FAULT_FAILS("trash", "unlink") || unlink(trash_of(a, store, names->v[i])) == -1) {
			if (errno != ENOENT)
				return err_disk(err, "blob store: unlink %s", trash_of(a, store, names->v[i]));
			continue;
		}
		removed++;
	}
	emptied->removed += (int64_t)removed;
	/* without a removal the next call would find the same files again */
	*more = blob_names_full(names) && removed > 0;
	return 0;
}

int64_t
blob_trash_count(struct arena *a, const char *store)
{
	DIR *d = opendir(arena_printf(a, "%s/" BLOB_TRASH, store));
	struct dirent *entry;
	unsigned char digest[SHA256_SIZE];
	int64_t n = 0;

	if (d == NULL)
		return 0;
	while ((entry = readdir(d)) != NULL)
		n += hex_decode(slice_str(entry->d_name), digest, sizeof(digest));
	closedir(d);
	return n;
}
