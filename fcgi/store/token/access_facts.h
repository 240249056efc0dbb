#ifndef STORE_TOKEN_ACCESS_FACTS_H
#define STORE_TOKEN_ACCESS_FACTS_H

/*
 * Reads facts (access/facts.h): what the database knows of a caller and a project, in one row.
 */

#include <stdbool.h>
#include <stdint.h>

#include "access/facts.h"
#include "base/slice.h"
#include "store/db/db.h"
#include "store/flag.h"
#include "store/namespace_ref.h"

/*
 * Fills in the call; digest NULL: an anonymous caller.  Of NAMESPACE_NONE the namespace is { 0 }.  Send
 * it with db_run().
 */
void access_facts_call(struct db_call *, struct arena *, enum namespace_kind,
    const unsigned char *digest, const struct namespace_ref *namespace);

/*
 * The same for a token in a project, and what the facts rest on.  As long as these grounds hold, nothing has
 * taken a right away; they do not notice new rights.
 */
void access_facts_grounds_call(struct db_call *, const unsigned char *digest, int64_t project_id);

/*
 * Do the grounds in a row of the call above still hold?  One row: yes.  *grounds must live until the call has
 * run.
 */
void access_grounds_hold_call(struct db_call *, const unsigned char *digest, int64_t project_id,
    const struct db_result *grounds);

/* Have two results, of either statement, the same facts? */
bool access_facts_equal(const struct db_result *, const struct db_result *);

/*
 * As access_facts_call() for the registry of a group (store/package/view.h): the facts of the caller and the
 * project that has the name (in normal form).  If no project has it, they are about no project, or, with
 * `creates`, about the default project of the group.  name NULL: facts of NAMESPACE_GROUP, with the most that
 * the caller may do in any of the projects.
 */
void access_facts_view_call(struct db_call *, struct arena *, const unsigned char *digest,
    const struct namespace_ref *group, const char *name, bool creates);

/*
 * For a call with a name.  Returns the group, 0: it does not exist; *has_name: a project of the group has
 * the name.
 */
int64_t access_facts_view_id(const struct db_call *, bool *has_name);

/*
 * The same for the viewer of a page; user_id 0: anonymous.  A user has the rights of a token with
 * `read_api`; the facts have token_id -1, which is no token's id.
 */
void access_facts_viewer_call(struct db_call *, struct arena *, enum namespace_kind, int64_t user_id,
    const struct namespace_ref *namespace);

/* Reads the call's result; strings live as long as the arena of db_run(). */
void access_facts_read(const struct db_call *, enum namespace_kind, struct access_facts *);

/* The same for one row of a statement that reads several namespaces. */
void access_facts_read_row(const struct db_call *, int row, enum namespace_kind, struct access_facts *);

/* The project's own settings of what may be published, as project_policy_parse() reads them; NULL: none. */
const char *access_facts_policy(const struct db_call *);

/* Sets switched_off if this flag is off; it must be false before. */
void access_facts_switch(struct access_facts *, enum flag);

/* Sets from_network if the caller's address is in anonymous_networks; it must be false before. */
void access_facts_locate(struct access_facts *, const char *address);

/*
 * The facts of one caller (token 0: nobody) in each project of a group, and of the groups `below` it as
 * well; ordered by path.  Without a token, it leaves out projects that nobody may read without one.  -1: 503.
 */
int access_facts_projects(struct db *, struct arena *, int64_t token_id, int64_t group_id,
    bool below, struct access_facts **, size_t *n, struct err *)
    __attribute__((warn_unused_result));

/* The facts of one caller in each of these projects or groups, a page of them, in their order. */
int access_facts_listed(struct db *, struct arena *, int64_t token_id, enum namespace_kind,
    const int64_t *ids, size_t nids, struct access_facts **, size_t *n, struct err *)
    __attribute__((warn_unused_result));

/*
 * The facts of a job in the projects of n trust rules that fit it, as if it had come there by the rule.
 * token_id: the token by which it came first; digests: in hexadecimal digits, of its token in each project.
 * If it has no such token, the facts have token_id.
 */
int access_facts_rules(struct db *, struct arena *, int64_t token_id, const int64_t *rules,
    const char *const *digests, size_t nrules, struct access_facts **, size_t *n, struct err *)
    __attribute__((warn_unused_result));

/* The facts of a viewer in each of these projects that is there, in their order. */
int access_facts_viewer_listed(struct db *, struct arena *, int64_t user_id, const int64_t *ids, size_t nids,
    struct access_facts **, size_t *n, struct err *) __attribute__((warn_unused_result));

/* The same in the groups that are set up as registries and that the viewer may see: at most 13, by path. */
int access_facts_viewer_registries(struct db *, struct arena *, int64_t user_id, struct access_facts **,
    size_t *n, struct err *) __attribute__((warn_unused_result));

/* The facts of an anonymous caller about no namespace. */
extern const struct access_facts access_facts_none;

#endif
