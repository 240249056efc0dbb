#ifndef STORE_TOKEN_TOKEN_H
#define STORE_TOKEN_TOKEN_H

/* Tokens as the database knows them: digests, never a secret.  Lists have commas between. */

#include <stddef.h>
#include <stdint.h>

#include "access/token.h"
#include "base/slice.h"
#include "store/audit.h"
#include "store/db/db.h"

/* A job as its CI system names it. */
struct token_job {
	int64_t pipeline; /* 0, as the next one: this is no job */
	int64_t job;
	const char *job_url; /* this and the following: NULL where unknown */
	const char *ref;
	const char *commit;
};

struct token_new {
	const char *username; /* whose token it is, or who has started the job */
	const char *namespace; /* full path: of a job's project, of a deploy token's group or project */
	struct slice digest; /* of the token's text (access/token.h), 32 bytes */
	const char *handle; /* its slot and handle; "" or NULL: none */
	const char *name;
	const char *scopes;
	const char *login; /* the user name that goes with a deploy token; NULL: any */
	const char *crates; /* valid patterns in normal form (access/token_limits.h); NULL: all */
	const char *operations; /* NULL: all */
	int64_t expires_at; /* 0: never */
	struct token_job job;
};

/* The new token, which must live as long. */
static inline void
token_new_is(struct token_new *n, const struct token *token)
{
	n->digest = slice_of((const char *)token->digest, sizeof(token->digest));
	n->handle = token->handle;
}

struct token_entry {
	int64_t id;
	const char *kind; /* "personal", "deploy", "job" */
	const char *username; /* NULL: it belongs to no user */
	const char *namespace; /* of its group or project; NULL: it is a user's own */
	const char *name;
	const char *scopes;
	const char *crates; /* NULL: no limit, as for the next one */
	const char *operations;
	const char *slot; /* of its proof; NULL: it has none, so nginx cannot check it */
	struct token_job job;
	int64_t created_at;
	int64_t expires_at; /* this and the following: 0 for never */
	int64_t revoked_at;
	int64_t last_used_at;
};

/* A user's own token.  -1: 400 for a malformed name, 404 for a missing user. */
int token_add_personal(struct db *, struct arena *, const struct audit_actor *,
    const struct token_new *, int64_t *id, struct err *) __attribute__((warn_unused_result));

/* A token of a group or project, without a user.  -1: 400, 404. */
int token_add_deploy(struct db *, struct arena *, const struct audit_actor *,
    const struct token_new *, int64_t *id, struct err *) __attribute__((warn_unused_result));

/*
 * Checks the description of a job by its CI system, and the name of its token: they must be text for
 * people, because lists and the audit log show them.  -1: 400.
 */
int token_check_job(const struct token_new *, struct err *) __attribute__((warn_unused_result));

/*
 * Binds the token and its job, for ttl seconds: digest, name, ttl, pipeline, job, its URL, ref,
 * commit, handle.
 */
void token_bind_job(struct db_params *, const struct token_new *, int64_t ttl);

/*
 * A job's token: without scopes, for ttl seconds from now on.  *expires_at is when it ends.
 * -1: 400, 404.
 */
int token_add_job(struct db *, struct arena *, const struct audit_actor *, const struct token_new *,
    int64_t ttl, int64_t *id, int64_t *expires_at, struct err *)
    __attribute__((warn_unused_result));

/*
 * Refused from the next request on; it may be revoked already.  By id, or,
 * where id is 0, by digest.  -1: 404.
 */
int token_revoke(struct db *, struct arena *, const struct audit_actor *, int64_t id,
    struct slice digest, int64_t *found, struct err *) __attribute__((warn_unused_result));

/*
 * Visits some tokens whose ids are above *after, and removes those that ended `ended_for` seconds ago and
 * that no record needs any more (token_sweep of sql/queries/token.sql).  *after: where to go
 * on, 0 at the end.  *n: how many it removed.  -1: 503.
 */
int token_sweep(struct db *, struct arena *, int64_t ended_for, int64_t *after, int64_t *n,
    struct err *) __attribute__((warn_unused_result));

/* Lists all, or those of one user (0: all), in the order in which they came: db_list(). */
int token_list(struct db *, struct arena *, int64_t user_id, struct err *)
    __attribute__((warn_unused_result));

/* The next tokens of that list; *n is 0 at its end. */
int token_list_next(struct db *, struct arena *, struct token_entry **, size_t *n, struct err *)
    __attribute__((warn_unused_result));

#endif
