#include "store/token/trust_rule.h"

#include <inttypes.h>

#include "store/user.h"

static int
no_project(const struct namespace_ref *project, struct err *err)
{
	if (project->id != 0)
		return err_set(err, 404, "project %" PRId64 " does not exist", project->id);
	return err_set(err, 404, "project `%.*s` does not exist", (int)project->path.n,
	    project->path.p);
}

struct adding {
	struct arena *arena;
	const struct audit_actor *actor;
	const struct namespace_ref *project;
	const struct trust_rule *rule;
	int64_t id;
};

/* Is there room for the rule in the locked project?  A second rule of the same claims would never count. */
static int
check_rules(struct db *db, const struct adding *add, int64_t project_id, struct err *err)
{
	enum { COLUMNS_TRUST_COUNT };
	struct db_params p = { 0 };
	struct db_result r = { 0 };

	db_bind_int(&p, project_id);
	db_bind_str(&p, add->rule->issuer);
	db_bind_str(&p, add->rule->claims);
	if (db_exec(db, add->arena, STMT_TRUST_COUNT, &p, &r, err) == -1)
		return -1;
	if (add->rule->id == 0 && !db_is_null(&r, 0, SAME))
		return err_set(err, 409,
		    "trust rule %" PRId64 " of the project already has this issuer and these claims",
		    db_int(&r, 0, SAME));
	if (db_int(&r, 0, COUNT) >= TRUST_RULES_MAX)
		return err_set(err, 409, "the project has %d trust rules, and no more are possible",
		    TRUST_RULES_MAX);
	return 0;
}

/* The project's id, its row locked, with room for the rule. */
static int
lock_project(struct db *db, const struct adding *add, int64_t *id, struct err *err)
{
	enum { COLUMNS_TRUST_LOCK };
	struct db_params p = { 0 };
	struct db_result r = { 0 };

	namespace_ref_bind(&p, add->arena, add->project);
	if (db_exec(db, add->arena, STMT_TRUST_LOCK, &p, &r, err) == -1)
		return -1;
	if (r.rows == 0)
		return no_project(add->project, err);
	*id = db_int(&r, 0, ID);
	return check_rules(db, add, *id, err);
}

/* Which of the two is it that is not there? */
static int
missing(struct db *db, const struct adding *add, struct err *err)
{
	int64_t user;

	if (add->rule->username != NULL &&
	    user_find(db, add->arena, add->rule->username, &user, err) == -1)
		return -1;
	return err_set(err, 404, "there is no issuer `%s`: an administrator adds it with `berth issuer add`",
	    add->rule->issuer);
}

static int
add_body(struct db *db, void *arg, struct err *err)
{
	enum { COLUMNS_TRUST_ADD };
	struct adding *add = arg;
	const struct trust_rule *rule = add->rule;
	struct audit_event event = { .action = AUDIT_TRUST_CREATE, .id_key = "rule_id",
		.facts = { { "issuer", rule->issuer, false }, { "claims", rule->claims, true },
		    { "crates", rule->crates, false }, { "operations", rule->operations, false },
		    { "user", rule->username, false } } };
	struct db_params p = { 0 };
	struct db_result r = { 0 };

	if (lock_project(db, add, &event.project_id, err) == -1)
		return -1;
	db_bind_int(&p, event.project_id);
	db_bind_str(&p, rule->issuer);
	db_bind_str(&p, rule->claims);
	db_bind_str(&p, rule->crates);
	db_bind_str(&p, rule->operations);
	db_bind_str(&p, rule->username);
	if (db_exec(db, add->arena, STMT_TRUST_ADD, &p, &r, err) == -1)
		return -1;
	if (r.rows == 0)
		return missing(db, add, err);
	add->id = event.id = db_int(&r, 0, ID);
	return audit_add(db, add->arena, add->actor, &event, err);
}

int
trust_rule_add(struct db *db, struct arena *a, const struct audit_actor *actor,
    const struct namespace_ref *project, const struct trust_rule *rule, int64_t *id,
    struct err *err)
{
	struct adding add = { a, actor, project, rule, 0 };
	bool unknown;

