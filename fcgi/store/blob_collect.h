#ifndef STORE_BLOB_COLLECT_H
#define STORE_BLOB_COLLECT_H

/*
 * Takes bytes to which no version refers out of the store and into its trash (store/blob_trash.h), once they
 * are counted.  A publish of equal bytes may be under
 * way at any moment; the two can never miss each other, however slow one of them is:
 *
 *	The collector holds the blob's row, deleted but not committed, while it renames the file.
 *	A publish records the blob in the transaction that adds the version: it waits for that row.
 *	When it has it, and so keeps the collector off, it looks whether the file is there, and
 *	puts it there again (blob_stage_confirm()) before it commits.
 *
 * So there is no version without its file, whether a blob was collected before, while or after it
 * was kept, and wherever one of the two dies.  A row without a version may lack its file; that
 * hurts nobody.
 */

#include <stdbool.h>
#include <stdint.h>

#include "store/db.h"

/* Over the whole store, twice: to count what there is to collect, and to collect it. */
struct blob_pass {
	const char *store;
	int64_t keep; /* seconds that unused blobs stay */
	bool take; /* else it counts */
	int64_t left; /* takes so many at most */
	/* what was seen */
	int64_t files; /* blobs, by the pass over the files */
	int64_t due; /* of these, what has been unused for long enough */
	int64_t rows, unknown; /* taken: blobs, and files that had no row */
};

struct blob_look {
	const char *sha256;
	bool due; /* has been unused for long enough */
};

/*
 * The rows that come after `after`, in the order of their names, up to 1000; no more: the end.
 * Notes which of them are unused from now on.  keep: seconds that these stay.
 */
int blob_look(struct db *, struct arena *, const char *after, int64_t keep, struct blob_look **,
    size_t *n, struct err *) __attribute__((warn_unused_result));

/* One row that is due: counts its file, or moves it to the trash and removes the row, unless the blob is in use again. */
int blob_collect(struct db *, struct arena *, struct blob_pass *, const char *sha256, struct err *)
    __attribute__((warn_unused_result));

/*
 * The files of STORE/`first`/: counts them, and counts or takes those that are older than `keep` seconds and
 * have no row.  first: two hexadecimal digits.
 */
int blob_collect_files(struct db *, struct arena *, struct blob_pass *, const char *first, struct err *)
    __attribute__((warn_unused_result));

#endif
