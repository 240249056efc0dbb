#include "store/blob/blob.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/hex.h"
#include "base/sha256.h"

/* Modes are left to the umask: nginx must be able to read what we write. */
enum { FILE_MODE = 0666, DIR_MODE = 0777, CHUNK = 64 * 1024 };

enum {
	NAME_BYTES = 16,
	NAME_SIZE = BLOB_STAGING_NAME_SIZE,
	PATH_SIZE = 6 + BLOB_HEX_SIZE /* "ab/cd/" and the digits */
};
_Static_assert(NAME_SIZE == 2 * NAME_BYTES + 1, "digits and a NUL");

#define STAGING BLOB_STAGING

struct blob_staging {
	int root; /* STORE */
	int dir; /* STORE/staging */
	int fd; /* writes */
	int read_fd; /* -1 until somebody asks */
	char name[NAME_SIZE];
	struct sha256 hash;
	uint64_t size;
	char sha256[BLOB_HEX_SIZE]; /* "" until the hash has ended */
	bool named; /* staging/NAME is there: also when the bytes are in place, until the end */
	struct {
		pthread_t thread;
		bool runs;
		int rc;
		struct err err;
		int64_t us;
	} keep;
};

static int
disk_error(struct err *err, const char *what)
{
	return err_disk(err, "blob store: %s", what);
}

static void
close_fd(int *fd)
{
	if (*fd != -1)
		close(*fd);
	*fd = -1;
}

static int
make_dir(int at, const char *path, struct err *err)
{
	if (FAULT_FAILS("blob", "mkdir") ||
	    (mkdirat(at, path, DIR_MODE) == -1 && errno != EEXIST))
		return err_disk(err, "blob store: mkdir %s", path);
	return 0;
}

static int
open_dir(int at, const char *path, int *fd, struct err *err)
{
	*fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *fd == -1 ? err_disk(err, "blob store: open directory %s", path) : 0;
}

/* The directory counts only when it is on the disk itself. */
static int
sync_dir(int at, const char *path, struct err *err)
{
	int fd, rc = 0;

	if (open_dir(at, path, &fd, err) == -1)
		return -1;
	if (FAULT_FAILS("blob", "fsync_dir") || fsync(fd) == -1)
		rc = err_disk(err, "blob store: fsync directory %s", path);
	close(fd);
	return rc;
}

int
blob_staging_name(char name[NAME_SIZE], struct err *err)
{
	unsigned char bytes[NAME_BYTES];
	ssize_t n;

	do
		n = getrandom(bytes, sizeof(bytes), 0);
	while (n == -1 && errno == EINTR);
	if (n != (ssize_t)sizeof(bytes))
		return err_sys(err, "getrandom");
	hex_encode(bytes, sizeof(bytes), name);
	return 0;
}

/* Waits for the thread that makes it a blob, if there is one. */
static void
join(struct blob_staging *s)
{
	if (s->keep.runs)
		pthread_join(s->keep.thread, NULL);
	s->keep.runs = false;
}

/* Everything that the staging holds; also after half a start. */
static void
staging_end(void *arg)
{
	struct blob_staging *s = arg;

	join(s);
	sha256_drop(&s->hash);
	if (s->named)
		(void)unlinkat(s->dir, s->name, 0);
	close_fd(&s->fd);
	close_fd(&s->read_fd);
	close_fd(&s->dir);
	close_fd(&s->root);
}

