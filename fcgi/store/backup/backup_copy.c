#include "store/backup/backup_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/disk.h"
#include "base/fault.h"
#include "base/hex.h"
#include "base/sha256.h"
#include "store/blob/blob.h"
#include "store/blob/blob_dir.h"

/* The most that `incoming` holds before its blobs get their names. */
enum { BATCH = 20000, CHUNK = 256 * 1024, FIRST_DIGITS = 2 };
#define BATCH_BYTES ((int64_t)1 << 30)

/* A blob in an object store. */
struct object {
	char sha256[BLOB_HEX_SIZE];
	int64_t size;
};

struct backup_copy {
	const struct blob_store *objects; /* NULL: a directory */
	struct {
		char under[FIRST_DIGITS + 1]; /* "": it has listed none yet */
		struct object *v; /* all objects whose names begin with `under`, in order */
		size_t n, room;
	} known;
	const char *root, *incoming;
	struct stat like; /* the owner and the mode of what it makes */
	mode_t file_mode;
	char names[BATCH][BLOB_HEX_SIZE]; /* of those in `incoming` */
	char made[FIRST_DIGITS + 1]; /* the first directory of the last one that got its name */
	size_t n;
	int64_t batch_bytes;
	int64_t blobs, bytes;
	char chunk[CHUNK];
};

int
backup_copy_dir(const struct backup_copy *c, const char *path, struct err *err)
{
	return c->objects != NULL ? 0 : blob_dir_make_like(path, &c->like, err);
}

int
backup_copy_new(struct arena *a, const char *root, const char *incoming, const char *like, mode_t mask,
    struct backup_copy **out, struct err *err)
{
	struct backup_copy *c = arena_calloc(a, 1, sizeof(*c));

	if (stat(like, &c->like) == -1)
		return err_disk(err, "stat %s", like);
	c->root = arena_strdup(a, root);
	c->incoming = arena_strdup(a, incoming);
	c->like.st_mode &= ~mask;
	c->file_mode = c->like.st_mode & (S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH);
	*out = c;
	/* the root itself may be a link to another disk */
	return (access(root, F_OK) == -1 && backup_copy_dir(c, root, err) == -1) ||
		       backup_copy_dir(c, incoming, err) == -1
		   ? -1
		   : 0;
}

static void
forget_objects(void *arg)
{
	struct backup_copy *c = arg;

	free(c->known.v);
}

int
backup_copy_to_store(struct arena *a, const struct blob_store *store, struct backup_copy **out,
    struct err *err)
{
	if (store->kind->put == NULL)
		return backup_copy_new(a, store->dir, arena_printf(a, "%s/" BLOB_STAGING, store->dir), store->dir, 0,
		    out, err);
	*out = arena_calloc(a, 1, sizeof(**out));
	(*out)->objects = store;
	arena_defer(a, forget_objects, *out);
	return 0;
}

static int
know_object(void *arg, const struct blob_entry *entry, struct err *err)
{
	struct backup_copy *c = arg;

	if (c->known.n == c->known.room) {
		size_t room = c->known.room == 0 ? 1024 : 2 * c->known.room;
		struct object *v = reallocarray(c->known.v, room, sizeof(*v));

		if (v == NULL)
			return err_sys(err, "the list of objects");
		c->known.v = v;
		c->known.room = room;
	}
	memcpy(c->known.v[c->known.n].sha256, entry->name, BLOB_HEX_SIZE);
	c->known.v[c->known.n++].size = entry->st.size;
	return 0;
}

static int
compare_objects(const void *a, const void *b)
{
	return strcmp(((const struct object *)a)->sha256, ((const struct object *)b)->sha256);
}

