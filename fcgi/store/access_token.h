#ifndef STORE_ACCESS_TOKEN_H
#define STORE_ACCESS_TOKEN_H

/* A user's own tokens, as the user sees them; times as clients read them. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "store/audit.h"
#include "store/db.h"

struct access_token {
	int64_t id;
	int64_t user_id;
	const char *name;
	const char *scopes; /* with commas between, as the last two */
	const char *created_at;
	const char *expires_at; /* a day; NULL: never, as for the next one */
	const char *last_used_at;
	bool revoked;
	bool active; /* neither revoked nor expired */
	const char *crates; /* NULL: no limit, as for the next one */
	const char *operations;
};

/* Which ones; what is NULL is all the same. */
struct access_token_filter {
	const bool *revoked;
	const bool *active;
	const char *search; /* part of a name */
};

/* Newest first. */
int access_token_list(struct db *, struct arena *, int64_t user_id,
    const struct access_token_filter *, struct access_token **, size_t *n, struct err *)
    __attribute__((warn_unused_result));

/* -1: 404 the user has no such token. */
int access_token_find(struct db *, struct arena *, int64_t user_id, int64_t id,
    struct access_token *, struct err *) __attribute__((warn_unused_result));

/* Whose token is it?  -1: 404 it is nobody's own. */
int access_token_owner(struct db *, struct arena *, int64_t id, int64_t *user_id, struct err *)
    __attribute__((warn_unused_result));

/* Refused from the next request on; it may be revoked already.  -1: 404. */
int access_token_revoke(struct db *, struct arena *, const struct audit_actor *, int64_t user_id,
    int64_t id, struct err *) __attribute__((warn_unused_result));

struct access_token_successor {
	struct slice digest;
	const char *handle; /* NULL, "": it has none */
	int64_t expires_at; /* when it ends, at the latest with the one in whose place it comes */
	bool asked; /* the client has named this end: a later one is an error */
};

/*
 * In its place comes another one with the same name, scopes and limits.  -1: 400 its end is later than
 * that of the old one, 404 there is none, also where it is not good any more.
 */
int access_token_rotate(struct db *, struct arena *, const struct audit_actor *, int64_t user_id,
    int64_t id, const struct access_token_successor *, int64_t *new_id, struct err *)
    __attribute__((warn_unused_result));

/*
 * A token that is revoked was shown again.  Where another one had come in its place, and its own end has
 * not come, somebody has it who should not: the last one that came of it ends, with an audit row.
 */
int access_token_end_successor(struct db *, struct arena *, const struct audit_actor *, int64_t id,
    struct err *) __attribute__((warn_unused_result));

#endif
