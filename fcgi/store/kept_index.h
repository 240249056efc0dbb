#ifndef STORE_KEPT_INDEX_H
#define STORE_KEPT_INDEX_H

/*
 * Index files that a node keeps for callers whom its workers have let in.  Each lies below the
 * generation of access in which that was (store/public_dir.h), and only while it is what the database
 * has and that generation holds (jobs/public_keeper.h): to find one is to be told both, and the
 * database need not be asked.
 *
 * The file is `ETAG TIME LENGTH`, a newline, and LENGTH bytes of gzip.
 */

#include <stdbool.h>

#include "store/crate.h"
#include "store/public_dir.h"

struct kept_head {
	char etag[CRATE_ETAG_SIZE];
	int64_t time, length; /* of crate_index */
	size_t size; /* of the head itself */
};

/* What such a file begins with.  False: it does not. */
bool kept_index_parse(struct slice, struct kept_head *);

/* By the keeper: all of the index file.  -1: 500, 503. */
int kept_index_put(struct public_dir *, struct arena *, const struct public_want *,
    const struct crate_index *, struct err *) __attribute__((warn_unused_result));

/*
 * By a worker, of the node's public_dir: what was wanted, for who has these ETags, as
 * crate_index_read() has it.  False: it is not there, ask the database.
 */
bool kept_index_read(struct arena *, const char *public_dir, const struct public_want *,
    const char *const *etags, size_t netags, struct crate_index *);

#endif
