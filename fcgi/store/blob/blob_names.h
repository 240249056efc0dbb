#ifndef STORE_BLOB_BLOB_NAMES_H
#define STORE_BLOB_BLOB_NAMES_H

/* A batch of names of blob files, which one statement compares with the database. */

#include <stdbool.h>
#include <stddef.h>

#include "store/db/db.h"

enum { BLOB_NAMES_MAX = 1000 };

/* {0}: empty.  The names live as long as the arena that they were added or looked up with. */
struct blob_names {
	const char *v[BLOB_NAMES_MAX];
	size_t n;
};

bool blob_names_full(const struct blob_names *);

/* Adds a copy.  The batch must not be full. */
void blob_names_add(struct blob_names *, struct arena *, const char *name);

/* Keeps the names that have no row in the database.  An empty batch costs no statement.  -1: 500, 503. */
int blob_names_keep_unknown(struct db *, struct arena *, struct blob_names *, struct err *)
    __attribute__((warn_unused_result));

/* Keeps the names of blobs that a version has.  The rest as above. */
int blob_names_keep_used(struct db *, struct arena *, struct blob_names *, struct err *)
    __attribute__((warn_unused_result));

#endif
