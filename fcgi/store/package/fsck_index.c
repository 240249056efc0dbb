#include "store/package/fsck_index.h"

#include <string.h>

#include "base/gzip.h"
#include "base/sha256.h"
#include "store/package/crate.h"
#include "store/package/index_rebuild.h"

enum { CRATES_PAGE = 20 };

struct checked {
	int64_t id, project_id;
	const char *path, *name;
	const char *wrong; /* NULL: no problem */
	bool has_file;
	unsigned char digest[SHA256_SIZE]; /* of the file's text */
};

struct check {
	struct arena *arena;
	struct checked crates[CRATES_PAGE];
	size_t n; /* crates so far; the lines of the last one are being read */
	struct sha256 lines;
	size_t nlines;
};

static int
hash_piece(void *arg, struct slice piece, struct err *err)
{
	(void)err;
	(void)sha256_add(arg, piece.p, piece.n);
	return 0;
}

/* Computes the digest of the unpacked text.  False: it cannot be unpacked. */
static bool
digest_file(struct slice body, unsigned char digest[SHA256_SIZE])
{
	struct sha256 hash;
	struct err wrong = { 0 };
	bool good = sha256_begin(&hash) &&
	    gzip_read(body, INDEX_REBUILD_MAX, hash_piece, &hash, &wrong) == 0;

	return sha256_end(&hash, digest) && good;
}

/* Judges the last crate, whose lines have all been read. */
static int
end_crate(struct check *check, struct err *err)
{
	struct checked *c = check->n > 0 ? &check->crates[check->n - 1] : NULL;
	unsigned char digest[SHA256_SIZE];

	if (c == NULL)
		return 0;
	if (!sha256_end(&check->lines, digest))
		return err_internal(err, 500, "sha256 of an index file failed");
	if (c->wrong != NULL)
		return 0;
	if (check->nlines == 0)
		c->wrong = c->has_file ? "the crate has an index file and no version" : NULL;
	else if (!c->has_file)
		c->wrong = "the crate has versions and no index file";
	else if (memcmp(digest, c->digest, SHA256_SIZE) != 0)
		c->wrong = "its lines differ from the versions";
	return 0;
}

static int
begin_crate(struct check *check, const struct db_result *r, struct err *err)
{
	enum { COLUMNS_FSCK_INDEXES };
	struct checked *c;

	if (end_crate(check, err) == -1)
		return -1;
	if (!sha256_begin(&check->lines))
		return err_internal(err, 500, "sha256 of an index file cannot start");
	check->nlines = 0;
	c = &check->crates[check->n++];
	*c = (struct checked) {
		.id = db_int(r, 0, ID),
		.project_id = db_int(r, 0, PROJECT_ID),
		.path = arena_slicedup(check->arena, db_slice(r, 0, PATH)),
		.name = arena_slicedup(check->arena, db_slice(r, 0, NAME)),
		.has_file = !db_is_null(r, 0, BODY),
	};
	if (!db_bool(r, 0, COUNTED))
		c->wrong = "the crate's number of listed versions is wrong";
	else if (!db_bool(r, 0, ENDS_RIGHT))
		c->wrong = "its last line is of another version than recorded";
	else if (!db_bool(r, 0, SEARCHED))
		c->wrong = "a search shows another version of the crate than it should";
	else if (c->has_file && !digest_file(db_slice(r, 0, BODY), c->digest))
		c->wrong = "it cannot be unpacked";
	return 0;
}

/* Takes a row of fsck_indexes. */
static int
take_row(void *arg, const struct db_result *r, struct err *err)
{
	enum { COLUMNS_FSCK_INDEXES };
	struct check *check = arg;
	struct slice line;

	if (db_is_null(r, 0, LINE))
		return begin_crate(check, r, err);
	line = db_slice(r, 0, LINE);
	(void)sha256_add(&check->lines, line.p, line.n);
	(void)sha256_add(&check->lines, "\n", 1);
	check->nlines++;
	return 0;
}

static void
drop_check(void *arg)
{
	struct check *check = arg;

	sha256_drop(&check->lines);
}

static int
read_page(struct fsck *f, struct check *check, int64_t after, struct err *err)
{
	enum { PATIENCE, INDEXES, NCALLS };
	struct db_call calls[NCALLS] = {
		[PATIENCE] = { .stmt = STMT_SESSION_LIFT_TIMEOUT },
		[INDEXES] = { .stmt = STMT_FSCK_INDEXES, .row = take_row, .arg = check },
	};

	db_bind_int(&calls[INDEXES].params, after);
	db_bind_int(&calls[INDEXES].params, CRATES_PAGE);
	if (db_run(f->db, check->arena, calls, NCALLS, err) == -1)
		return -1;
	return end_crate(check, err);
}

struct repair {
	struct arena *arena;
	const struct audit_actor *actor;
	int64_t crate_id;
	struct audit_event event;
};

static int
repair_body(struct db *db, void *arg, struct err *err)
{
	enum { LOCK, REBUILD };
	const struct repair *repair = arg;
	struct db_call calls[REBUILD + INDEX_REBUILD_CALLS] = { [LOCK] = { .stmt = STMT_FSCK_LOCK } };
	struct index_rebuild *rebuild;

	db_bind_int(&calls[LOCK].params, repair->crate_id);
	if (db_run(db, repair->arena, &calls[LOCK], 1, err) == -1)
		return -1;
	/* a round trip of its own: a statement sees the commits before its start */
	rebuild = index_rebuild_begin(repair->arena, repair->crate_id, &calls[REBUILD], err);
	if (rebuild == NULL ||
	    db_run(db, repair->arena, &calls[REBUILD], INDEX_REBUILD_CALLS, err) == -1 ||
	    index_rebuild_end(rebuild, db, repair->arena, err) == -1)
		return -1;
	return audit_add(db, repair->arena, repair->actor, &repair->event, err);
}

static int
tell(struct fsck *f, struct arena *a, const struct checked *c, struct err *err)
{
	struct repair repair = { a, &f->actor, c->id, { .action = AUDIT_CRATE_REPAIR,
		.project_id = c->project_id, .crate = c->name,
		.facts = { { "wrong", c->wrong, false } } } };
	bool unknown;

	if (f->repair && db_transaction(f->db, repair_body, &repair, &unknown, err) == -1)
		return -1;
	fsck_report(f, FSCK_INDEX, arena_printf(a, "%s %s", c->path, c->name), c->wrong, f->repair);
	return 0;
}

int
fsck_check_indexes(struct fsck *f, struct arena *a, struct fsck_progress *progress, struct err *err)
{
	struct check *check = arena_alloc(a, sizeof(*check));

	*check = (struct check) { .arena = a };
	arena_defer(a, drop_check, check);
	if (read_page(f, check, progress->after_crate, err) == -1)
		return -1;
	for (size_t i = 0; i < check->n; i++) {
		const struct checked *c = &check->crates[i];

		f->crates++;
		progress->after_crate = c->id;
		if (c->wrong != NULL && tell(f, a, c, err) == -1)
			return -1;
	}
	if (check->n < CRATES_PAGE)
		progress->step = FSCK_BLOBS;
	return 0;
}