	if (db_transaction(db, add_body, &add, &unknown, err) == -1)
		return -1;
	*id = add.id;
	return 0;
}

struct removing {
	struct arena *arena;
	const struct audit_actor *actor;
	const struct namespace_ref *project;
	int64_t id;
};

static int
remove_body(struct db *db, void *arg, struct err *err)
{
	enum { COLUMNS_TRUST_REMOVE };
	const struct removing *removing = arg;
	struct audit_event event = { .action = AUDIT_TRUST_REMOVE, .id_key = "rule_id",
		.id = removing->id };
	struct db_params p = { 0 };
	struct db_result r = { 0 };

	namespace_ref_bind(&p, removing->arena, removing->project);
	db_bind_int(&p, removing->id);
	if (db_exec(db, removing->arena, STMT_TRUST_REMOVE, &p, &r, err) == -1)
		return -1;
	if (r.rows == 0) {
		db_found_done(db);
		return err_set(err, 404, "the project has no trust rule %" PRId64, removing->id);
	}
	event.project_id = db_int(&r, 0, ID);
	return audit_add(db, removing->arena, removing->actor, &event, err);
}

int
trust_rule_remove(struct db *db, struct arena *a, const struct audit_actor *actor,
    const struct namespace_ref *project, int64_t id, struct err *err)
{
	struct removing removing = { a, actor, project, id };
	bool unknown;

	return db_transaction(db, remove_body, &removing, &unknown, err);
}

int
trust_rule_list(struct db *db, struct arena *a, const struct namespace_ref *project,
    struct trust_rule **out, size_t *n, struct err *err)
{
	enum { COLUMNS_TRUST_LIST };
	struct db_params p = { 0 };
	struct db_result r = { 0 };

	namespace_ref_bind(&p, a, project);
	if (db_exec(db, a, STMT_TRUST_LIST, &p, &r, err) == -1)
		return -1;
	if (r.rows == 0)
		return no_project(project, err);
	*n = db_is_null(&r, 0, ID) ? 0 : (size_t)r.rows;
	*out = arena_calloc(a, *n, sizeof(**out));
	for (int i = 0; i < (int)*n; i++)
		(*out)[i] = (struct trust_rule) {
			.id = db_int(&r, i, ID),
			.issuer = db_str(&r, i, URL),
			.kind = db_str(&r, i, KIND),
			.claims = db_str(&r, i, CLAIMS),
			.crates = db_str(&r, i, CRATES),
			.operations = db_str(&r, i, OPERATIONS),
			.username = db_str(&r, i, USERNAME),
			.owner_id = db_str(&r, i, OWNER_ID),
			.created_at = db_int(&r, i, CREATED_AT),
		};
	return 0;
}

int
trust_rule_of_issuer(struct db *db, struct arena *a, enum namespace_kind kind,
    const struct namespace_ref *namespace, int64_t issuer_id, struct trust_rule **out, size_t *n,
    struct err *err)
{
	enum { COLUMNS_TRUST_OF_ISSUER }; /* trust_of_group has the same */
	struct db_params p = { 0 };
	struct db_result r = { 0 };

	namespace_ref_bind(&p, a, namespace);
	db_bind_int(&p, issuer_id);
	if (db_exec(db, a, kind == NAMESPACE_GROUP ? STMT_TRUST_OF_GROUP : STMT_TRUST_OF_ISSUER, &p, &r, err) == -1)
		return -1;
	*n = (size_t)r.rows;
	*out = arena_calloc(a, *n, sizeof(**out));
	for (int i = 0; i < r.rows; i++)
		(*out)[i] = (struct trust_rule) {
			.id = db_int(&r, i, ID),
			.project_id = db_int(&r, i, PROJECT_ID),
			.claims = db_str(&r, i, CLAIMS),
			.owner_id = db_str(&r, i, OWNER_ID),
		};
	return 0;
}
