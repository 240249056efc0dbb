#ifndef CALL_APP_METRICS_H
#define CALL_APP_METRICS_H

/* The metrics of the application, besides those of every pool (pool/metrics.h). */

#include "access/access.h"
#include "pool/metrics.h"

enum app_metric {
	METRIC_PUBLISH_STAGES = METRIC__POOL, /* by enum publish_stage */
	METRIC_TOKEN_FAILURES, /* by enum token_failure */
	METRIC_BLOBS_MISSING,
	METRIC_REPLICA_READS, /* by enum replica_read */
	METRIC_STORE_REQUESTS, /* by enum s3_operation */
	METRIC_STORE_REQUEST_ERRORS, /* by enum s3_operation */
	/* values that a worker finds when it is asked for the metrics */
	METRIC_INSPECTIONS, /* by enum inspection_state */
	METRIC_DATABASE_UP,
	METRIC_DATABASE_WRITABLE,
	METRIC_STORE_OK, /* this node can use it */
	METRIC_STORE_FREE,
	METRIC_BLOBS,
	METRIC_BLOB_BYTES,
	METRIC_BLOBS_COUNTED, /* when */
	METRIC_CACHE_SERVING,
	METRIC_CACHE_LEASE, /* its end, by the keeper */
	METRIC_CACHE_KEEPER, /* by enum cache_state; one of them is 1 */
	METRIC__APP_END
};

/* Who answered a read that a replica of the database may answer (call/replica.h). */
enum replica_read {
	REPLICA_ANSWERED,
	REPLICA_LAGS, /* the primary has answered */
	REPLICA_AWAY, /* the same */
	REPLICA__MAX
};

/* The stages of a publish. */
enum publish_stage {
	STAGE_CHECK, /* the metadata */
	STAGE_READ, /* the crate, from nginx into the store's staging */
	STAGE_WAIT, /* the wait for a slot to inspect the crate */
	STAGE_INSPECT,
	STAGE_STORE, /* until it is on the disk for good */
	STAGE_COMMIT,
	STAGE__MAX
};

/* Why the token of a caller was no good: the answer is 401, except where a job gives the token back. */
enum token_failure {
	FAILURE_MISSING, /* as each first request of cargo to a registry that needs a token */
	FAILURE_MALFORMED,
	FAILURE_UNKNOWN,
	FAILURE_REVOKED,
	FAILURE_EXPIRED,
	FAILURE_BLOCKED,
	FAILURE__MAX
};

enum inspection_state { INSPECTION_RUNNING, INSPECTION_WAITING, INSPECTION__MAX };

void token_failure_count(const struct meter *, const struct access_facts *, enum credential);

extern const struct metric_family app_families[METRIC__APP_END - METRIC__POOL];

#endif