int
blob_stage(struct arena *a, const char *store, struct blob_staging **out, struct err *err)
{
	struct blob_staging *s = arena_calloc(a, 1, sizeof(*s));

	*out = s;
	s->root = s->dir = s->fd = s->read_fd = -1;
	arena_defer(a, staging_end, s);
	if (open_dir(AT_FDCWD, store, &s->root, err) == -1 ||
	    open_dir(s->root, STAGING, &s->dir, err) == -1 || blob_staging_name(s->name, err) == -1)
		return -1;
	if (!sha256_begin(&s->hash))
		return err_internal(err, 500, "SHA-256 failed");
	if (!FAULT_FAILS("blob", "create"))
		s->fd = openat(s->dir, s->name,
		    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
	if (s->fd == -1)
		return disk_error(err, "create");
	s->named = true;
	FAULT_POINT("blob", "created");
	return 0;
}

int
blob_stage_write(struct blob_staging *s, struct slice in, struct err *err)
{
	assert(s->sha256[0] == '\0');
	if (!sha256_add(&s->hash, in.p, in.n))
		return err_internal(err, 500, "SHA-256 failed");
	while (in.n > 0) {
		ssize_t n = FAULT_FAILS("blob", "write") ? -1 : write(s->fd, in.p, in.n);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return disk_error(err, "write");
		FAULT_POINT("blob", "written");
		s->size += (uint64_t)n;
		in = slice_of(in.p + n, in.n - (size_t)n);
	}
	return 0;
}

const char *
blob_stage_sha256(struct blob_staging *s)
{
	unsigned char digest[SHA256_SIZE];

	if (s->sha256[0] == '\0') {
		bool good = sha256_end(&s->hash, digest);

		assert(good);
		hex_encode(digest, sizeof(digest), s->sha256);
	}
	return s->sha256;
}

uint64_t
blob_stage_size(const struct blob_staging *s)
{
	return s->size;
}

int
blob_stage_fd(struct blob_staging *s, struct err *err)
{
	/* a descriptor of its own, as whoever inspects the bytes must not be able to change them */
	if (s->read_fd == -1)
		s->read_fd = openat(s->dir, s->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (s->read_fd == -1)
		return disk_error(err, "open");
	if (lseek(s->read_fd, 0, SEEK_SET) == -1)
		return disk_error(err, "seek");
	return s->read_fd;
}

static void
write_path(const char *sha256, char out[PATH_SIZE])
{
	snprintf(out, PATH_SIZE, "%.2s/%.2s/%s", sha256, sha256 + 2, sha256);
}

char *
blob_path(struct arena *a, const char *sha256)
{
	char *path = arena_alloc(a, PATH_SIZE);
	unsigned char digest[SHA256_SIZE];

	/* the path is built from digits only, never from what somebody chose */
	assert(hex_decode(slice_str(sha256), digest, sizeof(digest)));
	write_path(sha256, path);
	return path;
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

/* Does the file at `path`, below the directory, exist and have this SHA-256? */
static bool
is_sound(int at, const char *path, const char *sha256)
{
	/* opened, as a network's file system may remember what stat would say */
	int fd = openat(at, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	bool same = false;

	if (fd == -1)
		return false;
	if (blob_hash_file(fd, sha256, &same) == -1)
		same = false;
	close(fd);
	return same;
}

bool
blob_is_sound(struct arena *a, const char *store, const char *sha256)
{
	return is_sound(AT_FDCWD, arena_printf(a, "%s/%s", store, blob_path(a, sha256)), sha256);
}

/* Is what lies at `path` our bytes?  Then its time is renewed.  1: yes, 0: no, -1: err. */
static int
renew(const struct blob_staging *s, const char *path, struct err *err)
{
	if (!is_sound(s->root, path, s->sha256))
		return 0;
	if (utimensat(s->root, path, NULL, AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT ? 0 : disk_error(err, "utimensat");
	return 1;
}

/*
 * Gives the staged file its name for good, beside the one that it has.  A hard link never
 * replaces: where the name is taken, that file stays.  Only one with other bytes (a disk that lied
 * once) is replaced, as is one that the collector takes away meanwhile.
 */
static int
link_name(struct blob_staging *s, const char *path, struct err *err)
{
	int same;

	if (!FAULT_FAILS("blob", "link") && linkat(s->dir, s->name, s->root, path, 0) == 0) {
		FAULT_POINT("blob", "linked");
		return 0;
	}
	if (errno != EEXIST)
		return disk_error(err, "link");
	same = renew(s, path, err);
	if (same == -1)
		return -1;
	FAULT_POINT("blob", "renewed");
	if (same == 1)
		return 0;
	if (FAULT_FAILS("blob", "rename") || renameat(s->dir, s->name, s->root, path) == -1)
		return disk_error(err, "rename");
	s->named = false;
	return 0;
}

/* The file at its path, and all directories on the way to it, on the disk itself. */
static int
put(struct blob_staging *s, struct err *err)
{
	char path[PATH_SIZE], dir[6];

	write_path(blob_stage_sha256(s), path);
	snprintf(dir, sizeof(dir), "%.5s", path);
	dir[2] = '\0';
	if (make_dir(s->root, dir, err) == -1)
		return -1;
	dir[2] = '/';
	if (make_dir(s->root, dir, err) == -1 || link_name(s, path, err) == -1)
		return -1;
	FAULT_POINT("blob", "placed");
	/* also where others made directory and file: they may not have come this far yet */
	if (sync_dir(s->root, dir, err) == -1)
		return -1;
	FAULT_POINT("blob", "directory_fsynced");
	dir[2] = '\0';
	return sync_dir(s->root, dir, err) == -1 || sync_dir(s->root, ".", err) == -1 ? -1 : 0;
}

static int
keep(struct blob_staging *s, struct err *err)
{
	if (FAULT_FAILS("blob", "fsync") || fsync(s->fd) == -1)
		return disk_error(err, "fsync");
	FAULT_POINT("blob", "fsynced");
	if (put(s, err) == -1)
		return -1;
	FAULT_POINT("blob", "kept");
	return 0;
}

static void *
keep_main(void *arg)
{
	struct blob_staging *s = arg;
	int64_t began = clock_us();

	err_clear(&s->keep.err);
	s->keep.rc = keep(s, &s->keep.err);
	s->keep.us = clock_us() - began;
	return NULL;
}

void
blob_stage_keep(struct blob_staging *s)
{
	(void)blob_stage_sha256(s);
	s->keep.runs = pthread_create(&s->keep.thread, NULL, keep_main, s) == 0;
	if (!s->keep.runs)
		(void)keep_main(s);
}

int
blob_stage_kept(struct blob_staging *s, int64_t *us, struct err *err)
{
	join(s);
	if (us != NULL)
		*us = s->keep.us;
	if (s->keep.rc == -1)
		*err = s->keep.err;
	return s->keep.rc;
}

int
blob_stage_confirm(struct blob_staging *s, struct err *err)
{
	char path[PATH_SIZE];
	struct stat st;
	int fd;

	write_path(blob_stage_sha256(s), path);
	/* opened, as a network's file system may remember what stat would say */
	fd = openat(s->root, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd != -1) {
		bool same = fstat(fd, &st) == 0 && (uint64_t)st.st_size == s->size;

		close(fd);
		return same ? 0 : err_internal(err, 500, "blob store: %s is damaged", path);
	}
	if (errno != ENOENT)
		return disk_error(err, "open");
	FAULT_POINT("blob", "missing");
	if (!s->named)
		return err_internal(err, 503, "blob store: %s is gone again", path);
	return put(s, err);
}

/* Checks a directory that files are renamed into: writable, and on the file system of the store. */
static int
check_dir(int root, const char *name, struct err *err)
{
	struct stat above, st;
	int fd, rc = 0;

	if (make_dir(root, name, err) == -1 || open_dir(root, name, &fd, err) == -1)
		return -1;
	if (faccessat(fd, ".", W_OK | X_OK, AT_EACCESS) == -1 || fstat(root, &above) == -1 ||
	    fstat(fd, &st) == -1)
		rc = err_disk(err, "blob store: check %s", name);
	else if (above.st_dev != st.st_dev)
		rc = err_internal(err, 500, "blob store: %s lies on another file system", name);
	close(fd);
	return rc;
}

int
blob_store_check(const char *store, struct err *err)
{
	int root, rc = -1;

	if (make_dir(AT_FDCWD, store, err) == -1 || open_dir(AT_FDCWD, store, &root, err) == -1)
		return -1;
	if (faccessat(root, ".", W_OK | X_OK, AT_EACCESS) == -1)
		err_disk(err, "blob store: check %s", store);
	else if (check_dir(root, STAGING, err) == 0 && check_dir(root, BLOB_TRASH, err) == 0 &&
	    check_dir(root, STORE_NODES, err) == 0)
		rc = 0;
	else
		err_context(err, "the store is %s", store);
	close(root);
	return rc;
}

/* The directory that the path is in. */
static void
write_parent(const char *path, char out[PATH_MAX])
{
	size_t n = strlen(path);

	while (n > 1 && path[n - 1] == '/')
		n--;
	while (n > 0 && path[n - 1] != '/')
		n--;
	while (n > 1 && path[n - 1] == '/')
		n--;
	snprintf(out, PATH_MAX, "%.*s", n > 0 ? (int)n : 1, n > 0 ? path : ".");
}

int
blob_store_test(const char *store, struct err *err)
{
	char parent[PATH_MAX];

	if (access(store, W_OK | X_OK) == 0)
		return 0;
	if (errno != ENOENT)
		return err_sys(err, "store: cannot write to %s", store);
	write_parent(store, parent);
	return access(parent, W_OK | X_OK) == 0 ? 0 :
	    err_sys(err, "store: %s does not exist, and cannot be made in %s", store, parent);
}

int
blob_store_probe(struct arena *a, const char *store, bool write, struct err *err)
{
	static const char block[512];
	struct blob_staging *probe;
	int fd;

	if (!write) {
		if (open_dir(AT_FDCWD, store, &fd, err) == -1)
			return -1;
		close(fd);
		return 0;
	}
	if (blob_stage(a, store, &probe, err) == -1)
		return -1;
	/* a full disk lets a file be made, but nothing be written to it */
	return blob_stage_write(probe, slice_of(block, sizeof(block)), err);
}

int
blob_store_free(const char *store, int64_t *bytes, struct err *err)
{
	struct statvfs fs;

	if (statvfs(store, &fs) == -1)
		return disk_error(err, "statvfs");
	*bytes = (int64_t)(fs.f_bavail * fs.f_frsize);
	return 0;
}

bool
blob_exists(struct arena *a, const char *store, const char *sha256)
{
	/* open it: a network file system may answer stat from its cache */
	int fd = open(arena_printf(a, "%s/%s", store, blob_path(a, sha256)),
	    O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd == -1)
		return false;
	close(fd);
	return true;
}

/* 1: removed, 0: not ours or too young, -1: err. */
static int
sweep_one(int dir, const char *name, time_t before, struct err *err)
{
	unsigned char id[NAME_BYTES];
	struct stat st;

	if (!hex_decode(slice_str(name), id, sizeof(id)))
		return 0;
	/* whoever owned it may have ended just now */
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT ? 0 : disk_error(err, "stat");
	if (!S_ISREG(st.st_mode) || st.st_mtime >= before)
		return 0;
	if (unlinkat(dir, name, 0) == -1)
		return errno == ENOENT ? 0 : disk_error(err, "unlink");
	return 1;
}

int
blob_sweep_staging(const char *store, int64_t age, struct err *err)
{
	int root = -1, fd = -1, n = 0;
	struct dirent *entry;
	DIR *d;

	if (open_dir(AT_FDCWD, store, &root, err) == -1 ||
	    open_dir(root, STAGING, &fd, err) == -1) {
		close_fd(&root);
		return -1;
	}
	close_fd(&root);
	d = fdopendir(fd);
	if (d == NULL) {
		disk_error(err, "opendir");
		close_fd(&fd);
		return -1;
	}
	while ((entry = readdir(d)) != NULL) {
		int gone = sweep_one(dirfd(d), entry->d_name, time(NULL) - (time_t)age, err);

		if (gone == -1) {
			n = -1;
			break;
		}
		n += gone;
	}
	closedir(d);
	return n;
}
