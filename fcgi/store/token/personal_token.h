#ifndef STORE_TOKEN_PERSONAL_TOKEN_H
#define STORE_TOKEN_PERSONAL_TOKEN_H

/* A user's own tokens, as the user sees them; times as clients read them. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "store/audit.h"
#include "store/db/db.h"

struct personal_token {
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

/* Selects tokens; NULL selects all. */
struct personal_token_filter {
	const bool *revoked;
	const bool *active;
	const char *search; /* part of a name */
};

/* Newest first. */
int personal_token_list(struct db *, struct arena *, int64_t user_id,
    const struct personal_token_filter *, struct personal_token **, size_t *n, struct err *)
    __attribute__((warn_unused_result));

/* -1: 404 the user has no such token. */
int personal_token_find(struct db *, struct arena *, int64_t user_id, int64_t id,
    struct personal_token *, struct err *) __attribute__((warn_unused_result));

/* Finds the user of a token.  -1: 404 no user has it. */
int personal_token_owner(struct db *, struct arena *, int64_t id, int64_t *user_id, struct err *)
    __attribute__((warn_unused_result));

/* Refused from the next request on; it may be revoked already.  -1: 404. */
int personal_token_revoke(struct db *, struct arena *, const struct audit_actor *, int64_t user_id,
    int64_t id, struct err *) __attribute__((warn_unused_result));

struct personal_token_successor {
	struct slice digest;
	const char *handle; /* NULL, "": none */
	int64_t expires_at; /* no later than the end of the token that it replaces */
	bool asked; /* the client has named this end: a later one is an error, not a shorter life */
};

/*
 * Replaces the token by one with the same name, scopes and limits.  -1: 400 the new end is later than
 * the old one, 404 there is no such token, or it is not good any more.
 */
int personal_token_rotate(struct db *, struct arena *, const struct audit_actor *, int64_t user_id,
    int64_t id, const struct personal_token_successor *, int64_t *new_id, struct err *)
    __attribute__((warn_unused_result));

/*
 * Call it when somebody shows a revoked token.  If another token has replaced it, and it has not expired,
 * somebody else has a copy: so this revokes the last token of that chain, with an audit row.
 */
int personal_token_end_successor(struct db *, struct arena *, const struct audit_actor *, int64_t id,
    struct err *) __attribute__((warn_unused_result));

#endif
