#include "store/backup/backup_target.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/disk.h"
#include "net/s3.h"
#include "store/blob/blob.h"
#include "store/blob/blob_dir.h"
#include "store/blob/blob_store.h"
#include "store/blob/store_file.h"
#include "store/blob/store_identity.h"

enum { DIR_MODE = 0700, FILE_MODE = 0600 };

/*
 * Others get no rights, whatever those of the directory are: a backup has private crates and digests of
 * tokens.
 */
enum { MASK = S_IRWXG | S_IRWXO };

/* Amazon's limit for what one request uploads. */
#define PUT_MAX ((int64_t)5 << 30)

const char *
backup_target_path(struct arena *a, const struct backup_target *target, const char *file)
{
	return arena_printf(a, "%s/%s", target->name, file);
}

/* ---- a directory ---- */

/* Removes the blobs that an interrupted backup was copying. */
static int
clear_incoming(const char *path, struct err *err)
{
	DIR *d = opendir(path);
	const char *name;
	int more = 0, rc = 0;

	if (d == NULL)
		return errno == ENOENT ? 0 : err_sys(err, "open %s", path);
	while (rc == 0 && (more = disk_next_name(d, &name)) == 1) {
		if (name[0] != '.' && unlinkat(dirfd(d), name, 0) == -1)
			rc = err_disk(err, "unlink %s/%s", path, name);
	}
	if (more == -1)
		rc = err_sys(err, "read %s", path);
	closedir(d);
	return rc;
}

static int
dir_begin(const struct backup_target *target, struct arena *a, int *lock, struct err *err)
{
	const char *dir = target->files->dir;
	int rc;

	if (mkdir(dir, DIR_MODE) == -1 && errno != EEXIST)
		return err_disk(err, "mkdir %s", dir);
	*lock = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*lock == -1)
		return err_disk(err, "open %s", dir);
	rc = disk_lock(*lock);
	if (rc == 1)
		rc = clear_incoming(backup_target_path(a, target, BACKUP_INCOMING), err);
	else
		rc = rc == -1 ? err_disk(err, "lock %s", dir)
		    : err_set(err, 409, "another backup to %s is running: wait for its end", dir);
	if (rc == -1)
		blob_fd_close(lock);
	return rc;
}

static int
dir_claim(const struct backup_target *target, struct arena *a, const char *registry, struct err *err)
{
	(void)target;
	(void)a;
	(void)registry;
	(void)err;
	return 0;
}

static int
dir_list(const struct backup_target *target, struct arena *a, backup_each *each, void *arg, struct err *err)
{
	const char *dir = target->files->dir;
	DIR *d = opendir(dir);
	const char *name;
	int more = 0, rc = 0;

	(void)a;
	if (d == NULL)
		return errno == ENOENT ? err_set(err, 404, "there is no directory %s", dir)
				       : err_sys(err, "open %s", dir);
	while (rc == 0 && (more = disk_next_name(d, &name)) == 1)
		rc = each(arg, name, err);
	if (more == -1)
		rc = err_sys(err, "read %s", dir);
	closedir(d);
	return rc;
}

static const char *
new_path(struct arena *a, const struct backup_target *target, const char *file)
{
	return arena_printf(a, "%s/%s" BACKUP_NEW, target->files->dir, file);
}

static int
dir_create(const struct backup_target *target, struct arena *a, const char *file, int *fd, struct err *err)
{
	const char *path = new_path(a, target, file);

	*fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
	return *fd == -1 ? err_disk(err, "open %s", path) : 0;
}

static int
dir_keep(const struct backup_target *target, struct arena *a, const char *file, int fd, int64_t size,
    const char *sha256, struct err *err)
{
	const char *path = backup_target_path(a, target, file);

	(void)size;
	(void)sha256;
	if (fsync(fd) == -1)
		return err_disk(err, "write %s", path);
	if (rename(new_path(a, target, file), path) == -1)
		return err_disk(err, "rename %s", path);
	return blob_dir_sync(AT_FDCWD, target->files->dir, err);
}

static void
dir_drop(const struct backup_target *target, struct arena *a, const char *file)
{
	(void)unlink(new_path(a, target, file));
}

static int
dir_copier(const struct backup_target *target, struct arena *a, struct backup_copy **copy, struct err *err)
{
	return backup_copy_new(a, target->blobs->dir, backup_target_path(a, target, BACKUP_INCOMING),
	    target->files->dir, MASK, copy, err);
}

static const struct backup_target_kind directory = {
	.begin = dir_begin,
	.claim = dir_claim,
	.list = dir_list,
	.create = dir_create,
	.keep = dir_keep,
	.drop = dir_drop,
	.copier = dir_copier,
};

/* ---- a bucket ---- */

/*
 * Does nothing: the database locks out other backups of this registry, and a broken upload leaves no object.
 */
static int
bucket_begin(const struct backup_target *target, struct arena *a, int *lock, struct err *err)
{
	(void)target;
	(void)a;
	(void)err;
	*lock = -1;
	return 0;
}

