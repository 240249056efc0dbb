#ifndef STORE_TOKEN_H
#define STORE_TOKEN_H

/* Tokens as the database knows them: digests, never a secret. */

#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "store/audit.h"
#include "store/db.h"

struct token_new {
	const char *username;
	struct slice digest; /* SHA-256 of the token's text, 32 bytes */
	const char *name;
	const char *const *scopes;
	size_t nscopes;
	int64_t expires_at; /* 0: never */
};

struct token_entry {
	int64_t id;
	const char *kind; /* "personal", "deploy", "job" */
	const char *username; /* NULL: it belongs to no user */
	const char *name;
	const char *scopes; /* comma-separated */
	int64_t created_at;
	int64_t expires_at; /* this and the following: 0 for never */
	int64_t revoked_at;
	int64_t last_used_at;
};

/* A user's own token.  -1: 400 for a malformed name, 404 for a missing user. */
int token_add_personal(struct db *, struct arena *, const struct audit_actor *,
    const struct token_new *, int64_t *id, struct err *) __attribute__((warn_unused_result));

/*
 * Refused from the next request on; it may be revoked already.  By id, or,
 * where id is 0, by digest.  -1: 404.
 */
int token_revoke(struct db *, struct arena *, const struct audit_actor *, int64_t id,
    struct slice digest, int64_t *found, struct err *) __attribute__((warn_unused_result));

/* All, or those of one user (0: all); in the order in which they came. */
int token_list(struct db *, struct arena *, int64_t user_id, struct token_entry **, size_t *n,
    struct err *) __attribute__((warn_unused_result));

#endif
