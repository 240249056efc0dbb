#ifndef TRANSFER_EXPORT_H
#define TRANSFER_EXPORT_H

/*
 * Exports a project, or the registry of a group, as files that any web server can send: DIR/index, which is a
 * sparse index, and DIR/crates, with a file NAME/NAME-VERSION.crate for each version.  The index files have
 * the same bytes as those that this registry sends.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "store/db/db.h"

struct export {
	struct db *db;
	int64_t project_id; /* 0: the registry of a group */
	int64_t group_id;
	const char *external_url; /* of this server */
	const struct blob_store *store;
	const char *dir; /* made, unless it is there */
	const char *url; /* the address of that directory, without a slash at its end; for config.json */
	size_t crates, versions; /* in the index afterwards */
	size_t copied; /* crates that were not in the directory yet */
	size_t removed; /* crates that earlier exports have written, and that are no longer served */
};

/*
 * Copies missing crates, each checked against its SHA-256, then replaces the index as a whole: a client
 * sees the old one or the new one; and then removes the crates that only the old one had.  If DIR has other
 * bytes of a version, as after an export of another project, the old index first loses its line, so that no
 * index ever names bytes that are not there.  The next export replaces what an interrupted one has left.
 * -1: 400, a
 * file in DIR cannot be written, or DIR has something else in that place; 409, another export to DIR runs;
 * 500, a blob is missing or damaged, with its name.
 */
int export_run(struct export *, struct arena *, struct err *) __attribute__((warn_unused_result));

#endif
