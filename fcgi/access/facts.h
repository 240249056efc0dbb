#ifndef ACCESS_FACTS_H
#define ACCESS_FACTS_H

/*
 * The facts of the access decision (access/access.h): what is known of a caller and of the project
 * or group of the request.  store/token/access_facts.h reads them from the database.
 */

#include <stdbool.h>
#include <stdint.h>

#include "access/token_limits.h"

/* What kind of namespace a route is about: there the caller's level counts. */
enum namespace_kind {
	NAMESPACE_PROJECT,
	NAMESPACE_GROUP,
	NAMESPACE_NONE /* none: only the caller counts */
};

/* What a project lets jobs of another project do. */
enum job_policy { JOB_POLICY_NONE, JOB_POLICY_READ, JOB_POLICY_ADMIN };

/* Whether a known token is usable, and if not, why; the names are in sql/queries/access.sql. */
enum token_state {
	TOKEN_USABLE,
	TOKEN_REVOKED,
	TOKEN_EXPIRED,
	TOKEN_BLOCKED,
	TOKEN_UNCHECKED /* good, but the system that made it must be asked again */
};

/* No string but limits.crates is NULL. */
struct access_facts {
	/* the token; token_id 0: none has this digest */
	int64_t token_id;
	const char *token_kind; /* "personal", "deploy", "job" */
	int64_t user_id; /* 0: of nobody, as for deploy tokens */
	const char *username;
	bool token_usable; /* not revoked or expired, its user not blocked, its trust rule not removed */
	enum token_state token_state; /* the same, and why not */
	bool is_admin;
	bool scope_api; /* of a personal token, as the next one */
	bool scope_read_api;
	bool scope_read_packages; /* of a deploy token, as the next two */
	bool scope_write_packages;
	bool scope_create_job_token;
	struct token_limits limits;
	bool in_namespace; /* the project is the token's own, or in its group */
	enum job_policy job_policy;
	int64_t trust_rule_id; /* the rule that let a job of another system in; 0: no such job */
	/* the namespace: at most one of the two ids; both 0: no such namespace, or NAMESPACE_NONE */
	enum namespace_kind namespace_kind;
	int64_t project_id;
	int64_t group_id;
	const char *full_path;
	/* of a group: the widest of the namespaces in it that the caller may see; "private" without any */
	const char *visibility;
	bool packages_enabled; /* always true for a group, which has no such switch */
	bool public_packages;
	bool switched_off; /* a flag switches the asked function off */
	const char *flags; /* for flag_is_on() */
	int access_level; /* of the user in the namespace, own or inherited; 0: not a member */
	bool owns_crate; /* the user owns some crate of the project */
	/* of nobody, about a project: the networks that may read it without a token (base/cidr.h) */
	const char *anonymous_networks;
	bool from_network; /* the caller's address is in one of them */
};

#endif
