#ifndef STORE_AUDIT_LOG_H
#define STORE_AUDIT_LOG_H

/*
 * The audit log, read page by page: each page is a statement of its own that goes on
 * after the last row of the one before, so that a log of any length takes the memory
 * of one page, and a reader who takes his time keeps nothing open.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/audit.h"
#include "store/db/db.h"

/* Selects rows; a member that is 0 or NULL selects nothing. */
struct audit_filter {
	const char *project; /* full path */
	const char *username; /* who did it */
	int64_t token_id; /* with which token */
	const char *action;
	const char *crate; /* in any spelling */
	int64_t since;
	int64_t until; /* not included */
};

struct audit_row {
	int64_t id;
	const char *at; /* "2026-01-31T12:34:56.123456Z" */
	const char *action;
	int64_t user_id; /* this and the following: 0 or NULL where there is none */
	const char *username;
	int64_t token_id;
	const char *token_kind;
	int64_t project_id;
	const char *project;
	const char *crate;
	const char *version;
	const char *remote_addr;
	const char *request_id;
	const char *detail; /* a JSON object */
	const char *system_user; /* of the detail: it was berth(1) */
	/* of the token of a CI job */
	int64_t pipeline;
	int64_t job;
	const char *job_url;
	const char *ref;
	const char *commit;
	const char *job_project; /* in which it ran */
	const char *job_issuer; /* of another CI system: the issuer of the job's identity token */
};

/* A place in the log; opaque. */
struct audit_cursor {
	bool oldest_first;
	int64_t project_id;
	int64_t user_id;
	int64_t token_id;
	const char *action;
	const char *crate;
	int64_t since;
	int64_t until;
	int64_t last_id; /* 0: before the first row */
	char last_at[32];
};

/*
 * Sets the cursor to the beginning.  -1: 400 no such action or a malformed crate name, 404 no such project
 * or user.
 */
int audit_log_open(struct db *, struct arena *, const struct audit_filter *, bool oldest_first,
    struct audit_cursor *, struct err *) __attribute__((warn_unused_result));

/*
 * For a log without a row: does the token of the filter exist, if there is one?  Rows can name tokens that
 * are gone, so this comes last.  -1: 404.
 */
int audit_log_check_token(struct db *, struct arena *, const struct audit_cursor *, struct err *)
    __attribute__((warn_unused_result));

/*
 * The next rows, `most` of them if there are that many; *n == 0 at the end.  They live
 * in the arena, the cursor does not.
 */
int audit_log_next(struct db *, struct arena *, struct audit_cursor *, int64_t most,
    struct audit_row **, size_t *n, struct err *) __attribute__((warn_unused_result));

#endif
