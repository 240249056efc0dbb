#ifndef API_CARGO_TRUSTED_PUBLISHING_H
#define API_CARGO_TRUSTED_PUBLISHING_H

/*
 * POST .../trusted_publishing/tokens {"jwt":"..."} exchanges the identity token of a job for a token that
 * is valid for 30 minutes.  DELETE with that token revokes it.
 */

#include "call/call.h"

extern const struct route_policy trusted_publishing_revoke_policy;

/* Raises 400 no good identity token, or one that was used before, 403 no rule lets it in, 503. */
int trusted_publishing_exchange(struct call *, struct request *, struct response *);

/* Raises 403 for a token that is no job's. */
int trusted_publishing_revoke(struct call *, struct request *, struct response *);

#endif
