#include "store/blob/store_compare.h"

#include <inttypes.h>
#include <string.h>

#include "store/blob/blob.h"
#include "store/blob/blob_names.h"
#include "store/blob/store_file.h"

enum { PAGE = 500, DIRECTORIES = 256, PERCENT = 100 };

/* Compares one page of blobs.  *after: the last of them.  *n: how many. */
static int
compare_page(struct db *db, struct arena *a, const struct blob_store *store, char after[BLOB_HEX_SIZE],
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
		struct blob_stat st = { .regular = false };

		c->blobs++;
		if (store->kind->stat(store, a, blob_path(a, sha256), &st, err) == -1)
			return -1;
		if (!st.regular)
			c->missing++;
		else if (st.size != db_int(&r, i, SIZE))
			c->other_size++;
	}
	*n = r.rows;
	if (r.rows > 0)
		memcpy(after, db_str(&r, r.rows - 1, SHA256), BLOB_HEX_SIZE);
	return 0;
}

struct files {
	struct db *db;
	struct arena *arena;
	struct blob_names *names;
	struct store_comparison *c;
};

static int
count_unknown(struct files *f, struct err *err)
{
	if (blob_names_keep_unknown(f->db, f->arena, f->names, err) == -1)
		return -1;
	f->c->unknown += (int64_t)f->names->n;
	f->names->n = 0;
	return 0;
}

static int
look_at(void *arg, const struct blob_entry *e, struct err *err)
{
	struct files *f = arg;

	f->c->files++;
	blob_names_add(f->names, f->arena, e->name);
	return blob_names_full(f->names) ? count_unknown(f, err) : 0;
}

/* Compares the files of one directory, STORE/ab. */
static int
compare_directory(struct db *db, struct arena *a, const struct blob_store *store, unsigned first,
    struct store_comparison *c, struct err *err)
{
	struct files f = { db, a, arena_alloc(a, sizeof(*f.names)), c };

	if (store->kind->list(store, arena_printf(a, "%02x", first), look_at, &f, err) == -1)
		return -1;
	return count_unknown(&f, err);
}

int
store_compare(struct db *db, const struct blob_store *store, struct store_comparison *c, struct err *err)
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
	for (unsigned i = 0; rc == 0 && i < DIRECTORIES; i++) {
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
	/*
	 * a store with the id belongs to the registry: the database has lost the unknown blobs, and can get
	 * them back
	 */
	if (c->store_id[0] == '\0' && c->unknown * PERCENT > c->files * STORE_UNKNOWN_PERCENT)
		return arena_printf(a, "the database does not know %" PRId64 " of the %" PRId64 " files of the store, "
		    "and a collection would remove them", c->unknown, c->files);
	return NULL;
}
