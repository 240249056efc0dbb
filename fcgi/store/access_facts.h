#ifndef STORE_ACCESS_FACTS_H
#define STORE_ACCESS_FACTS_H

/*
 * What the database knows of a caller and a project, in one row: all that the
 * access decision (access/access.h) looks at.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "store/db.h"
#include "store/flag.h"
#include "store/token_limits.h"

/* What a route is about, and so where the caller's level counts. */
enum subject {
	SUBJECT_PROJECT,
	SUBJECT_GROUP,
	SUBJECT_CALLER /* no place: who is calling is all that matters */
};

/* A project, or a group, as a URL names it: by id, or by full path (id is 0 then). */
struct project_ref {
	int64_t id;
	struct slice path;
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

/* Strings are never NULL but for limits.crates; access_facts_copy() knows each of them. */
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

/* Binds id or path as two parameters, one of them null. */
void project_ref_bind(struct db_params *, struct arena *, const struct project_ref *);

/*
 * Fills in the call; digest NULL: an anonymous caller.  Of SUBJECT_CALLER the place is { 0 }.  Send
 * it with db_run().
 */
void access_facts_call(struct db_call *, struct arena *, enum subject,
    const unsigned char *digest, const struct project_ref *place);

/* Reads the call's result; strings live as long as the arena of db_run(). */
void access_facts_read(const struct db_call *, enum subject, struct access_facts *);

/* What is asked for is what has this flag: sets switched_off, which is false before. */
void access_facts_switch(struct access_facts *, enum flag);

/*
 * The same caller (token 0: nobody) in each project of a group, and of the groups `below` it as well;
 * by path.  -1: 503.
 */
int access_facts_projects(struct db *, struct arena *, int64_t token_id, int64_t group_id,
    bool below, struct access_facts **, size_t *n, struct err *)
    __attribute__((warn_unused_result));

/* The same in each of these projects, a page of them, in their order. */
int access_facts_listed(struct db *, struct arena *, int64_t token_id, const int64_t *ids,
    size_t nids, struct access_facts **, size_t *n, struct err *)
    __attribute__((warn_unused_result));

/* A copy whose strings lie in `text`, of so many bytes; what the others have is not touched. */
size_t access_facts_text_size(const struct access_facts *);
void access_facts_copy(struct access_facts *, const struct access_facts *, char *text);

#endif
