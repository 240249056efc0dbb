#ifndef TASKS_DOWNLOAD_LINE_H
#define TASKS_DOWNLOAD_LINE_H

/*
 * One line of nginx's log of downloads, the format berth_download of berth-http.conf:
 *
 *	1764099000.123 id=… method=GET status=200 complete=OK bytes=3456 ids="3/17/42 user:7"
 *
 * ids are project, crate and version, and the caller: user:, deploy: or job: and a number, or
 * nothing for a caller without a token.  Where nginx has sent the file without the pool, crate
 * and version are names, and the caller is `anyone`, or slot and handle of a token, which the count
 * turns into a user, deploy token or job; `g12` in place of a project is the registry of that group.  More
 * keys may follow.
 *
 * Pure: bytes in, struct out.
 */

#include <stdint.h>

#include "base/slice.h"

enum download_actor {
	DOWNLOAD_ANYBODY, /* no token */
	DOWNLOAD_USER,
	DOWNLOAD_DEPLOY_TOKEN,
	DOWNLOAD_JOB,
	DOWNLOAD__ACTORS
};

/* "user", "deploy", "job", and "anybody". */
extern const char *const download_actor_names[DOWNLOAD__ACTORS];

struct download {
	int64_t at; /* when it was over, in seconds since 1970 */
	int64_t bytes; /* of the body that went out */
	int64_t project_id; /* 0: it is from the registry of a group */
	int64_t group_id;
	int64_t version_id; /* 0: the names below have it */
	struct slice crate, version; /* these; empty otherwise */
	enum download_actor actor;
	int64_t actor_id; /* a user, or a token; 0: anybody, or the token of `handle` */
	struct slice handle; /* of a token; empty: the two fields above have the caller */
};

enum download_line {
	DOWNLOAD_LINE_WHOLE, /* a GET whose answer went out to its end; perhaps of a part */
	DOWNLOAD_LINE_OTHER, /* HEAD, 304, an error, broken off */
	DOWNLOAD_LINE_GARBAGE
};

/* Parses a line, given without its end.  It fills in the struct only for DOWNLOAD_LINE_WHOLE. */
enum download_line download_line_parse(struct slice line, struct download *);

#endif
