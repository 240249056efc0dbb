#ifndef API_GITLAB_TRUST_RULES_H
#define API_GITLAB_TRUST_RULES_H

/* .../trusted_publishing/rules: a project's maintainers say here which jobs of other CI systems it admits. */

#include "call/call.h"

extern const struct route_policy trust_rules_read_policy;
extern const struct route_policy trust_rules_change_policy;

/* GET: 200, an array, in the order in which they are tried. */
int trust_rules_list(struct call *, struct request *, struct response *);

/*
 * POST with issuer, claims (an object of patterns), and perhaps crates, operations, user: 201
 * and the rule.  Raises 400, 403 for a user who is not the caller, 404 no such issuer, 409 too
 * many.
 */
int trust_rules_add(struct call *, struct request *, struct response *);

/* DELETE .../rules/:rule_id: 204.  Raises 404. */
int trust_rules_remove(struct call *, struct request *, struct response *);

#endif
