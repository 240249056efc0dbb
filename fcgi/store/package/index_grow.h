#ifndef STORE_PACKAGE_INDEX_GROW_H
#define STORE_PACKAGE_INDEX_GROW_H

/*
 * A publish adds its line to the crate's stored index file, and neither reads nor compresses the others.
 * Every other change of a version renders the file anew (store/package/index_rebuild.h).
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"
#include "store/db/db.h"

/* The known facts of the stored file; {0}: there is none. */
struct index_file {
	int64_t revision; /* how often it has changed */
	int64_t bytes; /* of the stored file */
	struct slice head, tail; /* its first and its last bytes (base/gzip.h); empty: there is no file */
	const char *last_line; /* NULL: not known */
};

/* Bytes of text. */
int64_t index_file_size(const struct index_file *);

/*
 * Does the tail tell a size that the file cannot have: more than its bytes can hold, or less than its last
 * line?  Other damage, such as a wrong checksum, is found only by reading all of the file, which would cost
 * each publish what growing saves.  fsck reads it.
 */
bool index_file_is_damaged(const struct index_file *);

/*
 * Can a line be added?  False: an older program wrote the file, or it is damaged or lost: it must be rendered
 * anew.
 */
bool index_grow_can(const struct index_file *);

struct index_growth {
	int64_t project_id;
	const char *name, *normalized_name; /* of the crate */
	struct slice line;
};

/*
 * Fills in the call that adds the line to a file that can grow, and creates the crate if it is not there.
 * version_add comes after it in the round trip.  -1: 500.
 */
int index_grow_call(struct db_call *, struct arena *, const struct index_file *, const struct index_growth *,
    struct err *) __attribute__((warn_unused_result));

/* Has the call added the line?  False: the file has changed since it was looked at; roll back. */
bool index_grow_done(const struct db_call *, const struct index_file *);

#endif
