#ifndef TRANSFER_EXPORT_H
#define TRANSFER_EXPORT_H

/*
 * A project as files that any web server can send: DIR/index, which is a sparse index, and DIR/crates,
 * with a file NAME/NAME-VERSION.crate for each version.  The files of the index have the bytes that this
 * registry sends.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "store/db/db.h"

struct export {
	struct db *db;
	int64_t project_id;
	const struct blob_store *store;
	const char *dir; /* made, unless it is there */
	const char *url; /* of that directory, without a slash at its end; for config.json */
	size_t crates, versions; /* in the index afterwards */
	size_t copied; /* crates that were not in the directory yet */
};

/*
 * Copies crates that are not there yet, each checked against its SHA-256, and then replaces the index as a
 * whole: a client sees the old one or the new one.  What an interrupted export leaves, the next one
 * replaces.  -1: 400, a file in DIR cannot be written, or DIR has something else in that place; 409, another
 * export to DIR runs; 500, a blob is missing or damaged: which.
 */
int export_run(struct export *, struct arena *, struct err *) __attribute__((warn_unused_result));

#endif
