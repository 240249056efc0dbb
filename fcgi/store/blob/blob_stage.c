#include "store/blob/blob_stage.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/disk.h"
#include "base/fault.h"
#include "base/hex.h"
#include "base/sha256.h"
#include "store/blob/blob.h"
#include "store/blob/blob_dir.h"

/* The mode is left to the umask: nginx must be able to read what we write. */
enum { FILE_MODE = 0666 };

enum { AHEAD_MIN = 1 << 20 /* bytes that the disk gets before the end */ };

struct blob_staging {
	const struct blob_store *store;
	int root; /* the store's directory */
	int dir; /* its staging */
	int fd; /* writes */
	int read_fd; /* -1 until somebody asks */
	char name[BLOB_STAGING_NAME_SIZE];
	struct sha256 hash;
	uint64_t size;
	uint64_t ahead; /* bytes that the disk has been told to write already */
	char sha256[BLOB_HEX_SIZE]; /* "" until the hash has ended */
	bool named; /* staging/NAME is there: also when the bytes are in place, until the end */
	struct {
		bool done;
		int rc;
		struct err err;
		int64_t us;
	} keep;
};

/* Everything that the staging holds; also after half a start. */
static void
staging_end(void *arg)
{
	struct blob_staging *s = arg;

	sha256_drop(&s->hash);
	if (s->named)
		(void)unlinkat(s->dir, s->name, 0);
	blob_fd_close(&s->fd);
	blob_fd_close(&s->read_fd);
	blob_fd_close(&s->dir);
	blob_fd_close(&s->root);
}

