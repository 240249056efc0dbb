#ifndef STORE_BLOB_COLLECT_H
#define STORE_BLOB_COLLECT_H

/*
 * Takes bytes out of the store to which no version refers.  A publish of equal bytes may be under
 * way at any moment; the two can never miss each other, however slow one of them is:
 *
 *	The collector holds the blob's row, deleted but not committed, while it unlinks the file.
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

/* Removes row and file, unless the blob is in use again.  *removed: whether it was not. */
int blob_collect(struct db *, struct arena *, const char *store, const char *sha256, int64_t keep,
    bool *removed, struct err *) __attribute__((warn_unused_result));

/*
 * Removes files of STORE/`first`/ that are older than `keep` seconds and have no row.  first: two
 * hexadecimal digits.  *n: how many.
 */
int blob_collect_unknown(struct db *, struct arena *, const char *store, const char *first,
    int64_t keep, int64_t *n, struct err *) __attribute__((warn_unused_result));

#endif
