#include "store/blob/store_compare.h"

#include <inttypes.h>
#include <string.h>

#include "store/blob/blob.h"
#include "store/blob/blob_names.h"
#include "store/blob/blob_needed.h"
#include "store/blob/store_file.h"

enum { DIRECTORIES = 256, PERCENT = 100 };

/* What looks for the blobs of the database in a store. */
struct looking {
	const struct blob_store *store;
	struct store_comparison *c;
};

static int
look_for(void *arg, struct arena *a, const char *sha256, int64_t size, struct err *err)
{
	const struct looking *l = arg;
	struct blob_stat st = { .regular = false };

	l->c->blobs++;
	if (l->store->kind->stat(l->store, a, blob_path(a, sha256), &st, err) == -1)
		return -1;
	if (!st.regular)
		l->c->missing++;
	else if (st.size != size)
		l->c->other_size++;
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
	struct looking l = { store, c };
	int rc;

	*c = (struct store_comparison) { 0 };
	rc = store_file_read(store, STORE_ID_FILE, c->store_id, sizeof(c->store_id), err) == -1 ? -1 : 0;
	if (rc == 0)
		rc = db_connect(db, err);
	if (rc == 0)
		rc = blob_needed_each(db, look_for, &l, err);
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
