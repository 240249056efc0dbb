#include "store/package/fsck.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/blob/blob.h"
#include "store/blob/blob_trash.h"
#include "store/package/fsck_index.h"

enum { BLOBS_PAGE = 500, VERSIONS_PAGE = 5000 };

/* ---- blobs ---- */

/* A missing blob.  A repair puts it back if the trash has it. */
static int
check_missing(struct fsck *f, struct arena *a, const char *sha256, int64_t size, const char *why,
    struct err *err)
{
	bool restored = false;

	if (!blob_trash_has(a, f->store, sha256)) {
		fsck_report(f, FSCK_BLOB_MISSING, sha256, why, false);
		return 0;
	}
	if (f->repair && blob_trash_restore(a, f->store, sha256, size, &restored, err) == -1)
		return -1;
	fsck_report(f, FSCK_BLOB_MISSING, sha256, restored ? "it was in the trash, and --repair has put it back"
	    : f->repair ? "the trash has a file of that name with other bytes"
	    : "it is in the trash: --repair puts it back",
	    restored);
	return 0;
}

static int
check_file(struct fsck *f, struct arena *a, const char *sha256, int64_t size, struct err *err)
{
	const char *path = arena_printf(a, "%s/%s", f->store, blob_path(a, sha256));
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;
	bool same = true;

	if (fd == -1)
		return check_missing(f, a, sha256, size, arena_strdup(a, strerror(errno)), err);
	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode))
		fsck_report(f, FSCK_BLOB_MISSING, sha256, "there is no regular file at its path", false);
	else if (st.st_size != size)
		fsck_report(f, FSCK_BLOB_SIZE, sha256, arena_printf(a, "%lld bytes, not %" PRId64,
		    (long long)st.st_size, size), false);
	else if (f->deep && blob_hash_file(fd, sha256, &same) == -1)
		fsck_report(f, FSCK_BLOB_BYTES, sha256, "it cannot be read", false);
	else if (!same)
		fsck_report(f, FSCK_BLOB_BYTES, sha256, "its SHA-256 differs from its name", false);
	close(fd);
	return 0;
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
	for (int i = 0; i < r.rows; i++) {
		const char *sha256 = db_str(&r, i, SHA256);

		f->blobs++;
		if (!db_bool(&r, i, USED))
			f->orphans++;
		else if (check_file(f, a, sha256, db_int(&r, i, SIZE), err) == -1)
			return -1;
		if (!db_is_null(&r, i, OTHER))
			fsck_report(f, FSCK_BLOB_SIZE, sha256, arena_printf(a,
			    "the version with the id %" PRId64 " has another size",
			    db_int(&r, i, OTHER)), false);
		snprintf(progress->after_blob, sizeof(progress->after_blob), "%s", sha256);
	}
	if (r.rows < BLOBS_PAGE)
		progress->step = FSCK_VERSIONS;
	return 0;
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
		fsck_report(f, FSCK_VERSION, arena_printf(a, "%s %s@%s", db_str(&r, i, PROJECT),
		    db_str(&r, i, CRATE), db_str(&r, i, VERSION)), db_str(&r, i, DETAIL), false);
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
