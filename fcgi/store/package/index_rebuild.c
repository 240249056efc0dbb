#include "store/package/index_rebuild.h"

#include "base/gzip.h"
#include "store/package/crate.h"

struct index_rebuild {
	int64_t crate_id;
	struct gzip_writer *gzip;
	size_t size; /* of the text so far */
	int64_t last; /* the version of the last line; 0: there is none */
};

static int
add_text(struct index_rebuild *ir, struct slice text, struct err *err)
{
	if (text.n > INDEX_REBUILD_MAX - ir->size)
		return err_set(err, 400, "the index file of this crate would have more than %d bytes",
		    INDEX_REBUILD_MAX);
	ir->size += text.n;
	return gzip_writer_add(ir->gzip, text, err);
}

/* Takes a row of crate_index_lines. */
static int
take_line(void *arg, const struct db_result *r, struct err *err)
{
	enum { COLUMNS_CRATE_INDEX_LINES };
	struct index_rebuild *ir = arg;

	ir->last = db_int(r, 0, ID);
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
	calls[PATIENCE] = (struct db_call) { .stmt = STMT_SESSION_LIFT_TIMEOUT };
	calls[LINES] = (struct db_call) { .stmt = STMT_CRATE_INDEX_LINES, .row = take_line,
		.arg = ir };
	db_bind_int(&calls[LINES].params, crate_id);
	return ir;
}

int64_t
index_rebuild_size(const struct index_rebuild *ir)
{
	return (int64_t)ir->size;
}

int
index_rebuild_end(struct index_rebuild *ir, struct db *db, struct arena *a, struct err *err)
{
	struct db_call call = { .stmt = STMT_CRATE_SET_INDEX };
	struct db_params *p = &call.params;
	struct slice body;

	if (gzip_writer_end(ir->gzip, &body, err) == -1)
		return -1;
	db_bind_int(p, ir->crate_id);
	if (ir->size > 0)
		db_bind_bytes(p, body);
	else
		db_bind_null(p);
	db_bind_id(p, ir->last);
	return db_run_last(db, a, &call, 1, err);
}