int
blob_stage(struct arena *a, const struct blob_store *store, struct blob_staging **out, struct err *err)
{
	struct blob_staging *s = arena_calloc(a, 1, sizeof(*s));

	*out = s;
	s->store = store;
	s->root = s->dir = s->fd = s->read_fd = -1;
	arena_defer(a, staging_end, s);
	if (blob_dir_open(AT_FDCWD, store->dir, &s->root, err) == -1 ||
	    blob_dir_open(s->root, BLOB_STAGING, &s->dir, err) == -1 || blob_staging_name(s->name, err) == -1)
		return -1;
	if (!sha256_begin(&s->hash))
		return err_internal(err, 500, "SHA-256 failed");
	if (!FAULT_FAILS("blob", "create"))
		s->fd = openat(s->dir, s->name,
		    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
	if (s->fd == -1)
		return blob_error(err, "create");
	s->named = true;
	FAULT_POINT("blob", "created");
	return 0;
}

/* The disk begins with a large file before its end has come, so that fsync() at the end waits for less. */
static void
write_ahead(struct blob_staging *s)
{
	if (s->size - s->ahead < AHEAD_MIN)
		return;
	/* this waits for nothing, and fsync() finds its errors */
	if (!FAULT_FAILS("blob", "ahead"))
		(void)sync_file_range(s->fd, (off_t)s->ahead, (off_t)(s->size - s->ahead), SYNC_FILE_RANGE_WRITE);
	s->ahead = s->size;
}

int
blob_stage_write(struct blob_staging *s, struct slice in, struct err *err)
{
	assert(s->sha256[0] == '\0');
	if (!sha256_add(&s->hash, in.p, in.n))
		return err_internal(err, 500, "SHA-256 failed");
	if (FAULT_FAILS("blob", "write") || disk_write(s->fd, in) == -1)
		return blob_error(err, "write");
	FAULT_POINT("blob", "written");
	s->size += in.n;
	write_ahead(s);
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
		return blob_error(err, "open");
	if (lseek(s->read_fd, 0, SEEK_SET) == -1)
		return blob_error(err, "seek");
	return s->read_fd;
}

/* Is what lies at `path` our bytes?  Then its time is renewed.  1: yes, 0: no, -1: err. */
static int
renew(const struct blob_staging *s, const char *path, struct err *err)
{
	if (!blob_is_sound_at(s->root, path, s->sha256))
		return 0;
	if (utimensat(s->root, path, NULL, AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT ? 0 : blob_error(err, "utimensat");
	return 1;
}

/*
 * Gives the staged file its name for good, beside the one that it has.  A hard link never
 * replaces: where the name is taken, that file stays.  Only one with other bytes (a disk that lied
 * once) is replaced, as is one that the collector takes away meanwhile.
 * 1: a file that was there stays, 0: the name is the staged file's, -1: err.
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
		return blob_error(err, "link");
	same = renew(s, path, err);
	if (same == -1)
		return -1;
	FAULT_POINT("blob", "renewed");
	if (same == 1)
		return 1;
	if (FAULT_FAILS("blob", "rename") || renameat(s->dir, s->name, s->root, path) == -1)
		return blob_error(err, "rename");
	s->named = false;
	return 0;
}

static int
sync_bytes(int fd, struct err *err)
{
	if (FAULT_FAILS("blob", "fsync") || fsync(fd) == -1)
		return blob_error(err, "fsync");
	FAULT_POINT("blob", "fsynced");
	return 0;
}

/* Syncs the file that was there, because the process that wrote it may not have done so yet. */
static int
sync_there(struct blob_staging *s, const char *path, struct err *err)
{
	int fd = openat(s->root, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), rc;

	/* the collector has it: blob_stage_confirm() sees that */
	if (fd == -1)
		return errno == ENOENT ? 0 : blob_error(err, "open");
	rc = sync_bytes(fd, err);
	close(fd);
	return rc;
}

/*
 * The directories on the way to the blob.  *durable: the name of the first one is on the disk, because
 * blob_store_prepare() has made it and nobody has removed it since.
 */
static int
make_directories(struct blob_staging *s, bool *durable, struct err *err)
{
	char first[3], second[6];

	snprintf(first, sizeof(first), "%.2s", s->sha256);
	snprintf(second, sizeof(second), "%.2s/%.2s", s->sha256, s->sha256 + 2);
	*durable = s->store->prepared && faccessat(s->root, first, F_OK, 0) == 0;
	if (!*durable && blob_dir_make(s->root, first, err) == -1)
		return -1;
	return blob_dir_make(s->root, second, err);
}

/*
 * Syncs to the disk all that must be there before the blob gets its name, and that no client sees: the bytes,
 * and each directory above the name, even an existing one, because the process that made it may not have
 * synced it yet.  It makes the directories before the first fsync, so that a file system with a journal
 * writes all at once.  With an object store the file is only a copy, whose name may get lost.
 */
static int
get_ready(struct blob_staging *s, struct err *err)
{
	bool blob = !s->store->kind->copies, durable = false;
	char first[3];

	snprintf(first, sizeof(first), "%.2s", s->sha256);
	if ((blob && make_directories(s, &durable, err) == -1) || sync_bytes(s->fd, err) == -1)
		return -1;
	if (blob && (blob_dir_sync(s->root, first, err) == -1 ||
	        (!durable && blob_dir_sync(s->root, ".", err) == -1)))
		return -1;
	FAULT_POINT("blob", "ready");
	return 0;
}

/*
 * Uploads the bytes, and keeps the file as this node's copy; without a copy, the node fetches the blob
 * later.
 */
static int
upload(struct blob_staging *s, struct err *err)
{
	struct arena *a = arena_new();
	int fd = openat(s->dir, s->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), rc;
	struct err disk = { 0 };
	bool durable;

	if (fd == -1)
		rc = blob_error(err, "open");
	else
		rc = s->store->kind->put(s->store, a, s->sha256, fd, (int64_t)s->size, err);
	/* a copy has its name only when its bytes are on the disk */
	if (rc == 0 && (get_ready(s, &disk) == -1 || make_directories(s, &durable, &disk) == -1 ||
	        linkat(s->dir, s->name, s->root, blob_path(a, s->sha256), 0) == -1))
		FAULT_POINT("copy", "none");
	if (fd != -1)
		close(fd);
	arena_free(a);
	return rc;
}

/*
 * Gives the bytes their name, and syncs the name to the disk.  A crash before the last fsync leaves a name
 * that no row has.
 */
static int
put(struct blob_staging *s, struct err *err)
{
	char path[BLOB_PATH_SIZE], second[6];
	int there;

	if (s->store->kind->copies)
		return upload(s, err);
	blob_path_write(s->sha256, path);
	snprintf(second, sizeof(second), "%.5s", path);
	if (get_ready(s, err) == -1)
		return -1;
	there = link_name(s, path, err);
	if (there == -1)
		return -1;
	FAULT_POINT("blob", "placed");
	if ((there == 1 && sync_there(s, path, err) == -1) || blob_dir_sync(s->root, second, err) == -1)
		return -1;
	FAULT_POINT("blob", "directory_fsynced");
	return 0;
}

int
blob_stage_keep(struct blob_staging *s, struct err *err)
{
	if (!s->keep.done) {
		int64_t began = clock_us();

		(void)blob_stage_sha256(s);
		err_clear(&s->keep.err);
		s->keep.rc = put(s, &s->keep.err);
		if (s->keep.rc == 0)
			FAULT_POINT("blob", "kept");
		s->keep.us = clock_us() - began;
		s->keep.done = true;
	}
	if (s->keep.rc == -1)
		*err = s->keep.err;
	return s->keep.rc;
}

int64_t
blob_stage_keep_us(const struct blob_staging *s)
{
	return s->keep.us;
}

/* Finds the size of the blob in the store.  1: it is there, 0: it is not, -1: err. */
static int
look(struct blob_staging *s, const char *path, int64_t *size, struct err *err)
{
	struct arena *a = arena_new();
	struct blob_stat object = { .size = -1 };
	struct stat st;
	int fd = -1, rc = 1;

	/* open it, because a network file system may answer stat() from its memory */
	if (s->store->kind->copies)
		rc = s->store->kind->stat(s->store, a, path, &object, err);
	else
		rc = s->store->kind->open(s->store, a, path, BLOB_SIZE_MAX, &fd, err);
	if (rc == 1 && fd != -1)
		object.size = fstat(fd, &st) == 0 ? st.st_size : -1;
	*size = object.size;
	blob_fd_close(&fd);
	arena_free(a);
	return rc;
}

int
blob_stage_confirm(struct blob_staging *s, struct err *err)
{
	char path[BLOB_PATH_SIZE];
	int64_t size;
	int there;

	blob_path_write(blob_stage_sha256(s), path);
	there = look(s, path, &size, err);
	if (there == -1)
		return -1;
	if (there == 1)
		return (uint64_t)size == s->size ? 0 : err_internal(err, 500, "blob store: %s is damaged", path);
	FAULT_POINT("blob", "missing");
	if (!s->named)
		return err_internal(err, 503, "blob store: %s was removed again", path);
	return put(s, err);
}
