#include "store/blob/blob_trash.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fault.h"
#include "store/blob/blob.h"
#include "store/blob/blob_dir.h"
#include "store/blob/blob_names.h"

bool
blob_trash_has(struct arena *a, const struct blob_store *store, const char *sha256)
{
	struct err err = { 0 };
	struct blob_stat st;

	return store->kind->stat(store, a, blob_trash_path(a, sha256), &st, &err) == 1 && st.regular;
}

int
blob_trash_restore(struct arena *a, const struct blob_store *store, const char *sha256, int64_t size,
    bool *restored, struct err *err)
{
	struct stat st;
	bool good = false;
	int fd, rc = store->kind->open(store, a, blob_trash_path(a, sha256), size == -1 ? BLOB_SIZE_MAX : size, &fd,
	    err);

	*restored = false;
	if (rc == -1 && err->status == 409) {
		/* a larger one is damaged */
		err_clear(err);
		return 0;
	}
	if (rc != 1)
		return rc;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (size == -1 || st.st_size == size) &&
	    blob_hash_file(fd, sha256, &good) == -1)
		good = false;
	close(fd);
	if (!good)
		return 0;
	if (store->kind->untrash(store, a, sha256, err) == -1)
		return -1;
	*restored = true;
	return 0;
}

struct old {
	struct arena *arena;
	struct blob_names *names;
	time_t before;
};

static int
add_old(void *arg, const struct blob_entry *e, struct err *err)
{
	struct old *old = arg;

	(void)err;
	if (e->st.regular && e->st.modified <= old->before)
		blob_names_add(old->names, old->arena, e->name);
	return blob_names_full(old->names);
}

/* Finds files that are old enough, up to a full batch. */
static int
find_old(struct arena *a, const struct blob_store *store, time_t before, struct blob_names *names,
    struct err *err)
{
	struct old old = { a, names, before };

	return store->kind->list(store, BLOB_TRASH, add_old, &old, err);
}

/* Puts blobs back that a version needs and the store lacks, and takes them off the list. */
static int
restore_used(struct db *db, struct arena *a, const struct blob_store *store, struct blob_names *names,
    struct blob_trash_emptied *emptied, struct err *err)
{
	struct blob_names *used = arena_alloc(a, sizeof(*used));

	*used = *names;
	if (blob_names_keep_used(db, a, used, err) == -1)
		return -1;
	for (size_t i = 0; i < used->n; i++) {
		const char *sha256 = used->v[i];
		struct blob_stat st;
		bool restored;
		int there = store->kind->stat(store, a, blob_path(a, sha256), &st, err);

		if (there == -1)
			return -1;
		if (there == 1)
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
blob_trash_empty(struct db *db, struct arena *a, const struct blob_store *store, int64_t keep,
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
		if (FAULT_FAILS("trash", "unlink"))
			return err_disk(err, "blob store: unlink %s", blob_trash_path(a, names->v[i]));
		if (store->kind->remove(store, a, blob_trash_path(a, names->v[i]), err) == -1)
			return -1;
		removed++;
	}
	emptied->removed += (int64_t)removed;
	/* without a removal the next call would find the same files again */
	*more = blob_names_full(names) && removed > 0;
	return 0;
}

static int
count(void *arg, const struct blob_entry *e, struct err *err)
{
	int64_t *n = arg;

	(void)e;
	(void)err;
	++*n;
	return 0;
}

int
blob_trash_count(const struct blob_store *store, int64_t *n, struct err *err)
{
	*n = 0;
	return store->kind->list(store, BLOB_TRASH, count, n, err);
}
