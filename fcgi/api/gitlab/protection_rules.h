#ifndef API_GITLAB_PROTECTION_RULES_H
#define API_GITLAB_PROTECTION_RULES_H

/* Protection rules, in GitLab's format: /projects/:id/packages/protection/rules. */

#include "call/call.h"

extern const struct route_policy protection_rules_policy;
extern const struct route_policy protection_rules_change_policy;

/* 200. */
int protection_rules_list(struct call *, struct request *, struct response *);

/* 201; 400 for a malformed rule, 422 for one that conflicts with another rule. */
int protection_rules_create(struct call *, struct request *, struct response *);

/* 200; 400, 403 the caller's level is below the highest that the rule names, before or after, 404, 422. */
int protection_rules_change(struct call *, struct request *, struct response *);

/* 204; 403 as above, 404. */
int protection_rules_delete(struct call *, struct request *, struct response *);

#endif