/* Callers ask in the order of names, so one list answers for many blobs. */
static int
has_object(struct backup_copy *c, const char *sha256, int64_t size, struct err *err)
{
	const struct object *found;
	struct object key = { .size = size };

	memcpy(key.sha256, sha256, BLOB_HEX_SIZE);
	if (strncmp(c->known.under, sha256, FIRST_DIGITS) != 0) {
		c->known.n = 0;
		memcpy(c->known.under, sha256, FIRST_DIGITS);
		if (c->objects->kind->list(c->objects, c->known.under, know_object, c, err) == -1) {
			c->known.under[0] = '\0';
			return -1;
		}
	}
	found = c->known.n == 0 ? NULL : bsearch(&key, c->known.v, c->known.n, sizeof(key), compare_objects);
	return found != NULL && found->size == size;
}

/* Does the target have the blob, with this size?  1: yes, 0: no, -1: err. */
static int
has(struct arena *a, struct backup_copy *c, const char *sha256, int64_t size, struct err *err)
{
	struct stat st;

	if (c->objects != NULL)
		return has_object(c, sha256, size, err);
	return lstat(arena_printf(a, "%s/%s", c->root, blob_path(a, sha256)), &st) == 0 &&
	       S_ISREG(st.st_mode) && st.st_size == size;
}

/* *good: what was copied has the digest. */
static int
copy_bytes(struct backup_copy *c, int from, int to, const char *sha256, bool *good, struct err *err)
{
	unsigned char digest[SHA256_SIZE];
	char hex[BLOB_HEX_SIZE];
	struct sha256 hash;
	bool fine = sha256_begin(&hash);
	ssize_t n = 0;

	while (fine && (n = TEMP_FAILURE_RETRY(read(from, c->chunk, sizeof(c->chunk)))) > 0) {
		if (FAULT_FAILS("backup", "write") || disk_write(to, slice_of(c->chunk, (size_t)n)) == -1) {
			sha256_drop(&hash);
			return err_disk(err, "write a blob to %s", c->incoming);
		}
		fine = sha256_add(&hash, c->chunk, (size_t)n);
	}
	/* a file that cannot be read is as bad as one with other bytes */
	*good = sha256_end(&hash, digest) && fine && n == 0;
	if (*good) {
		hex_encode(digest, sizeof(digest), hex);
		*good = strcmp(hex, sha256) == 0;
	}
	return 0;
}

static int
add_open(struct backup_copy *c, int from, const char *aside, const char *sha256, bool *good, struct err *err)
{
	int to = open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, c->file_mode | S_IWUSR);
	int rc;

	if (to == -1)
		return err_disk(err, "open %s", aside);
	rc = copy_bytes(c, from, to, sha256, good, err);
	if (rc == 0 && (fchmod(to, c->file_mode) == -1 ||
			   (geteuid() == 0 && fchown(to, c->like.st_uid, c->like.st_gid) == -1)))
		rc = err_disk(err, "set the mode of %s", aside);
	close(to);
	if (rc == -1 || !*good)
		(void)unlink(aside);
	return rc;
}

