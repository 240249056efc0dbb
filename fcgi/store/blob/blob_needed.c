#include "store/blob/blob_needed.h"

#include <string.h>

#include "store/blob/blob.h"

enum { PAGE = 1000 };

/* Goes over one page.  *after: its last blob.  *n: how many it has. */
static int
go_over_page(struct db *db, struct arena *page, char after[BLOB_HEX_SIZE], int *n, blob_needed_fn *fn,
    void *arg, struct err *err)
{
	enum { COLUMNS_STORE_BLOBS };
	struct db_params p = { .n = 0 };
	struct arena *piece;
	struct db_result r;
	int rc = 0;

	db_bind_str(&p, after);
	db_bind_int(&p, PAGE);
	if (db_exec(db, page, STMT_STORE_BLOBS, &p, &r, err) == -1)
		return -1;
	piece = arena_new();
	for (int i = 0; rc == 0 && i < r.rows; i++) {
		rc = fn(arg, piece, db_str(&r, i, SHA256), db_int(&r, i, SIZE), err);
		arena_reset(piece);
	}
	arena_free(piece);
	*n = r.rows;
	if (r.rows > 0)
		memcpy(after, db_str(&r, r.rows - 1, SHA256), BLOB_HEX_SIZE);
	return rc;
}

int
blob_needed_each(struct db *db, blob_needed_fn *fn, void *arg, struct err *err)
{
	struct arena *page = arena_new();
	char after[BLOB_HEX_SIZE] = "";
	int n = 1, rc = 0;

	while (rc == 0 && n > 0) {
		rc = go_over_page(db, page, after, &n, fn, arg, err);
		arena_reset(page);
	}
	arena_free(page);
	return rc;
}