static int
bucket_claim(const struct backup_target *target, struct arena *a, const char *registry, struct err *err)
{
	char owner[REGISTRY_ID_SIZE + 1] = "";

	if (store_file_write(target->files, BACKUP_OWNER, registry, false, err) == -1 ||
	    store_file_read(target->files, BACKUP_OWNER, owner, sizeof(owner), err) == -1)
		return -1;
	if (strcmp(owner, registry) == 0)
		return 0;
	return err_set(err, 409, "according to %s, the registry %s has its backups there, and the database is the "
	    "registry %s: use another target, or remove that object if that registry no longer exists",
	    backup_target_path(a, target, BACKUP_OWNER), owner, registry);
}

/* Lists keys that begin with "2": names of backups begin with a year, and keys of blobs with "blobs". */
static int
bucket_list(const struct backup_target *target, struct arena *a, backup_each *each, void *arg,
    struct err *err)
{
	struct s3_page page = { .more = true };
	const char *after = "";
	int rc = 0;

	while (rc == 0 && page.more) {
		rc = s3_list(target->files->s3, a, "2", after, &page, err);
		for (size_t i = 0; rc == 0 && i < page.n; i++)
			rc = each(arg, page.entries[i].key, err);
		if (rc == 0 && page.more)
			after = page.entries[page.n - 1].key;
	}
	return rc;
}

static int
bucket_create(const struct backup_target *target, struct arena *a, const char *file, int *fd, struct err *err)
{
	(void)file;
	*fd = blob_dir_unnamed(a, target->files->dir, err);
	return *fd == -1 ? -1 : 0;
}

static int
bucket_keep(const struct backup_target *target, struct arena *a, const char *file, int fd, int64_t size,
    const char *sha256, struct err *err)
{
	enum { GIB = 30 };

	if (size > target->put_max)
		return err_set(err, 409, "%s has %" PRId64 " bytes, and one request to an object store carries at most "
		    "%" PRId64 " GiB: back up to a directory, and copy the directory to %s",
		    backup_target_path(a, target, file), size, target->put_max >> GIB, target->name);
	return s3_put(target->files->s3, a, file, fd, size, sha256, false, err) == -1 ? -1 : 0;
}

static void
bucket_drop(const struct backup_target *target, struct arena *a, const char *file)
{
	(void)target;
	(void)a;
	(void)file;
}

static int
bucket_copier(const struct backup_target *target, struct arena *a, struct backup_copy **copy, struct err *err)
{
	return backup_copy_to_store(a, target->blobs, copy, err);
}

static const struct backup_target_kind bucket = {
	.begin = bucket_begin,
	.claim = bucket_claim,
	.list = bucket_list,
	.create = bucket_create,
	.keep = bucket_keep,
	.drop = bucket_drop,
	.copier = bucket_copier,
};

/* ---- both ---- */

int
backup_target_find(struct arena *a, const char *name, const struct s3_conf *conf,
    struct backup_target *target, struct err *err)
{
	const char *tmp = getenv("TMPDIR"), *wrong;
	bool objects = strstr(name, "://") != NULL;
	struct blob_store *files, *blobs;

	if (tmp == NULL || tmp[0] == '\0')
		tmp = "/tmp";
	wrong = objects ? blob_store_name_check(name) : NULL;
	if (wrong != NULL)
		return err_set(err, 400, "%s %s", name, wrong);
	files = blob_store_new(a, name, tmp, conf);
	blobs = blob_store_new(a, arena_printf(a, "%s/" BACKUP_BLOBS, name), tmp, conf);
	blob_store_be_patient(files);
	blob_store_be_patient(blobs);
	*target = (struct backup_target) { objects ? &bucket : &directory, files->name, files, blobs, PUT_MAX };
	return 0;
}

int
backup_target_open(const struct backup_target *target, struct arena *a, const char *file, int64_t max,
    int *fd, struct err *err)
{
	int rc = target->files->kind->open(target->files, a, file, max, fd, err);

	return rc == 0 ? err_set(err, 404, "%s is missing", backup_target_path(a, target, file)) : rc == 1 ? 0 : -1;
}

int
backup_check(const struct blob_store *store, struct arena *a, const char *key, const char *sha256,
    int64_t max, bool exact, struct err *err)
{
	const char *path = arena_printf(a, "%s/%s", store->name, key);
	struct stat st;
	bool same = false;
	int fd, rc = store->kind->open(store, a, key, max, &fd, err);

	if (rc != 1)
		return rc == 0 ? err_set(err, 404, "%s is missing", path) : -1;
	rc = 0;
	if (fstat(fd, &st) == -1 || blob_hash_file(fd, sha256, &same) == -1)
		rc = err_sys(err, "read %s", path);
	else if (exact && st.st_size != max)
		rc = err_set(err, 409, "%s has %lld bytes instead of %" PRId64, path, (long long)st.st_size, max);
	else if (!same)
		rc = err_set(err, 409, "%s is damaged: its SHA-256 differs", path);
	close(fd);
	return rc;
}