/* Lets the disk have everything of this file system. */
static int
sync_disk(const struct backup_copy *c, struct err *err)
{
	int fd = open(c->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = fd == -1 || FAULT_FAILS("backup", "sync") || syncfs(fd) == -1
		     ? err_disk(err, "sync %s", c->root)
		     : 0;

	if (fd != -1)
		close(fd);
	return rc;
}

static int
name_one(struct arena *a, struct backup_copy *c, const char *sha256, struct err *err)
{
	const char *first = arena_printf(a, "%s/%.2s", c->root, sha256);
	const char *second = arena_printf(a, "%s/%.2s", first, sha256 + 2);

	if (strncmp(c->made, sha256, FIRST_DIGITS) != 0 && backup_copy_dir(c, first, err) == -1)
		return -1;
	memcpy(c->made, sha256, FIRST_DIGITS);
	if (backup_copy_dir(c, second, err) == -1)
		return -1;
	if (rename(arena_printf(a, "%s/%s", c->incoming, sha256),
		arena_printf(a, "%s/%s", second, sha256)) == -1)
		return err_disk(err, "rename %s", sha256);
	return 0;
}

static int
name_batch(struct arena *a, struct backup_copy *c, struct err *err)
{
	if (c->objects != NULL)
		return 0;
	if (c->n > 0 && sync_disk(c, err) == -1)
		return -1;
	FAULT_POINT("backup", "synced");
	for (size_t i = 0; i < c->n; i++) {
		if (name_one(a, c, c->names[i], err) == -1)
			return -1;
	}
	c->n = 0;
	c->batch_bytes = 0;
	return 0;
}

/* An object store checks the digest as well.  This check comes first, so that a bad source is no error. */
static int
upload(struct arena *a, struct backup_copy *c, int fd, const char *sha256, int64_t size, bool *good,
    struct err *err)
{
	if (blob_hash_file(fd, sha256, good) == -1)
		*good = false;
	return *good ? c->objects->kind->put(c->objects, a, sha256, fd, size, err) : 0;
}

/* Gives the blobs in `incoming` their names when they are a full batch. */
static int
note(struct arena *a, struct backup_copy *c, const char *sha256, int64_t size, struct err *err)
{
	c->blobs++;
	c->bytes += size;
	if (c->objects != NULL)
		return 0;
	memcpy(c->names[c->n++], sha256, BLOB_HEX_SIZE);
	c->batch_bytes += size;
	return c->n == BATCH || c->batch_bytes >= BATCH_BYTES ? name_batch(a, c, err) : 0;
}

/* Adds the blob that fd reads, and closes fd. */
static int
add(struct arena *a, struct backup_copy *c, int fd, const char *sha256, int64_t size, bool *good,
    struct err *err)
{
	struct stat st;
	int rc;

	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode) || st.st_size != size) {
		close(fd);
		return 0;
	}
	if (c->objects != NULL)
		rc = upload(a, c, fd, sha256, size, good, err);
	else
		rc = add_open(c, fd, arena_printf(a, "%s/%s", c->incoming, sha256), sha256, good, err);
	close(fd);
	return rc == -1 || !*good ? rc : note(a, c, sha256, size, err);
}

int
backup_copy_add(struct arena *a, struct backup_copy *c, const char *from, const char *sha256, int64_t size,
    bool *good, struct err *err)
{
	int fd = open(from, BLOB_OPEN);

	*good = false;
	return fd == -1 ? 0 : add(a, c, fd, sha256, size, good, err);
}

int
backup_copy_add_from(struct arena *a, struct backup_copy *c, const struct blob_store *store, const char *key,
    const char *sha256, int64_t size, bool *good, struct err *err)
{
	int fd, rc = store->kind->open(store, a, key, size, &fd, err);

	*good = false;
	if (rc == -1 && (err->status == 409 || (err->status == 500 && !store->kind->copies))) {
		/* a file that cannot be opened, or is too large, is as bad as none */
		err_clear(err);
		return 0;
	}
	return rc == 1 ? add(a, c, fd, sha256, size, good, err) : rc;
}

int
backup_copy_add_missing(struct arena *a, struct backup_copy *c, const struct blob_store *store,
    const char *key, const char *sha256, int64_t size, bool *good, struct err *err)
{
	int there = has(a, c, sha256, size, err);

	*good = there == 1;
	if (there == -1)
		return -1;
	return there == 1 ? 0 : backup_copy_add_from(a, c, store, key, sha256, size, good, err);
}

int
backup_copy_end(struct arena *a, struct backup_copy *c, struct err *err)
{
	return name_batch(a, c, err) == -1 || (c->objects == NULL && sync_disk(c, err) == -1) ? -1 : 0;
}

void
backup_copy_count(const struct backup_copy *c, int64_t *blobs, int64_t *bytes)
{
	*blobs = c->blobs;
	*bytes = c->bytes;
}
