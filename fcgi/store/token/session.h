#ifndef STORE_TOKEN_SESSION_H
#define STORE_TOKEN_SESSION_H

/*
 * Sign-in to the pages: links that sign a person in once, the sessions of browsers, and what a person may
 * do there with their own tokens.  Digests are SHA-256, 32 bytes.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/audit.h"
#include "store/db/db.h"
#include "store/token/token.h"

enum {
	SESSION_SECONDS = 12 * 3600, /* a working day; then one signs in anew */
	SESSION_LINK_SECONDS = 900,
	SESSION_LINK_SECONDS_MAX = 7 * 86400
};

/* A link that is good for so many seconds.  -1: 400, 404 no such user, 409 the user is blocked. */
int session_link_add(struct db *, struct arena *, const struct audit_actor *, const char *username,
    struct slice digest, int64_t seconds, int64_t *user_id, struct err *)
    __attribute__((warn_unused_result));

/* Finds the user whom the link signs in; the link stays valid.  -1: 403 the link is not valid. */
int session_link_find(struct db *, struct arena *, struct slice digest, const char **username,
    struct err *) __attribute__((warn_unused_result));

/* The proof of who signs in: one of the two. */
struct session_proof {
	struct slice link; /* digest; empty: it was no link */
	const char *username; /* by single sign-on; NULL: it was not */
};

/*
 * Opens the session of that digest, in one transaction with its audit row; a link is used up.  The
 * actor's user is filled in.  -1: 403 where the link or the user is not good.
 */
int session_open(struct db *, struct arena *, struct audit_actor *, const struct session_proof *,
    struct slice digest, struct err *) __attribute__((warn_unused_result));

struct session {
	int64_t user_id; /* 0: there is no such session, or it is over */
	const char *username;
	bool by_sso;
	const char *flags; /* for all projects, as flag_is_on() takes them; NULL: none is set */
};

/* Finds the session.  digest empty: there is none, because the request has no cookie.  -1: 503. */
int session_find(struct db *, struct arena *, struct slice digest, struct session *, struct err *)
    __attribute__((warn_unused_result));

/*
 * Fills in a session for the user whom single sign-on names, without opening one.  -1: 403 there is no such
 * user, or no user can have the name.
 */
int session_name(struct db *, struct arena *, const char *username, struct session *,
    struct err *) __attribute__((warn_unused_result));

/* Ends it, with an audit row, if it is there. */
int session_close(struct db *, struct arena *, const struct audit_actor *, struct slice digest,
    struct err *) __attribute__((warn_unused_result));

/* The user's valid tokens, newest first.  Members that personal tokens do not have are 0. */
int session_tokens(struct db *, struct arena *, int64_t user_id, struct token_entry **, size_t *n,
    struct err *) __attribute__((warn_unused_result));

/* Revokes one of the user's own tokens.  -1: 404, also for somebody else's token. */
int session_token_revoke(struct db *, struct arena *, const struct audit_actor *, int64_t token_id,
    struct err *) __attribute__((warn_unused_result));

#endif
