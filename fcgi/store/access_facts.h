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

/* A project as a URL names it: by id, or by full path (id is 0 then). */
struct project_ref {
	int64_t id;
	struct slice path;
};

struct access_facts {
	/* the token; token_id 0: there is none with this digest */
	int64_t token_id;
	const char *token_kind;
	int64_t user_id;
	const char *username;
	bool token_usable; /* not revoked, not expired, its user not blocked */
	bool is_admin;
	bool scope_api;
	bool scope_read_api;
	/* the project; project_id 0: there is none */
	int64_t project_id;
	const char *full_path;
	const char *visibility;
	bool packages_enabled;
	bool public_packages;
	int access_level; /* of the user in the project, own or inherited; 0: not a member */
};

/* Binds id or path as two parameters, one of them null. */
void project_ref_bind(struct db_params *, struct arena *, const struct project_ref *);

/* Fills in the call; digest NULL: an anonymous caller.  Send it with db_run(). */
void access_facts_call(struct db_call *, struct arena *, const unsigned char *digest,
    const struct project_ref *);

/* Reads the call's result; strings live as long as the arena of db_run(). */
void access_facts_read(const struct db_call *, struct access_facts *);

#endif
