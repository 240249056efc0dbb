#ifndef STORE_PACKAGE_DOWNLOAD_H
#define STORE_PACKAGE_DOWNLOAD_H

/*
 * Counts downloads from nginx's logs, each exactly once.  One statement changes the position in the log and
 * the counters, and only if nobody has read farther meanwhile: a process that dies before it has counted
 * nothing, and of two that read the same lines only one counts.
 *
 * Node and fingerprint of the first line identify a log, since no two logs have the same.  So it stays the
 * same log when it is renamed, copied or moved.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "store/db/db.h"

struct download_log {
	const char *node;
	const char *fingerprint;
};

/* How far the log was read; 0: it is new. */
int download_log_position(struct db *, struct arena *, const struct download_log *, int64_t *,
    struct err *) __attribute__((warn_unused_result));

/*
 * Keeps, of n fingerprints of compressed logs of the node, those of logs that are not finished; replaces
 * the array and *n.
 */
int download_logs_unfinished(struct db *, struct arena *, const char *node,
    const char **fingerprints, size_t *n, struct err *) __attribute__((warn_unused_result));

/* The log, which gets no new lines, was read to its end. */
int download_log_finish(struct db *, struct arena *, const struct download_log *, struct err *)
    __attribute__((warn_unused_result));

/* Lines from one position to another. */
struct download_part {
	struct download_log log;
	int64_t from, to;
	const char *path; /* for people */
	int64_t garbage; /* lines that cannot be parsed */
	/*
	 * A JSON array of objects: at, bytes, actor, actor_id, project_id; version_id, or crate
	 * and version.  Those count that have as many bytes as the version.
	 */
	struct slice downloads;
};

/* *counted: how many downloads; -1: none, since another process has read these lines. */
int download_log_count(struct db *, struct arena *, const struct download_part *, int64_t *counted,
    struct err *) __attribute__((warn_unused_result));

#endif
