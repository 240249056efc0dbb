#ifndef ACCESS_ACCESS_H
#define ACCESS_ACCESS_H

/*
 * The one decision: may this caller do this in this project?  Index, download,
 * publish, yank and whatever comes ask here and nowhere else.
 * t/unit/access.c has the whole decision as tables.  Callers are
 *
 * nobody; from an address of the project's `anonymous_networks` one that may read its files;
 * a user, by a token of their own: the role in the project, or above it, counts, and the
 *     scopes and operations that the token has; to whom a crate of the project was given is a
 *     reporter there at least, and may publish and yank where they have that crate;
 * a deploy token: in its project, or in all projects of its group, a reporter or, with the
 *     scope to write, a developer; or a guest who makes tokens of jobs; anywhere else nobody;
 * a job: the user that has started it, in the job's project and in those whose allow-list has
 *     that project; anywhere else a user without a role;
 * a job of another system, by a trust rule: in the project of the rule, with its limits, the user of
 *     the rule or, where it names none, a developer; anywhere else nobody.
 *
 * The limits of a token to some crates, and the owners of a crate, are known only when the crate is found:
 * access/token_limits.h, store/package/owner.h.  A token with any limit is valid for crates only.
 */

#include <stdbool.h>

#include "access/facts.h"
#include "base/err.h"

/* The first ones are about packages, which a project may have switched off. */
enum action {
	ACTION_READ_FILES, /* config.json, index, download */
	ACTION_READ_PACKAGE, /* search, the lists of packages; who may read a group's packages */
	ACTION_CREATE_PACKAGE, /* publish */
	ACTION_YANK_PACKAGE, /* and unyank */
	ACTION_DELETE_PACKAGE, /* also to change its status */
	ACTION_READ_OWNERS,
	ACTION_CHANGE_OWNERS,
	ACTION_READ_PIPELINES, /* the publisher of a package, and the CI job */
	ACTION_READ_EMAILS, /* of owners of crates */
	/* what a project or group is, and who is a member */
	ACTION_READ_NAMESPACE,
	ACTION_READ_MEMBERS,
	ACTION_CHANGE_MEMBERS,
	/* deploy tokens, protection and trust rules, allow-list */
	ACTION_READ_SETTINGS,
	ACTION_CHANGE_SETTINGS,
	ACTION_CHANGE_NETWORKS, /* anonymous_networks, which open a place as its visibility does */
	ACTION_CREATE_JOB_TOKEN, /* for a member, by a CI system; and to end it */
	/* of NAMESPACE_NONE: reading what the token is; ending it; the account of its user */
	ACTION_READ_TOKEN,
	ACTION_END_TOKEN,
	ACTION_READ_ACCOUNT,
	ACTION_CHANGE_ACCOUNT,
	ACTION__MAX
};

/* GitLab's access levels. */
enum access_level {
	LEVEL_NONE = 0,
	LEVEL_GUEST = 10,
	LEVEL_REPORTER = 20,
	LEVEL_DEVELOPER = 30,
	LEVEL_MAINTAINER = 40,
	LEVEL_OWNER = 50,
	LEVEL_ADMIN = 60
};

enum credential {
	CREDENTIAL_NONE, /* the request had none */
	CREDENTIAL_MALFORMED, /* it cannot be a token of ours */
	CREDENTIAL_TOKEN /* well-formed: the facts tell whether it is known */
};

/* The access level of that name in a sentence: "maintainer"; "administrator" above all. */
const char *access_level_name(int level);

/*
 * 0: yes.  -1:
 * 401 a credential that is malformed, unknown, revoked, expired or of a blocked
 *     user, whatever the place; the sentence says which if the token is known.  A job may end its token
 *     even then.  No credential, where one could help;
 * 404 a project that is not there, has packages turned off, or that the caller may
 *     not know of, and what a flag has switched off: one and the same answer; so with groups;
 * 403 a namespace that the caller may know of but not use in this way.
 * With a malformed credential the facts may be { 0 }.
 */
int access_decide(const struct access_facts *, enum credential, enum action, struct err *)
    __attribute__((warn_unused_result));

/*
 * The level that protection rules compare with: the caller's level in the project, LEVEL_ADMIN for an
 * administrator, LEVEL_NONE for a deploy token, which passes no rule.
 */
int access_push_level(const struct access_facts *);

/*
 * For a caller who may publish or yank.  0: their level suffices for every crate; else the user who must own
 * the crate (owner_check_call()).
 */
int64_t access_crate_user(const struct access_facts *);

/* Anyone may read: no Authorization is needed, and the answer depends on none. */
bool access_is_public(const struct access_facts *);

/* A caller without a credential may read the files, but only from an address of `anonymous_networks`. */
bool access_by_network(const struct access_facts *);

#endif
