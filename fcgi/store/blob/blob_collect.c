#include "store/blob/blob_collect.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/hex.h"
#include "store/blob/blob.h"
#include "store/blob/blob_names.h"
#include "store/blob/blob_trash.h"

int
blob_look(struct db *db, struct arena *a, const char *after, int64_t keep,
    struct blob_look **looks, size_t *n, struct err *err)
{
	enum { COLUMNS_BLOB_LOOK };
	struct db_params p = { .n = 0 };
	struct db_result r;

	db_bind_str(&p, after);
	db_bind_int(&p, keep);
	if (db_exec(db, a, STMT_BLOB_LOOK, &p, &r, err) == -1)
		return -1;
	*n = (size_t)r.rows;
	*looks = arena_calloc(a, *n, sizeof(**looks));
	for (int i = 0; i < r.rows; i++)
		(*looks)[i] = (struct blob_look) { db_str(&r, i, SHA256), db_bool(&r, i, IS_DUE) };
	return 0;
}

struct collect {
	struct arena *arena;
	const struct blob_pass *pass;
	const char *sha256;
	bool known; /* it has a row */
	bool removed;
};

static int
collect_body(struct db *db, void *arg, struct err *err)
{
	struct collect *c = arg;
	struct db_params name = { .n = 0 }, p = { .n = 0 };
	struct db_result r;

	db_bind_str(&name, c->sha256);
	db_bind_str(&p, c->sha256);
	if (c->known)
		db_bind_int(&p, c->pass->keep);
	if (db_exec(db, c->arena, c->known ? STMT_BLOB_TAKE : STMT_BLOB_TAKE_NAME, &p, &r, err) == -1)
		return -1;
	c->removed = r.affected == 1;
	if (!c->removed)
		return 0;
	FAULT_POINT("collect", "taken");
	/* the file may be in the trash already: an earlier run died between file and row */
	if (blob_trash_put(c->arena, c->pass->store, c->sha256, err) == -1)
		return -1;
	return c->known ? 0 : db_exec(db, c->arena, STMT_BLOB_DROP_NAME, &name, NULL, err);
}

static int
collect(struct db *db, struct collect *c, struct err *err)
{
	bool unknown;

	if (db_transaction(db, collect_body, c, &unknown, err) == 0) {
		FAULT_POINT("collect", "collected");
		return 0;
	}
	c->removed = false;
	/* a publish holds the row; the next run takes it */
	if (err->status == 503 && db_fd(db) != -1) {
		err_clear(err);
		return 0;
	}
	return -1;
}

static bool
has_file(struct arena *a, const char *store, const char *sha256)
{
	struct stat st;

	return lstat(arena_printf(a, "%s/%s", store, blob_path(a, sha256)), &st) == 0;
}

int
blob_collect(struct db *db, struct arena *a, struct blob_pass *pass, const char *sha256, struct err *err)
{
	struct collect c = { .arena = a, .pass = pass, .sha256 = sha256, .known = true };
	bool file = has_file(a, pass->store, sha256);
	int rc;

	/* a row without a file counts for nothing: removing it removes no bytes */
	if (!pass->take) {
		pass->due += file;
		return 0;
	}
	if (file && pass->left == 0)
		return 0;
	rc = collect(db, &c, err);
	pass->rows += c.removed;
	pass->left -= c.removed && file;
	return rc;
}

/* names: files that are old enough. */
static int
take_unknown(struct db *db, struct arena *a, struct blob_pass *pass, struct blob_names *names,
    struct err *err)
{
	if (blob_names_keep_unknown(db, a, names, err) == -1)
		return -1;
	if (!pass->take)
		pass->due += (int64_t)names->n;
	for (size_t i = 0; pass->take && pass->left > 0 && i < names->n; i++) {
		struct collect c = { .arena = a, .pass = pass, .sha256 = names->v[i] };

		if (collect(db, &c, err) == -1)
			return -1;
		pass->unknown += c.removed;
		pass->left -= c.removed;
	}
	names->n = 0;
	return 0;
}

/* Is it a blob in its place?  *old: its time is not after `before`. */
static bool
is_blob(int dir, const char *name, const char *prefix, time_t before, bool *old)
{
	unsigned char digest[32];
	struct stat st;

	if (strncmp(name, prefix, strlen(prefix)) != 0 ||
	    !hex_decode(slice_str(name), digest, sizeof(digest)) ||
	    fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == -1 || !S_ISREG(st.st_mode))
		return false;
	*old = st.st_mtime <= before;
	return true;
}

/* Goes over the files of STORE/ab/cd/. */
static int
walk_files(struct db *db, struct arena *a, struct blob_pass *pass, const char *first,
    const char *second, struct blob_names *names, struct err *err)
{
	const char *prefix = arena_printf(a, "%s%s", first, second);
	time_t before = time(NULL) - (time_t)pass->keep;
	DIR *d = opendir(arena_printf(a, "%s/%s/%s", pass->store, first, second));
	struct dirent *entry;
	int rc = 0;

	if (d == NULL)
		return errno == ENOENT || errno == ENOTDIR ? 0 : err_sys(err, "blob store: opendir");
	while (rc == 0 && (entry = readdir(d)) != NULL) {
		bool old;

		if (!is_blob(dirfd(d), entry->d_name, prefix, before, &old))
			continue;
		pass->files++;
		if (!old)
			continue;
		blob_names_add(names, a, entry->d_name);
		if (blob_names_full(names))
			rc = take_unknown(db, a, pass, names, err);
	}
	closedir(d);
	return rc;
}

int
blob_collect_files(struct db *db, struct arena *a, struct blob_pass *pass, const char *first,
    struct err *err)
{
	struct blob_names *names = arena_alloc(a, sizeof(*names));
	DIR *d = opendir(arena_printf(a, "%s/%s", pass->store, first));
	struct dirent *entry;
	unsigned char byte;
	int rc = 0;

	if (d == NULL)
		return errno == ENOENT ? 0 : err_sys(err, "blob store: opendir");
	while (rc == 0 && (entry = readdir(d)) != NULL) {
		if (hex_decode(slice_str(entry->d_name), &byte, 1))
			rc = walk_files(db, a, pass, first, entry->d_name, names, err);
	}
	closedir(d);
	return rc == 0 ? take_unknown(db, a, pass, names, err) : -1;
}
