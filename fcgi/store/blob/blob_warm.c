#include "store/blob/blob_warm.h"

#include <unistd.h>

#include "base/clock.h"
#include "store/blob/blob.h"
#include "store/blob/blob_copies.h"
#include "store/blob/blob_copy.h"

enum { WANTED_MAX = 2000, BRING_US = 10 * CLOCK_SECOND, FAILURES_MAX = 3 /* in a row */ };

/* blob_has_copy() would mark the copy as used. */
static bool
has_copy(const struct blob_store *store, struct arena *a, const char *sha256)
{
	return access(arena_printf(a, "%s/%s", store->dir, blob_path(a, sha256)), F_OK) == 0;
}

int
blob_warm(struct db *db, struct arena *a, const struct blob_store *store, const struct blob_warm *w,
    int64_t *n, bool *more, struct err *err)
{
	enum { COLUMNS_COPIES_WANTED };
	struct db_params p = { .n = 0 };
	struct db_result r;
	int64_t files, bytes;
	int failures = 0, rc;

	*n = 0;
	*more = false;
	if (!store->kind->copies || blob_copies_is_store(store))
		return 0;
	db_bind_int(&p, w->days);
	db_bind_int(&p, WANTED_MAX);
	if (blob_copies_count(store, &files, &bytes, err) == -1 ||
	    db_exec(db, a, STMT_COPIES_WANTED, &p, &r, err) == -1)
		return -1;
	for (int i = 0; i < r.rows && !*more; i++) {
		const char *sha256 = db_str(&r, i, CKSUM);

		/* a full disk has room only for what is used */
		if (bytes + db_int(&r, i, SIZE) > w->max / 2 || blob_copy_disk_is_full(store))
			break;
		if (has_copy(store, a, sha256))
			continue;
		/* no error if the store lacks the blob: readers and fsck report that */
		rc = blob_bring(store, a, sha256, db_int(&r, i, SIZE), clock_us() + BRING_US, err);
		failures = rc == -1 ? failures + 1 : 0;
		if (failures == FAILURES_MAX)
			return -1;
		/* a blob that the store lacks, or has with other bytes, is for readers and fsck to report */
		err_clear(err);
		bytes += rc == 1 ? db_int(&r, i, SIZE) : 0;
		*n += rc == 1;
		*more = w->must_stop(w->arg);
	}
	return 0;
}
