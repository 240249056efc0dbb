#include "store/package/fsck.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "store/blob/blob.h"
#include "store/blob/blob_trash.h"
#include "store/package/fsck_index.h"
#include "store/package/fsck_source.h"

enum {
	BLOBS_PAGE = 500,
	VERSIONS_PAGE = 5000,
	NAMED_MAX = 10 /* versions that have the same bytes */
};

static const char *
version_subject(struct arena *a, const char *project, const char *crate, const char *version)
{
	return arena_printf(a, "%s %s@%s", project, crate, version);
}

/* ---- blobs ---- */

/* One of the store's files, as a version needs it. */
struct blob {
	const char *sha256;
	int64_t size;
	bool damaged; /* an earlier check has found it damaged */
};

/* A problem for each version with these bytes, or, with a size, for each of those that say another. */
static int
report_blob(struct fsck *f, struct arena *a, enum fsck_kind kind, const struct blob *blob, bool other_size,
    const char *detail, bool repaired, struct err *err)
{
	enum { COLUMNS_FSCK_BLOB_VERSIONS };
	struct db_params p = { .n = 0 };
	struct db_result r;

	db_bind_str(&p, blob->sha256);
	if (other_size)
		db_bind_int(&p, blob->size);
	else
		db_bind_null(&p);
	db_bind_int(&p, NAMED_MAX);
	if (db_exec(f->db, a, STMT_FSCK_BLOB_VERSIONS, &p, &r, err) == -1)
		return -1;
	for (int i = 0; i < r.rows; i++) {
		int64_t more = db_int(&r, i, VERSIONS) - r.rows;
		const char *subject = version_subject(a, db_str(&r, i, PROJECT), db_str(&r, i, CRATE),
		    db_str(&r, i, VERSION));

		if (i == r.rows - 1 && more > 0)
			detail = arena_printf(a, "%s; the same holds for %" PRId64 " more versions", detail, more);
		fsck_report(f, kind, arena_printf(a, "%s (sha256 %s)", subject, blob->sha256), detail, repaired);
	}
	return 0;
}

/* Notes a damaged blob, so that all later checks read it. */
static int
note_damaged(struct fsck *f, struct arena *a, const struct blob *blob, struct err *err)
{
	struct db_params p = { .n = 0 };

	db_bind_str(&p, blob->sha256);
	return db_exec(f->db, a, STMT_FSCK_DAMAGED, &p, NULL, err);
}

/*
 * Forgets blobs that are no longer damaged.  Call it at the end of a page, when repaired blobs are in place.
 */
static int
note_sound(struct fsck *f, struct arena *a, struct err *err)
{
	struct db_params p = { .n = 0 };

	if (f->nsound == 0)
		return 0;
	db_bind_array(&p, a, f->sound, f->nsound);
	return db_exec(f->db, a, STMT_FSCK_SOUND, &p, NULL, err);
}

/* What is wrong with a blob, and cannot be helped by the trash: another place may have it. */
static int
tell_blob(struct fsck *f, struct arena *a, enum fsck_kind kind, const struct blob *blob, const char *wrong,
    struct err *err)
{
	bool found;

	if (kind == FSCK_BLOB_BYTES && note_damaged(f, a, blob, err) == -1)
		return -1;
	if (fsck_source_bring(f, a, blob->sha256, blob->size, &found, err) == -1)
		return -1;
	if (found) {
		f->sound[f->nsound++] = blob->sha256;
		wrong = arena_printf(a, "%s; it is back, from %s", wrong, f->from);
	}
	return report_blob(f, a, kind, blob, false, wrong, found, err);
}

/* A missing blob.  A repair puts it back if the trash has it. */
static int
check_missing(struct fsck *f, struct arena *a, const struct blob *blob, const char *why, struct err *err)
{
	bool restored = false;

	if (!blob_trash_has(a, f->store, blob->sha256))
		return tell_blob(f, a, FSCK_BLOB_MISSING, blob, why, err);
	if (f->repair && blob_trash_restore(a, f->store, blob->sha256, blob->size, &restored, err) == -1)
		return -1;
	if (restored) {
		f->sound[f->nsound++] = blob->sha256;
		return report_blob(f, a, FSCK_BLOB_MISSING, blob, false, "it was in the trash, and --repair has put it "
		    "back", true, err);
	}
	why = f->repair ? "the trash has a file of that name with other bytes, or one that cannot be read"
	                : "it is in the trash: --repair puts it back";
	return tell_blob(f, a, FSCK_BLOB_MISSING, blob, why, err);
}

/* Reads all of it.  *wrong: NULL, or what is wrong with its bytes. */
static int
read_blob(struct fsck *f, struct arena *a, const struct blob *blob, const char **wrong, struct err *err)
{
	bool same = false;
	int fd, rc = f->store->kind->open(f->store, a, blob_path(a, blob->sha256), blob->size, &fd, err);

	*wrong = "it cannot be read";
	if (rc == -1 && err->status == 409)
		*wrong = arena_strdup(a, err->pub);
	if (rc == -1 && (err->status == 409 || (err->status == 500 && !f->store->kind->copies))) {
		/* of this file, and not of the store */
		err_clear(err);
		return 0;
	}
	if (rc != 1)
		return rc;
	if (blob_hash_file(fd, blob->sha256, &same) == 0)
		*wrong = same ? NULL : "its SHA-256 differs from its name";
	close(fd);
	f->bytes += blob->size;
	return 0;
}

