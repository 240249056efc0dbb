#ifndef STORE_BLOB_BLOB_COLLECT_H
#define STORE_BLOB_BLOB_COLLECT_H

/*
 * Moves blobs that no version needs from the store into its trash (store/blob/blob_trash.h), after counting
 * them.  A publish of equal bytes may be under way at any moment.  The two never miss each other,
 * however slow one of them is:
 *
 *	The collector holds the blob's row, deleted but not committed, while it renames the file.
 *	A publish records the blob in the transaction that adds the version: it waits for that row.
 *	Once it has the row, and so keeps the collector off, it checks that the file is there, and
 *	puts it back if not (blob_stage_confirm()) before it commits.
 *
 * So every version has its file, whether the collector came before, during or after the publish,
 * and wherever one of the two dies.  A row without a version may lack its file, which does no harm.
 */

#include <stdbool.h>
#include <stdint.h>

#include "store/blob/blob_kind.h"
#include "store/db/db.h"

/* A pass over the whole store.  A collection makes two: the first counts, the second takes. */
struct blob_pass {
	const struct blob_store *store;
	int64_t keep; /* seconds that unused blobs stay */
	bool take; /* false: counts only */
	int64_t left; /* files that it may still take */
	/* results */
	int64_t files; /* blob files in the store */
	int64_t due; /* of these: unused for long enough */
	int64_t rows, unknown; /* taken: blobs with a row, and files without one */
};

struct blob_look {
	const char *sha256;
	bool due; /* unused for long enough */
};

/*
 * The next rows after `after`, ordered by name, up to 1000; none: the end.
 * Marks those that are unused from now on.  keep: seconds that unused blobs stay.
 */
int blob_look(struct db *, struct arena *, const char *after, int64_t keep, struct blob_look **,
    size_t *n, struct err *) __attribute__((warn_unused_result));

/*
 * A row that is due: counts its file, or moves it to the trash and removes the row, unless a
 * version needs it again.
 */
int blob_collect(struct db *, struct arena *, struct blob_pass *, const char *sha256, struct err *)
    __attribute__((warn_unused_result));

/*
 * Goes over the files of STORE/`first`/: counts them, and counts or takes those without a row that are older
 * than `keep` seconds.  first: two hexadecimal digits.
 */
int blob_collect_files(struct db *, struct arena *, struct blob_pass *, const char *first, struct err *)
    __attribute__((warn_unused_result));

#endif
