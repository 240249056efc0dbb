#ifndef STORE_TOKEN_TRUST_RULE_H
#define STORE_TOKEN_TRUST_RULE_H

/*
 * The rules by which a project trusts jobs of other CI systems: which jobs, and which of its crates they
 * may publish and yank, for a user or for nobody.  access/trust.h knows the meaning of the claims.
 */

#include <stddef.h>
#include <stdint.h>

#include "access/facts.h"
#include "store/audit.h"
#include "store/db/db.h"
#include "store/namespace_ref.h"

enum { TRUST_RULES_MAX = 50 }; /* of one project */

struct trust_rule {
	int64_t id, project_id;
	const char *issuer; /* its URL */
	const char *kind; /* of the issuer */
	const char *claims; /* { "claim": "pattern" } */
	const char *crates; /* valid patterns in normal form with commas between; NULL: all */
	const char *operations; /* with commas between */
	const char *username; /* for whom the jobs act; NULL: for nobody, as developers */
	const char *owner_id; /* NULL: not used yet */
	int64_t created_at;
};

/*
 * Takes issuer, claims (checked), crates, operations and username.  id: 0, or that of a rule that was removed
 * and comes back; older versions made rules with equal claims, and such a rule may be one of them.  -1: 404
 * no such project, issuer or user, 409 the project has as many rules as it can have, or one with the same
 * issuer and claims.
 */
int trust_rule_add(struct db *, struct arena *, const struct audit_actor *,
    const struct namespace_ref *, const struct trust_rule *, int64_t *id, struct err *)
    __attribute__((warn_unused_result));

/* Jobs that came in by the rule are refused from the next request on.  -1: 404. */
int trust_rule_remove(struct db *, struct arena *, const struct audit_actor *,
    const struct namespace_ref *, int64_t id, struct err *) __attribute__((warn_unused_result));

/* In the order in which they are tried.  -1: 404 no such project. */
int trust_rule_list(struct db *, struct arena *, const struct namespace_ref *,
    struct trust_rule **, size_t *n, struct err *) __attribute__((warn_unused_result));

/*
 * Lists the rules for one issuer, in a project or in all projects below a group, with id, project_id, claims
 * and owner_id.  A project or group that does not exist has none.  -1: 500, 503.
 */
int trust_rule_of_issuer(struct db *, struct arena *, enum namespace_kind, const struct namespace_ref *,
    int64_t issuer_id, struct trust_rule **, size_t *n, struct err *)
    __attribute__((warn_unused_result));

#endif
