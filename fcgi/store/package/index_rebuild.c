#include "store/package/index_rebuild.h"

#include "base/gzip.h"
#include "base/sha256.h"
#include "store/package/crate.h"

struct index_rebuild {
	int64_t crate_id;
	struct gzip_writer *gzip;
	struct sha256 hash; /* of the text */
	size_t size; /* so far */
};

static void
drop_hash(void *arg)
{
	sha256_drop(arg);
}

static int
add_text(struct index_rebuild *ir, struct slice text, struct err *err)
{
	if (text.n > INDEX_REBUILD_MAX - ir->size)
		return err_set(err, 400, "the index file of this crate would have more than %d bytes",
		    INDEX_REBUILD_MAX);
	ir->size += text.n;
	/* an error shows at the end */
	(void)sha256_add(&ir->hash, text.p, text.n);
	return gzip_writer_add(ir->gzip, text, err);
}

/* Takes a row of crate_index_lines. */
static int
take_line(void *arg, const struct db_result *r, struct err *err)
{
	enum { COLUMNS_CRATE_INDEX_LINES };
	struct index_rebuild *ir = arg;

	if (add_text(ir, db_slice(r, 0, LINE), err) == -1)
		return -1;
	return add_text(ir, slice_of("\n", 1), err);
}

struct index_rebuild *
index_rebuild_begin(struct arena *a, int64_t crate_id, struct db_call calls[INDEX_REBUILD_CALLS],
    struct err *err)
{
	enum { PATIENCE, LINES };
	struct index_rebuild *ir = arena_alloc(a, sizeof(*ir));

	*ir = (struct index_rebuild) { .crate_id = crate_id };
	ir->gzip = gzip_writer_new(a, err);
	if (ir->gzip == NULL)
		return NULL;
	if (!sha256_begin(&ir->hash)) {
		err_internal(err, 500, "sha256 of an index file cannot start");
		return NULL;
	}
	arena_defer(a, drop_hash, &ir->hash);
	calls[PATIENCE] = (struct db_call) { .stmt = STMT_SESSION_LIFT_TIMEOUT };
	calls[LINES] = (struct db_call) { .stmt = STMT_CRATE_INDEX_LINES, .row = take_line,
		.arg = ir };
	db_bind_int(&calls[LINES].params, crate_id);
	return ir;
}

int
index_rebuild_end(struct index_rebuild *ir, struct db *db, struct arena *a, struct err *err)
{
	struct db_call call = { .stmt = STMT_CRATE_SET_INDEX };
	struct db_params *p = &call.params;
	unsigned char digest[SHA256_SIZE];
	char etag[CRATE_ETAG_SIZE];
	struct slice body;

	if (!sha256_end(&ir->hash, digest))
		return err_internal(err, 500, "sha256 of an index file failed");
	if (gzip_writer_end(ir->gzip, &body, err) == -1)
		return -1;
	crate_index_etag(digest, etag);
	db_bind_int(p, ir->crate_id);
	if (ir->size > 0) {
		db_bind_bytes(p, body);
		db_bind_str(p, etag);
	} else {
		db_bind_null(p);
		db_bind_null(p);
	}
	return db_run_last(db, a, &call, 1, err);
}
