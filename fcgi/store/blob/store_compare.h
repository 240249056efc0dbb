#ifndef STORE_BLOB_STORE_COMPARE_H
#define STORE_BLOB_STORE_COMPARE_H

/*
 * Finds out whether a database and a store belong together: it compares all blobs with all files, and
 * changes nothing.
 */

#include <stdbool.h>
#include <stdint.h>

#include "store/blob/store_identity.h"
#include "store/db/db.h"

enum { STORE_MISSING_PERCENT = 1, STORE_UNKNOWN_PERCENT = 10 };

struct store_comparison {
	char store_id[REGISTRY_ID_SIZE + 1]; /* "": the store has none */
	int64_t blobs; /* that versions need */
	int64_t missing, other_size; /* of these: the store lacks them, or has another size */
	int64_t files; /* blobs in the store */
	int64_t unknown; /* of these: without a row in the database */
};

/* -1: 500, 503, also where the store cannot be read. */
int store_compare(struct db *, const struct blob_store *, struct store_comparison *, struct err *)
    __attribute__((warn_unused_result));

/*
 * NULL: database and store fit: the store has no other registry's id, almost no blob is missing, and most
 * files are known, unless the store has the registry's id.  Otherwise a sentence: why they do not fit.
 */
const char *store_comparison_judge(struct arena *, const struct store_comparison *, const char *registry);

#endif
