#include "store/blob/blob_objects.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/hex.h"
#include "base/sha256.h"
#include "net/s3.h"
#include "store/blob/blob.h"
#include "store/blob/blob_copies.h"
#include "store/blob/blob_dir.h"
#include "store/blob/blob_files.h"

enum { REMEMBER_US = 10 * CLOCK_SECOND, HEX = 16 };

/*
 * Makes the directory of copies like that of a store.  Whether the object store answers shows at the first
 * request.
 */
static int
objects_check(const struct blob_store *store, struct err *err)
{
	if (blob_files.check(store, err) == -1)
		return -1;
	if (!blob_copies_is_store(store))
		return 0;
	return err_internal(err, 500, "store_copies: %s is itself a store, and Berth would remove its blobs "
	    "like copies: name another directory, or, if nobody uses that store any more, remove its " STORE_ID_FILE,
	    store->dir);
}

static int
objects_stat(const struct blob_store *store, struct arena *a, const char *key, struct blob_stat *out,
    struct err *err)
{
	struct s3_object object;
	int rc = s3_head(store->s3, a, key, &object, err);

	if (rc == 1)
		*out = (struct blob_stat) { object.size, object.modified, true };
	return rc;
}

static int
objects_open(const struct blob_store *store, struct arena *a, const char *key, int64_t max, int *fd,
    struct err *err)
{
	struct s3_object object;
	int rc;

	*fd = blob_dir_unnamed(a, store->dir, err);
	if (*fd == -1)
		return -1;
	rc = s3_get(store->s3, a, key, *fd, max, &object, err);
	if (rc == 1 && lseek(*fd, 0, SEEK_SET) == -1)
		rc = err_disk(err, "blob store: seek %s", key);
	if (rc == -1 && err->status == 503 && s3_fails_alone(store->s3, key))
		rc = err_set(err, 409, "%s", arena_strdup(a, err->detail));
	if (rc != 1)
		blob_fd_close(fd);
	return rc;
}

/* The part of the key after `under`.  NULL: the key does not have the form of the keys there. */
static const char *
entry_name(struct arena *a, const char *under, const char *key)
{
	unsigned char digest[SHA256_SIZE];
	const char *name = strrchr(key, '/');
	size_t bytes = strcmp(under, STORE_NODES) == 0 ? STORE_NODE_FILE_BYTES : SHA256_SIZE;

	if (name == NULL || !hex_decode(slice_str(++name), digest, bytes))
		return NULL;
	if (strcmp(under, STORE_NODES) == 0 || strcmp(under, BLOB_TRASH) == 0)
		return strcmp(key, arena_printf(a, "%s/%s", under, name)) == 0 ? name : NULL;
	return strcmp(key, blob_path(a, name)) == 0 ? name : NULL;
}

/* 1: stopped. */
static int
go_over(struct arena *a, const struct s3_page *page, const char *under, blob_each *each, void *arg,
    struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < page->n; i++) {
		const struct s3_entry *e = &page->entries[i];
		const struct blob_entry found = { entry_name(a, under, e->key), { e->size, e->modified, true } };

		if (found.name != NULL)
			rc = each(arg, &found, err);
	}
	return rc;
}

static int
objects_list(const struct blob_store *store, const char *under, blob_each *each, void *arg, struct err *err)
{
	char prefix[HEX], after[S3_KEY_MAX + 1] = "";
	struct s3_page page = { .more = true };
	int rc = 0;

	snprintf(prefix, sizeof(prefix), "%s%s", under, under[0] != '\0' ? "/" : "");
	while (rc == 0 && page.more) {
		struct arena *a = arena_new();

		rc = s3_list(store->s3, a, prefix, after, &page, err);
		if (rc == 0 && page.more)
			snprintf(after, sizeof(after), "%s", page.entries[page.n - 1].key);
		if (rc == 0)
			rc = go_over(a, &page, under, each, arg, err);
		arena_free(a);
	}
	return rc == -1 ? -1 : 0;
}

/* Finds out whether the object has these bytes: by the digest that the store keeps, or by reading it. */
static int
is_same(const struct blob_store *store, struct arena *a, const char *key, const char *sha256, int64_t size,
    bool *same, struct err *err)
{
	struct s3_object object = { .size = 0 };
	int rc = s3_head(store->s3, a, key, &object, err), fd;

	*same = rc == 1 && object.size == size && strcmp(object.sha256, sha256) == 0;
	if (rc != 1 || object.size != size || object.sha256[0] != '\0')
		return rc;
	rc = objects_open(store, a, key, size, &fd, err);
	if (rc != 1)
		return rc;
	if (blob_hash_file(fd, sha256, same) == -1)
		rc = err_sys(err, "blob store: read %s", key);
	close(fd);
	return rc;
}

static int
objects_put(const struct blob_store *store, struct arena *a, const char *sha256, int fd, int64_t size,
    struct err *err)
{
	const char *key = blob_path(a, sha256);
	int rc = s3_put(store->s3, a, key, fd, size, sha256, true, err);
	bool same = false;

	FAULT_POINT("s3", "uploaded");
	if (rc != 0)
		return rc == 1 ? 0 : -1;
	if (is_same(store, a, key, sha256, size, &same, err) == -1)
		return -1;
	return same || s3_put(store->s3, a, key, fd, size, sha256, false, err) == 1 ? 0 : -1;
}

static int
move(const struct blob_store *store, struct arena *a, const char *from, const char *to, struct err *err)
{
	if (s3_copy(store->s3, a, from, to, err) == -1)
		return -1;
	return s3_remove(store->s3, a, from, err);
}

static int
objects_trash(const struct blob_store *store, struct arena *a, const char *sha256, struct err *err)
{
	if (move(store, a, blob_path(a, sha256), blob_trash_path(a, sha256), err) == -1)
		return -1;
	FAULT_POINT("collect", "trashed");
	return 0;
}

static int
objects_untrash(const struct blob_store *store, struct arena *a, const char *sha256, struct err *err)
{
	return move(store, a, blob_trash_path(a, sha256), blob_path(a, sha256), err);
}

static int
objects_remove(const struct blob_store *store, struct arena *a, const char *key, struct err *err)
{
	return s3_remove(store->s3, a, key, err);
}

static int
objects_read_line(const struct blob_store *store, const char *key, char *line, size_t size, struct err *err)
{
	struct arena *a = arena_new();
	struct slice text;
	int rc = s3_get_text(store->s3, a, key, &text, err);

	if (rc == 1) {
		snprintf(line, size, "%.*s", (int)text.n, text.p);
		line[strcspn(line, "\n")] = '\0';
	}
	arena_free(a);
	return rc;
}

static int
objects_write_line(const struct blob_store *store, const char *key, const char *line, bool replace,
    struct err *err)
{
	struct arena *a = arena_new();
	struct slice text;
	/* a store that does not support conditions would replace it */
	int rc = replace ? 0 : s3_get_text(store->s3, a, key, &text, err);

	if (rc == 0)
		rc = s3_put_text(store->s3, a, key, slice_str(arena_printf(a, "%s\n", line)), !replace, err);
	else if (rc == 1)
		rc = 0;
	arena_free(a);
	return rc;
}

const struct blob_kind blob_objects = {
	.dir_key = "store_copies",
	.copies = true,
	.remember_us = REMEMBER_US,
	.check = objects_check,
	.stat = objects_stat,
	.open = objects_open,
	.list = objects_list,
	.put = objects_put,
	.trash = objects_trash,
	.untrash = objects_untrash,
	.remove = objects_remove,
	.read_line = objects_read_line,
	.write_line = objects_write_line,
};
