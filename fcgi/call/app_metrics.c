#include "call/app_metrics.h"

#include "cache/cache_state.h"
#include "store/blob/blob_store.h"

static const char *const publish_stages[STAGE__MAX] = {
	[STAGE_CHECK] = "check",
	[STAGE_READ] = "read",
	[STAGE_WAIT] = "wait",
	[STAGE_INSPECT] = "inspect",
	[STAGE_STORE] = "store",
	[STAGE_COMMIT] = "commit",
};

static const char *const token_failures[FAILURE__MAX] = {
	[FAILURE_MISSING] = "missing",
	[FAILURE_MALFORMED] = "malformed",
	[FAILURE_UNKNOWN] = "unknown",
	[FAILURE_REVOKED] = "revoked",
	[FAILURE_EXPIRED] = "expired",
	[FAILURE_BLOCKED] = "blocked",
};

static const char *const replica_reads[REPLICA__MAX] = {
	[REPLICA_ANSWERED] = "answered",
	[REPLICA_LAGS] = "lags",
	[REPLICA_AWAY] = "away",
};

static const char *const inspection_states[INSPECTION__MAX] = {
	[INSPECTION_RUNNING] = "running",
	[INSPECTION_WAITING] = "waiting",
};

#define FAMILY(metric) [(metric)-METRIC__POOL]

const struct metric_family app_families[METRIC__APP_END - METRIC__POOL] = {
	FAMILY(METRIC_PUBLISH_STAGES) = { .name = "berth_publish_stage_duration_seconds",
	    .help = "How long the stages of a publish took.", .kind = METRIC_HISTOGRAM,
	    .labels = { { "stage", publish_stages, STAGE__MAX } } },
	FAMILY(METRIC_TOKEN_FAILURES) = { .name = "berth_token_failures_total",
	    .help = "Requests whose token was not valid.", .kind = METRIC_COUNTER,
	    .labels = { { "reason", token_failures, FAILURE__MAX } } },
	FAMILY(METRIC_INSPECTIONS) = { .name = "berth_inspections",
	    .help = "Inspections of crates.", .kind = METRIC_GAUGE,
	    .labels = { { "state", inspection_states, INSPECTION__MAX } } },
	FAMILY(METRIC_BLOBS_MISSING) = { .name = "berth_blobs_missing_total",
	    .help = "Downloads refused because the store lacks their file.",
	    .kind = METRIC_COUNTER },
	FAMILY(METRIC_REPLICA_READS) = { .name = "berth_replica_reads_total",
	    .help = "Reads that a replica may answer: by the replica, or by the primary and why.",
	    .kind = METRIC_COUNTER, .labels = { { "replica", replica_reads, REPLICA__MAX } } },
	FAMILY(METRIC_STORE_REQUESTS) = { .name = "berth_store_request_duration_seconds",
	    .help = "How long requests to the object store took, with their repetitions.", .kind = METRIC_HISTOGRAM,
	    .labels = { { "operation", s3_operations, S3__OPS } } },
	FAMILY(METRIC_STORE_REQUEST_ERRORS) = { .name = "berth_store_request_errors_total",
	    .help = "Requests that the object store refused, or did not answer.", .kind = METRIC_COUNTER,
	    .labels = { { "operation", s3_operations, S3__OPS } } },
	FAMILY(METRIC_DATABASE_UP) = { .name = "berth_database_up",
	    .help = "Whether the database answers.", .kind = METRIC_GAUGE },
	FAMILY(METRIC_DATABASE_WRITABLE) = { .name = "berth_database_writable",
	    .help = "Whether the database takes writes.", .kind = METRIC_GAUGE },
	FAMILY(METRIC_STORE_OK) = { .name = "berth_store_ok",
	    .help = "Whether this node can use its store.", .kind = METRIC_GAUGE },
	FAMILY(METRIC_STORE_FREE) = { .name = "berth_store_free_bytes",
	    .help = "Free bytes of the store's file system.", .kind = METRIC_GAUGE },
	FAMILY(METRIC_BLOBS) = { .name = "berth_blobs",
	    .help = "Distinct crates in the store.", .kind = METRIC_GAUGE },
	FAMILY(METRIC_BLOB_BYTES) = { .name = "berth_blob_bytes",
	    .help = "Bytes of the crates in the store.", .kind = METRIC_GAUGE },
	FAMILY(METRIC_BLOBS_COUNTED) = { .name = "berth_blobs_counted_timestamp_seconds",
	    .help = "When the crates in the store were counted, in seconds since 1970.",
	    .kind = METRIC_GAUGE },
	FAMILY(METRIC_CACHE_SERVING) = { .name = "berth_cache_serving",
	    .help = "Whether nginx of this node may answer from cache_dir.", .kind = METRIC_GAUGE },
	FAMILY(METRIC_CACHE_LEASE) = { .name = "berth_cache_lease_seconds",
	    .help = "Seconds until the lease of cache_dir ends; negative after its end.",
	    .kind = METRIC_GAUGE, .until = true },
	FAMILY(METRIC_CACHE_KEEPER) = { .name = "berth_cache_keeper",
	    .help = "State of the keeper of cache_dir: 1 for its current state.",
	    .kind = METRIC_GAUGE, .labels = { { "state", cache_states, CACHE__STATES } } },
};

static enum token_failure
token_failure(const struct access_facts *f, enum credential credential)
{
	static const enum token_failure states[] = {
		[TOKEN_USABLE] = FAILURE_UNKNOWN,
		[TOKEN_REVOKED] = FAILURE_REVOKED,
		[TOKEN_EXPIRED] = FAILURE_EXPIRED,
		[TOKEN_BLOCKED] = FAILURE_BLOCKED,
		[TOKEN_UNCHECKED] = FAILURE_EXPIRED,
	};

	if (credential == CREDENTIAL_TOKEN)
		return states[f->token_id != 0 ? f->token_state : TOKEN_USABLE];
	return credential == CREDENTIAL_NONE ? FAILURE_MISSING : FAILURE_MALFORMED;
}

void
token_failure_count(const struct meter *meter, const struct access_facts *f,
    enum credential credential)
{
	meter_count(meter, METRIC_TOKEN_FAILURES, token_failure(f, credential), 0);
}
