#ifndef STORE_PACKAGE_DOWNLOAD_H
#define STORE_PACKAGE_DOWNLOAD_H

/*
 * Downloads, counted from nginx's logs exactly once.  How far each log was read and what was
 * counted change in one statement, and only if the log was not read farther meanwhile: whoever
 * dies before its end has counted nothing, and of two that read the same one counts.
 *
 * A log is known by its node and the fingerprint of its first line, which no two have in
 * common.  So it stays the same log when it is renamed, copied or moved.
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
 * Of n fingerprints of logs of the node that are compressed: those that have not been finished.
 * They and their number take the place of what was given.
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
	int64_t garbage; /* lines that were none */
	/*
	 * A JSON array of objects: at, bytes, actor, actor_id, project_id; version_id, or crate
	 * and version.  Those count that have as many bytes as the version.
	 */
	struct slice downloads;
};

/* *counted: how many were; -1: nothing, as another has read on from there. */
int download_log_count(struct db *, struct arena *, const struct download_part *, int64_t *counted,
    struct err *) __attribute__((warn_unused_result));

#endif
