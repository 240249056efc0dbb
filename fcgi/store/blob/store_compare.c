#include "store/blob/store_compare.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/hex.h"
#include "base/sha256.h"
#include "store/blob/blob.h"
#include "store/blob/blob_names.h"
#include "store/blob/store_file.h"

enum { PAGE = 500, DIRECTORIES = 256, PERCENT = 100 };

/* Compares one page of blobs.  *after: the last of them.  *n: how many. */
static int
compare_page(struct db *db, struct arena *a, const char *store, char after[BLOB_HEX_SIZE],
    struct store_comparison *c, int *n, struct err *err)
{
	enum { COLUMNS_STORE_BLOBS };
	struct db_params p = { .n = 0 };
	struct db_result r;

	db_bind_str(&p, after);
	db_bind_int(&p, PAGE);
	if (db_exec(db, a, STMT_STORE_BLOBS, &p, &r, err) == -1)
		return -1;
	for (int i = 0; i < r.rows; i++) {
		const char *sha256 = db_str(&r, i, SHA256);
		struct stat st;

		c->blobs++;
		if (lstat(arena_printf(a, "%s/%s", store, blob_path(a, sha256)), &st) == -1 || !S_ISREG(st.st_mode))
			c->missing++;
		else if (st.st_size != db_int(&r, i, SIZE))
			c->other_size++;
	}
	*n = r.rows;
	if (r.rows > 0)
		memcpy(after, db_str(&r, r.rows - 1, SHA256), BLOB_HEX_SIZE);
	return 0;
}

static int
count_unknown(struct db *db, struct arena *a, struct blob_names *names, struct store_comparison *c,
    struct err *err)
{
	if (blob_names_keep_unknown(db, a, names, err) == -1)
		return -1;
	c->unknown += (int64_t)names->n;
	names->n = 0;
	return 0;
}

/* Compares the files of one directory, STORE/ab/cd. */
static int
compare_files(struct db *db, struct arena *a, const char *path, struct blob_names *names,
    struct store_comparison *c, struct err *err)
{
	DIR *d = opendir(path);
	unsigned char digest[SHA256_SIZE];
	struct dirent *entry;
	int rc = 0;

	if (d == NULL)
		return errno == ENOENT || errno == ENOTDIR ? 0 : err_sys(err, "store: open %s", path);
	while (rc == 0 && (entry = readdir(d)) != NULL) {
		if (!hex_decode(slice_str(entry->d_name), digest, sizeof(digest)))
			continue;
		c->files++;
		blob_names_add(names, a, entry->d_name);
		if (blob_names_full(names))
			rc = count_unknown(db, a, names, c, err);
	}
	closedir(d);
	return rc;
}

/* Compares the files of one directory, STORE/ab. */
static int
compare_directory(struct db *db, struct arena *a, const char *store, int first,
    struct store_comparison *c, struct err *err)
{
	struct blob_names *names = arena_alloc(a, sizeof(*names));

	for (int second = 0; second < DIRECTORIES; second++) {
		if (compare_files(db, a, arena_printf(a, "%s/%02x/%02x", store, (unsigned)first, (unsigned)second),
		        names, c, err) == -1)
			return -1;
	}
	return count_unknown(db, a, names, c, err);
}

int
store_compare(struct db *db, const char *store, struct store_comparison *c, struct err *err)
{
	struct arena *piece = arena_new();
	char after[BLOB_HEX_SIZE] = "";
	int n = 1, rc;

	*c = (struct store_comparison) { 0 };
	rc = store_file_read(store, STORE_ID_FILE, c->store_id, sizeof(c->store_id), err) == -1 ? -1 : 0;
	if (rc == 0)
		rc = db_connect(db, err);
	while (rc == 0 && n > 0) {
		rc = compare_page(db, piece, store, after, c, &n, err);
		arena_reset(piece);
	}
	for (int i = 0; rc == 0 && i < DIRECTORIES; i++) {
		rc = compare_directory(db, piece, store, i, c, err);
		arena_reset(piece);
	}
	arena_free(piece);
	return rc;
}

const char *
store_comparison_judge(struct arena *a, const struct store_comparison *c, const char *registry)
{
	int64_t lost = c->missing + c->other_size;

	if (c->store_id[0] != '\0' && strcmp(c->store_id, registry) != 0)
		return arena_printf(a, "the store belongs to the registry %s, but the database is the registry %s",
		    c->store_id, registry);
	if (lost * PERCENT > c->blobs * STORE_MISSING_PERCENT)
		return arena_printf(a, "the store lacks %" PRId64 " of the %" PRId64 " blobs that versions need, or has "
		    "them with another size", lost, c->blobs);
	/* a store with the id is the registry's: what the database does not know it has lost, and can get again */
	if (c->store_id[0] == '\0' && c->unknown * PERCENT > c->files * STORE_UNKNOWN_PERCENT)
		return arena_printf(a, "the database does not know %" PRId64 " of the %" PRId64 " files of the store, "
		    "and a collection would remove them", c->unknown, c->files);
	return NULL;
}
