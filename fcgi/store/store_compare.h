#ifndef STORE_STORE_COMPARE_H
#define STORE_STORE_COMPARE_H

/* Do a database and a store belong together?  All blobs and all files are looked at; nothing changes. */

#include <stdbool.h>
#include <stdint.h>

#include "store/db.h"
#include "store/store_identity.h"

enum { STORE_MISSING_PERCENT = 1, STORE_UNKNOWN_PERCENT = 10 };

struct store_comparison {
	char store_id[REGISTRY_ID_SIZE + 1]; /* "": the store has none */
	int64_t blobs; /* that versions of the database have */
	int64_t missing, other_size; /* of these: not in the store, there with another size */
	int64_t files; /* blobs in the store */
	int64_t unknown; /* of these: the database has no row */
};

/* -1: 500, 503, as where the store cannot be read. */
int store_compare(struct db *, const char *store, struct store_comparison *, struct err *)
    __attribute__((warn_unused_result));

/* NULL where they fit: no other registry's id, almost all blobs there, most files known.  Else why not. */
const char *store_comparison_judge(struct arena *, const struct store_comparison *, const char *registry);

#endif
