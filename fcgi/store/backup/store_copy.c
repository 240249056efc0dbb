#include "store/backup/store_copy.h"

#include <string.h>

#include "base/fault.h"
#include "store/backup/backup_copy.h"
#include "store/blob/blob.h"
#include "store/blob/store_file.h"
#include "store/blob/store_identity.h"

enum { PAGE = 1000 };

/* A store without an id is new, or of an old version. */
static int
check_registry(const struct blob_store *store, const char *registry, struct err *err)
{
	char id[REGISTRY_ID_SIZE + 1] = "";

	if (store_file_read(store, STORE_ID_FILE, id, sizeof(id), err) == -1)
		return -1;
	if (id[0] == '\0' || strcmp(id, registry) == 0)
		return 0;
	return err_set(err, 409, "the store %s belongs to the registry %s, and the database is the registry %s: "
	    "name a store of that registry, or an empty one", store->name, id, registry);
}

static int
copy_one(struct arena *a, struct store_copy *c, struct backup_copy *copy, const char *sha256, int64_t size,
    struct err *err)
{
	int there = backup_copy_has(a, copy, sha256, size, err);
	bool good;

	if (there != 0)
		return there == 1 ? 0 : -1;
	if (backup_copy_add_from(a, copy, c->from, blob_path(a, sha256), sha256, size, &good, err) == -1)
		return -1;
	FAULT_POINT("store_copy", "copied");
	c->missing += !good;
	return 0;
}

/* *after: the last blob of the page.  *n: how many it has. */
static int
copy_page(struct arena *a, struct store_copy *c, struct backup_copy *copy, char after[BLOB_HEX_SIZE], int *n,
    struct err *err)
{
	enum { COLUMNS_STORE_BLOBS };
	struct db_params p = { .n = 0 };
	struct db_result r;

	db_bind_str(&p, after);
	db_bind_int(&p, PAGE);
	if (db_exec(c->db, a, STMT_STORE_BLOBS, &p, &r, err) == -1)
		return -1;
	for (int i = 0; i < r.rows; i++) {
		struct arena *piece = arena_new();
		int rc = copy_one(piece, c, copy, db_str(&r, i, SHA256), db_int(&r, i, SIZE), err);

		arena_free(piece);
		if (rc == -1)
			return -1;
	}
	c->blobs += r.rows;
	*n = r.rows;
	if (r.rows > 0)
		memcpy(after, db_str(&r, r.rows - 1, SHA256), BLOB_HEX_SIZE);
	return 0;
}

int
store_copy_run(struct arena *a, struct store_copy *c, struct err *err)
{
	struct store_identity identity = { 0 };
	char after[BLOB_HEX_SIZE] = "";
	struct backup_copy *copy;
	int n = 1;

	if (store_identity_registry(c->db, a, &identity, err) == -1 ||
	    check_registry(c->from, identity.registry, err) == -1 ||
	    check_registry(c->to, identity.registry, err) == -1 || backup_copy_to_store(a, c->to, &copy, err) == -1)
		return -1;
	while (n > 0) {
		struct arena *page = arena_new();
		int rc = copy_page(page, c, copy, after, &n, err);

		arena_free(page);
		if (rc == -1)
			return -1;
	}
	if (backup_copy_end(a, copy, err) == -1)
		return -1;
	backup_copy_count(copy, &c->copied, &c->copied_bytes);
	return store_file_write(c->to, STORE_ID_FILE, identity.registry, false, err) == -1 ? -1 : 0;
}
