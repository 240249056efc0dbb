#ifndef STORE_PACKAGE_CRATE_H
#define STORE_PACKAGE_CRATE_H

/*
 * Crates and their rendered index files.  An index file changes inside each
 * transaction that changes a version, with the crate's row locked; reading it
 * is one look-up that returns stored bytes.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "store/db/db.h"
#include "store/token/access_facts.h"

/* The largest max_index_size, in bytes of text; a database may hold files of that size. */
enum { CRATE_INDEX_MAX = 256 << 20 };

struct crate_index {
	bool found;
	int64_t time; /* a hash of the body; like nginx, the pool makes the ETag of it and of the length */
	int64_t length; /* of the body, also where it was not read */
	bool unchanged; /* the client has it: no body was read */
	struct slice body; /* gzip */
};

/*
 * Fills in the call: the index file of the crate whose name is `lower_name` in lower case.  `etags`: the
 * ETags that the client has, without quotes; any: it has sent `*`.
 */
void crate_index_call(struct db_call *, struct arena *, int64_t project_id,
    const char *lower_name, bool any, const char *const *etags, size_t netags);
void crate_index_read(const struct db_call *, struct crate_index *);

/*
 * Fills in the call, of a transaction: makes or finds the crate and locks its row.  A crate whose versions
 * are all destroyed gets this spelling of its name.  Calls after it in the same round trip run with the
 * crate locked.
 */
void crate_lock_call(struct db_call *, int64_t project_id, const char *name,
    const char *normalized_name);

/* Reads the call's result: the crate. */
int64_t crate_lock_read(const struct db_call *);

/*
 * Inside a transaction: finds the crate by its name in normal form and locks
 * its row; *stored_name is as it was first published.  -1: 404 "crate `name`
 * does not exist", in the spelling of the caller.
 */
int crate_find_locked(struct db *, struct arena *, int64_t project_id, const char *name,
    const char *normalized_name, int64_t *id, const char **stored_name, struct err *)
    __attribute__((warn_unused_result));

#endif
