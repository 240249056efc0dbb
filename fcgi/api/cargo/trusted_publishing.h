#ifndef API_CARGO_TRUSTED_PUBLISHING_H
#define API_CARGO_TRUSTED_PUBLISHING_H

/*
 * POST .../trusted_publishing/tokens {"jwt":"..."}: an identity token of a job in exchange for a
 * token that is good for 30 minutes.  DELETE with that token: it is good no longer.
 */

#include "call/call.h"

extern const struct route_policy trusted_publishing_revoke_policy;

/* Raises 400 no good identity token, or one that was used before, 403 no rule lets it in, 503. */
int trusted_publishing_exchange(struct call *, struct request *, struct response *);

/* Raises 403 for a token that is no job's. */
int trusted_publishing_revoke(struct call *, struct request *, struct response *);

#endif