static int
check_file(struct fsck *f, struct arena *a, const struct blob *blob, struct err *err)
{
	struct blob_stat st;
	int there = f->store->kind->stat(f->store, a, blob_path(a, blob->sha256), &st, err);
	enum fsck_kind kind = FSCK_BLOB_MISSING;
	const char *wrong = NULL;

	if (there == -1)
		return -1;
	if (there == 0)
		return check_missing(f, a, blob, "the store lacks it", err);
	if (!st.regular) {
		wrong = "there is no regular file at its path";
	} else if (st.size != blob->size) {
		kind = FSCK_BLOB_SIZE;
		wrong = arena_printf(a, "%" PRId64 " bytes, not %" PRId64, st.size, blob->size);
	} else if (f->deep || blob->damaged) {
		kind = FSCK_BLOB_BYTES;
		if (read_blob(f, a, blob, &wrong, err) == -1)
			return -1;
		if (wrong == NULL && blob->damaged)
			f->sound[f->nsound++] = blob->sha256;
	}
	return wrong == NULL ? 0 : tell_blob(f, a, kind, blob, wrong, err);
}

static int
check_blobs(struct fsck *f, struct arena *a, struct fsck_progress *progress, struct err *err)
{
	enum { COLUMNS_FSCK_BLOBS };
	struct db_params p = { .n = 0 };
	struct db_result r;

	db_bind_str(&p, progress->after_blob);
	db_bind_int(&p, BLOBS_PAGE);
	if (db_exec(f->db, a, STMT_FSCK_BLOBS, &p, &r, err) == -1)
		return -1;
	f->sound = arena_calloc(a, BLOBS_PAGE, sizeof(*f->sound));
	f->nsound = 0;
	for (int i = 0; i < r.rows; i++) {
		const struct blob blob = { db_str(&r, i, SHA256), db_int(&r, i, SIZE), db_bool(&r, i, DAMAGED) };

		f->blobs++;
		if (!db_bool(&r, i, USED))
			f->orphans++;
		else if (check_file(f, a, &blob, err) == -1)
			return -1;
		if (db_bool(&r, i, HAS_OTHER) && report_blob(f, a, FSCK_BLOB_SIZE, &blob, true,
		    "the version says another size than its bytes have", false, err) == -1)
			return -1;
		snprintf(progress->after_blob, sizeof(progress->after_blob), "%s", blob.sha256);
	}
	if (r.rows < BLOBS_PAGE)
		progress->step = FSCK_VERSIONS;
	return fsck_source_end(f, a, err) == -1 ? -1 : note_sound(f, a, err);
}

/* ---- rows ---- */

static int
check_versions(struct fsck *f, struct arena *a, struct fsck_progress *progress, struct err *err)
{
	enum { COLUMNS_FSCK_VERSIONS };
	struct db_params p = { .n = 0 };
	struct db_result r;

	db_bind_int(&p, progress->after_version);
	db_bind_int(&p, VERSIONS_PAGE);
	if (db_exec(f->db, a, STMT_FSCK_VERSIONS, &p, &r, err) == -1)
		return -1;
	for (int i = 0; i < r.rows && !db_is_null(&r, i, DETAIL); i++)
		fsck_report(f, FSCK_VERSION, version_subject(a, db_str(&r, i, PROJECT), db_str(&r, i, CRATE),
		    db_str(&r, i, VERSION)), db_str(&r, i, DETAIL), false);
	f->versions += db_int(&r, 0, LOOKED_AT);
	if (db_is_null(&r, 0, LAST))
		progress->step = FSCK_QUOTAS;
	else
		progress->after_version = db_int(&r, 0, LAST);
	return 0;
}

static int
check_quota(struct fsck *f, struct arena *a, struct fsck_progress *progress, struct err *err)
{
	enum { COLUMNS_FSCK_QUOTA };
	struct db_params p = { .n = 0 };
	struct db_result r;

	db_bind_int(&p, progress->after_quota);
	if (db_exec(f->db, a, STMT_FSCK_QUOTA, &p, &r, err) == -1)
		return -1;
	if (r.rows == 0) {
		progress->step = FSCK_DONE;
		return 0;
	}
	progress->after_quota = db_int(&r, 0, ID);
	if (db_bool(&r, 0, WRONG))
		fsck_report(f, FSCK_QUOTA, db_str(&r, 0, PATH),
		    "its count is wrong; set the quota again to recount", false);
	return 0;
}

int
fsck_go_on(struct fsck *f, struct arena *a, struct fsck_progress *progress, struct err *err)
{
	switch (progress->step) {
	case FSCK_INDEXES:
		return fsck_check_indexes(f, a, progress, err);
	case FSCK_BLOBS:
		return check_blobs(f, a, progress, err);
	case FSCK_VERSIONS:
		return check_versions(f, a, progress, err);
	case FSCK_QUOTAS:
		return check_quota(f, a, progress, err);
	case FSCK_DONE:
		break;
	}
	return 0;
}

int
fsck_note(struct db *db, struct arena *a, int64_t problems, struct err *err)
{
	struct db_params p = { .n = 0 };

	db_bind_int(&p, problems);
	return db_exec(db, a, STMT_FSCK_NOTE, &p, NULL, err);
}
