#ifndef API_CARGO_INDEX_H
#define API_CARGO_INDEX_H

/*
 * The sparse index (Cargo reference, "Registry Index: Sparse Protocol"): stored
 * bytes, a strong ETag, 304 by ourselves.
 */

#include "call/call.h"

extern const struct route_policy index_policy;

/*
 * `3/:prefix/…`: one character, or two as Dependabot writes them.  `:prefix/:prefix2/…`: two and
 * two.  In any case.
 */
bool index_accepts_first(const struct request *);
bool index_accepts_pairs(const struct request *);

/*
 * 200 with the lines, 304, 400 where the path is not where cargo would look
 * for this crate, 404 for a crate that is not there, under this very spelling
 * (but for the case): as on the public registry, so that cargo can tell its user
 * of the right one.
 */
int index_handle(struct call *, struct request *, struct response *);

#endif
