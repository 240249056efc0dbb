#ifndef ACCESS_FACTS_H
#define ACCESS_FACTS_H

/*
 * All that the access decision (access/access.h) looks at: what is known of a caller and of the project
 * or group that the request is about.  store/access_facts.h reads it from the database.
 */

#include <stdbool.h>
#include <stdint.h>

#include "access/token_limits.h"

/* What a route is about, and so where the caller's level counts. */
enum subject {
	SUBJECT_PROJECT,
	SUBJECT_GROUP,
	SUBJECT_CALLER /* no place: who is calling is all that matters */
};

/* What the project lets the project of a job do here, where it is another one. */
enum job_policy { JOB_POLICY_NONE, JOB_POLICY_READ, JOB_POLICY_ADMIN };

/* Why a token that is known counts no more; as in sql/queries/access.sql. */
enum token_state {
	TOKEN_USABLE,
	TOKEN_REVOKED,
	TOKEN_EXPIRED,
	TOKEN_BLOCKED,
	TOKEN_UNCHECKED /* good, but the system that has made it has to be asked again */
};

/* Strings are never NULL but for limits.crates. */
struct access_facts {
	/* the token; token_id 0: there is none with this digest */
	int64_t token_id;
	const char *token_kind; /* "personal", "deploy", "job" */
	int64_t user_id; /* 0: of nobody, as deploy tokens are */
	const char *username;
	bool token_usable; /* not revoked, not expired, its user not blocked, its trust rule there */
	enum token_state token_state; /* the same, and why not */
	bool is_admin;
	bool scope_api; /* of a personal token, as the next one */
	bool scope_read_api;
	bool scope_read_packages; /* of a deploy token, as the next two */
	bool scope_write_packages;
	bool scope_create_job_token;
	struct token_limits limits;
	bool in_place; /* the project is the token's own, or in its group */
	enum job_policy job_policy;
	int64_t trust_rule_id; /* by which a job of another system came in; 0: it is none */
	/* the place: one of the two ids at most; both 0: there is none, or the subject has none */
	enum subject subject;
	int64_t project_id;
	int64_t group_id;
	const char *full_path;
	/* of a group: of whatever in it the caller may know best of; "private" where it is nothing */
	const char *visibility;
	bool packages_enabled; /* of a group always, as a group has no such switch */
	bool public_packages;
	bool switched_off; /* what is asked for, by a flag */
	const char *flags; /* for flag_is_on() */
	int access_level; /* of the user in the place, own or inherited; 0: not a member */
	bool owns_crate; /* some crate of the project was given to the user */
};

#endif
