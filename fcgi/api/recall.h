#ifndef API_RECALL_H
#define API_RECALL_H

/*
 * The beginning of a request that only reads, which nearly all are.  Who was let in before is
 * let in by one statement, which reads at once what was asked for and whether nothing has
 * changed since that a decision could rest on; only if something has, or for a new caller, the
 * decision is made by a statement of its own.  Where a node has a public_dir, some of these reads
 * are of files that it keeps for those who were let in (route_need.find), without any statement:
 * where they lie says that nothing has changed (jobs/public_keeper.h).  So a right that is gone is
 * gone with the next request, on every worker and node, and nothing at all is read for who has
 * none.
 */

#include "api/app.h"
#include "api/credential.h"

/* As pool_app.begin, for a route that has route_need.read. */
int recall_begin(struct worker_app *, struct request *, const struct request_credential *,
    const struct project_ref *project);

#endif
