#include "store/blob/blob.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/disk.h"
#include "base/hex.h"
#include "base/random.h"
#include "base/sha256.h"
#include "store/blob/blob_dir.h"

enum {
	CHUNK = 64 * 1024,
	NAME_BYTES = 16,
	BROUGHT_S = 86400 /* far more than it takes to bring a batch of blobs (store/backup/backup_copy.h) */
};
_Static_assert(BLOB_STAGING_NAME_SIZE == 2 * NAME_BYTES + 1, "digits and a NUL");

int
blob_staging_name(char name[BLOB_STAGING_NAME_SIZE], struct err *err)
{
	unsigned char bytes[NAME_BYTES];

	if (random_bytes(bytes, sizeof(bytes), err) == -1)
		return -1;
	hex_encode(bytes, sizeof(bytes), name);
	return 0;
}

void
blob_path_write(const char *sha256, char out[BLOB_PATH_SIZE])
{
	snprintf(out, BLOB_PATH_SIZE, "%.2s/%.2s/%s", sha256, sha256 + 2, sha256);
}

char *
blob_path(struct arena *a, const char *sha256)
{
	char *path = arena_alloc(a, BLOB_PATH_SIZE);
	unsigned char digest[SHA256_SIZE];

	/* the path is built from digits only, never from what somebody chose */
	assert(hex_decode(slice_str(sha256), digest, sizeof(digest)));
	blob_path_write(sha256, path);
	return path;
}

const char *
blob_trash_path(struct arena *a, const char *sha256)
{
	return arena_printf(a, BLOB_TRASH "/%s", sha256);
}

int
blob_hash_file(int fd, const char *sha256, bool *same)
{
	unsigned char digest[SHA256_SIZE];
	char buf[CHUNK], hex[BLOB_HEX_SIZE];
	struct sha256 hash;
	bool good = sha256_begin(&hash);
	ssize_t n = 1;

	while (good && (n = read(fd, buf, sizeof(buf))) != 0) {
		if (n > 0)
			good = sha256_add(&hash, buf, (size_t)n);
		else if (errno != EINTR)
			good = false;
	}
	if (!sha256_end(&hash, digest) || !good)
		return -1;
	hex_encode(digest, sizeof(digest), hex);
	*same = strcmp(hex, sha256) == 0;
	return 0;
}

bool
blob_is_sound_at(int at, const char *path, const char *sha256)
{
	/* open it, because a network file system may answer stat() from its memory */
	int fd = openat(at, path, BLOB_OPEN);
	bool same = false;

	if (fd == -1)
		return false;
	if (blob_hash_file(fd, sha256, &same) == -1)
		same = false;
	close(fd);
	return same;
}

bool
blob_is_sound(struct arena *a, const struct blob_store *store, const char *sha256)
{
	struct err err = { 0 };
	bool same = false;
	int fd;

	if (store->kind->open(store, a, blob_path(a, sha256), BLOB_SIZE_MAX, &fd, &err) != 1)
		return false;
	if (blob_hash_file(fd, sha256, &same) == -1)
		same = false;
	close(fd);
	return same;
}

/* 1: removed, 0: not ours or too young, -1: err. */
static int
sweep_one(int dir, const char *name, int64_t age, struct err *err)
{
	size_t n = strcspn(name, ".");
	bool is_sent = strcmp(name + n, BLOB_SENT) == 0;
	int64_t max_age = is_sent && age > BLOB_COPY_KEEP_S ? BLOB_COPY_KEEP_S : age;
	unsigned char id[SHA256_SIZE];
	struct stat st;

	if (name[n] == '\0' && hex_decode(slice_of(name, n), id, SHA256_SIZE))
		max_age = age > BROUGHT_S ? age : BROUGHT_S;
	else if ((name[n] != '\0' && !is_sent) || !hex_decode(slice_of(name, n), id, NAME_BYTES))
		return 0;
	/* whoever owned it may have ended just now */
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT ? 0 : blob_error(err, "stat");
	if (!S_ISREG(st.st_mode) || st.st_mtime >= time(NULL) - max_age)
		return 0;
	if (unlinkat(dir, name, 0) == -1)
		return errno == ENOENT ? 0 : blob_error(err, "unlink");
	return 1;
}

int
blob_sweep_staging(const char *dir, int64_t age, struct err *err)
{
	int root = -1, fd = -1, n = 0, gone = 0, more = 0;
	const char *name;
	DIR *d;

	if (blob_dir_open(AT_FDCWD, dir, &root, err) == -1 ||
	    blob_dir_open(root, BLOB_STAGING, &fd, err) == -1) {
		blob_fd_close(&root);
		return -1;
	}
	blob_fd_close(&root);
	d = fdopendir(fd);
	if (d == NULL) {
		blob_error(err, "opendir");
		blob_fd_close(&fd);
		return -1;
	}
	while (gone != -1 && (more = disk_next_name(d, &name)) == 1) {
		gone = sweep_one(dirfd(d), name, age, err);
		n += gone == 1;
	}
	if (more == -1)
		gone = blob_error(err, "readdir");
	closedir(d);
	return gone == -1 ? -1 : n;
}
