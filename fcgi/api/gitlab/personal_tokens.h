#ifndef API_GITLAB_PERSONAL_TOKENS_H
#define API_GITLAB_PERSONAL_TOKENS_H

/*
 * A user's own tokens, in GitLab's format: /personal_access_tokens.  Users see only their own tokens, and
 * administrators see all.  No route makes a new token, except a rotation, which replaces an old token by
 * one with the same rights.
 */

#include "call/call.h"

extern const struct route_policy personal_tokens_policy;
extern const struct route_policy personal_tokens_change_policy;

/* 200; of another user, for administrators. */
int personal_tokens_list(struct call *, struct request *, struct response *);

/* 200; 404 also for a token that is another user's. */
int personal_tokens_show(struct call *, struct request *, struct response *);
int personal_tokens_show_self(struct call *, struct request *, struct response *);

/* 200, once with the token itself; the old one ends at once.  400, 404. */
int personal_tokens_rotate(struct call *, struct request *, struct response *);
int personal_tokens_rotate_self(struct call *, struct request *, struct response *);

/* 204: it is revoked; 404.  Any token may revoke itself. */
int personal_tokens_revoke(struct call *, struct request *, struct response *);
int personal_tokens_revoke_self(struct call *, struct request *, struct response *);

#endif
