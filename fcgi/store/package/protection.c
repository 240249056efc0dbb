#include "store/package/protection.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "access/naming.h"

static const struct {
	enum protection_level level;
	const char *name;
} levels[] = {
	{ PROTECTION_MAINTAINER, "maintainer" },
	{ PROTECTION_OWNER, "owner" },
	{ PROTECTION_ADMIN, "admin" },
};

static const size_t nlevels = sizeof(levels) / sizeof(*levels);

const char *
protection_level_name(int64_t level)
{
	for (size_t i = 0; i < nlevels; i++) {
		if ((int64_t)levels[i].level == level)
			return levels[i].name;
	}
	return NULL;
}

int
protection_level_parse(const char *word, enum protection_level least, int64_t *level,
    struct err *err)
{
	for (size_t i = 0; i < nlevels; i++) {
		if (levels[i].level >= least && strcmp(levels[i].name, word) == 0) {
			*level = levels[i].level;
			return 0;
		}
	}
	return err_set(err, 400, "the level must be %sowner or admin, not `%s`",
	    least <= PROTECTION_MAINTAINER ? "maintainer, " : "", word);
}

static bool
is_pattern_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	    c == '_' || c == '-' || c == '*';
}

int
protection_check_pattern(const char *pattern, struct err *err)
{
	size_t n = strlen(pattern);

	if (n == 0)
		return err_set(err, 400, "the pattern is empty");
	if (n > PROTECTION_PATTERN_MAX)
		return err_set(
		    err, 400, "the pattern is longer than %d bytes", PROTECTION_PATTERN_MAX);
	/* a rule that can never match would look like protection and be none */
	for (size_t i = 0; i < n; i++) {
		if (!is_pattern_byte(pattern[i]))
			return err_set(err, 400,
			    "the pattern `%s` may contain only letters, digits, `_`, `-` and `*`",
			    pattern);
	}
	return 0;
}

/* As crate_name_normalize(), of what need not be a whole name. */
static const char *
normalize(struct arena *a, const char *pattern)
{
	char *out = arena_strdup(a, pattern);

	for (char *p = out; *p != '\0'; p++) {
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
		else if (*p == '_')
			*p = '-';
	}
	return out;
}

static void
bind_level(struct db_params *p, int64_t level)
{
	if (level == PROTECTION_NONE)
		db_bind_null(p);
	else
		db_bind_int(p, level);
}

static int
no_project(const char *full_path, struct err *err)
{
	return err_set(err, 404, "project `%s` does not exist", full_path);
}

static int
no_rule(const char *full_path, int64_t id, struct err *err)
{
	return err_set(
	    err, 404, "project `%s` has no protection rule %" PRId64, full_path, id);
}

static int
already_there(const char *full_path, const char *pattern, struct err *err)
{
	return err_set(err, 409, "project `%s` already has a protection rule for `%s`", full_path,
	    pattern);
}

static int
check_levels(const struct protection_rule *rule, struct err *err)
{
	if (rule->push == PROTECTION_NONE && rule->delete == PROTECTION_NONE)
		return err_set(err, 400, "a protection rule needs a level for push or for delete");
	return 0;
}

/* May a user of the level `by` change or remove this rule, or set these levels? */
static int
check_level(const struct protection_rule *rule, int64_t by, struct err *err)
{
	int64_t need = rule->push > rule->delete ? rule->push : rule->delete;

	if (by >= need)
		return 0;
	return err_set(err, 403,
	    "changing or removing a protection rule that names the level `%s` needs that level",
	    protection_level_name(need));
}

/* Pattern and levels, as the statements that write a rule have them. */
static void
bind_rule(struct db_params *p, struct arena *a, const struct protection_rule *rule)
{
	db_bind_str(p, rule->pattern);
	db_bind_str(p, normalize(a, rule->pattern));
	bind_level(p, rule->push);
	bind_level(p, rule->delete);
}

static void
set_facts(struct audit_event *event, const struct protection_rule *rule)
{
	event->id = rule->id;
	event->facts[0] = (struct audit_fact) { "pattern", rule->pattern, false };
	event->facts[1] = (struct audit_fact) { "push", protection_level_name(rule->push), false };
	event->facts[2] =
	    (struct audit_fact) { "delete", protection_level_name(rule->delete), false };
}

struct adding {
	struct arena *arena;
	const struct audit_actor *actor;
	const char *full_path;
	struct protection_rule rule;
};

/* The project's id, its row locked, with room for one more rule. */
static int
lock_project(struct db *db, const struct adding *add, int64_t *id, struct err *err)
{
	enum { COLUMNS_PROTECTION_LOCK };
	enum { COLUMNS_PROTECTION_COUNT };
	struct db_params p = { 0 }, count = { 0 };
	struct db_result r = { 0 };

	db_bind_str(&p, add->full_path);
	if (db_exec(db, add->arena, STMT_PROTECTION_LOCK, &p, &r, err) == -1)
		return -1;
	if (r.rows == 0)
		return no_project(add->full_path, err);
	*id = db_int(&r, 0, ID);
	db_bind_int(&count, *id);
	if (db_exec(db, add->arena, STMT_PROTECTION_COUNT, &count, &r, err) == -1)
		return -1;
	if (db_int(&r, 0, COUNT) >= PROTECTION_RULES_MAX)
		return err_set(err, 409,
		    "project `%s` has %d protection rules, and no more are possible",
		    add->full_path, PROTECTION_RULES_MAX);
	return 0;
}

static int
add_body(struct db *db, void *arg, struct err *err)
{
	enum { COLUMNS_PROTECTION_ADD };
	struct adding *add = arg;
	struct audit_event event = { .action = AUDIT_PROTECTION_CREATE, .id_key = "rule_id" };
	struct protection_rule *rule = &add->rule;
	struct db_params p = { 0 };
	struct db_result r = { 0 };

	if (lock_project(db, add, &event.project_id, err) == -1)
		return -1;
	db_bind_int(&p, event.project_id);
	bind_rule(&p, add->arena, rule);
	if (db_exec(db, add->arena, STMT_PROTECTION_ADD, &p, &r, err) == -1)
		return -1;
	if (r.rows == 0)
		return already_there(add->full_path, rule->pattern, err);
	rule->id = db_int(&r, 0, ID);
	set_facts(&event, rule);
	return audit_add(db, add->arena, add->actor, &event, err);
}

int
protection_add(struct db *db, struct arena *a, const struct audit_actor *actor,
    const char *full_path, const struct protection_rule *rule, int64_t *id, struct err *err)
{
	struct adding add = { a, actor, full_path, *rule };
	bool unknown;

	if (naming_check_path("project path", full_path, err) == -1 ||
	    protection_check_pattern(rule->pattern, err) == -1)
		return -1;
	if (check_levels(rule, err) == -1 ||
	    db_transaction(db, add_body, &add, &unknown, err) == -1)
		return -1;
	*id = add.rule.id;
	return 0;
}

static int64_t
read_level(const struct db_result *r, int row, int column)
{
	return db_is_null(r, row, column) ? PROTECTION_NONE : db_int(r, row, column);
}

struct removing {
	struct arena *arena;
	const struct audit_actor *actor;
	const char *full_path;
	int64_t id;
	int64_t by;
};

static int
remove_body(struct db *db, void *arg, struct err *err)
{
	enum { COLUMNS_PROTECTION_REMOVE };
	const struct removing *removing = arg;
	struct audit_event event = { .action = AUDIT_PROTECTION_REMOVE, .id_key = "rule_id" };
	struct protection_rule rule;
	struct db_params p = { 0 };
	struct db_result r = { 0 };

	db_bind_str(&p, removing->full_path);
	db_bind_int(&p, removing->id);
	if (db_exec(db, removing->arena, STMT_PROTECTION_REMOVE, &p, &r, err) == -1)
		return -1;
	if (r.rows == 0)
		return no_rule(removing->full_path, removing->id, err);
	event.project_id = db_int(&r, 0, PROJECT_ID);
	rule = (struct protection_rule) { .id = removing->id, .pattern = db_str(&r, 0, PATTERN),
		.push = read_level(&r, 0, PUSH_LEVEL), .delete = read_level(&r, 0, DELETE_LEVEL) };
	/* an error rolls the removal back */
	if (check_level(&rule, removing->by, err) == -1)
		return -1;
	set_facts(&event, &rule);
	return audit_add(db, removing->arena, removing->actor, &event, err);
}

int
protection_remove(struct db *db, struct arena *a, const struct audit_actor *actor,
    const char *full_path, int64_t id, int64_t by, struct err *err)
{
	struct removing removing = { a, actor, full_path, id, by };
	bool unknown;

	if (naming_check_path("project path", full_path, err) == -1)
		return -1;
	return db_transaction(db, remove_body, &removing, &unknown, err);
}

struct changing {
	struct arena *arena;
	const struct audit_actor *actor;
	const char *full_path;
	int64_t id;
	const struct protection_change *change;
	struct protection_rule rule; /* as it will be */
};

static struct protection_rule
read_rule(const struct db_result *r, int i)
{
	enum { COLUMNS_RULE_COLUMNS };

	return (struct protection_rule) {
		.id = db_int(r, i, ID),
		.pattern = db_str(r, i, PATTERN),
		.push = read_level(r, i, PUSH_LEVEL),
		.delete = read_level(r, i, DELETE_LEVEL),
		.created_at = db_int(r, i, CREATED_AT),
	};
}

/* Finds the rule with its project locked; makes of it what it will be. */
static int
merge(struct db *db, struct changing *c, int64_t *project_id, bool *changed, struct err *err)
{
	enum { COLUMNS_PROTECTION_LOCK };
	struct db_params p = { 0 }, which = { 0 };
	const struct protection_change *change = c->change;
	struct protection_rule *rule = &c->rule, old;
	struct db_result r = { 0 };

	db_bind_str(&p, c->full_path);
	if (db_exec(db, c->arena, STMT_PROTECTION_LOCK, &p, &r, err) == -1)
		return -1;
	if (r.rows == 0)
		return no_project(c->full_path, err);
	*project_id = db_int(&r, 0, ID);
	db_bind_int(&which, *project_id);
	db_bind_int(&which, c->id);
	if (db_exec(db, c->arena, STMT_PROTECTION_GET, &which, &r, err) == -1)
		return -1;
	if (r.rows == 0)
		return no_rule(c->full_path, c->id, err);
	old = *rule = read_rule(&r, 0);
	if (change->pattern != NULL)
		rule->pattern = change->pattern;
	if (change->push != NULL)
		rule->push = *change->push;
	if (change->delete != NULL)
		rule->delete = *change->delete;
	*changed = strcmp(rule->pattern, old.pattern) != 0 || rule->push != old.push ||
	    rule->delete != old.delete;
	if (check_levels(rule, err) == -1 || check_level(&old, change->by, err) == -1)
		return -1;
	return check_level(rule, change->by, err);
}

static int
change_body(struct db *db, void *arg, struct err *err)
{
	struct changing *c = arg;
	struct audit_event event = { .action = AUDIT_PROTECTION_CHANGE, .id_key = "rule_id" };
	struct db_params p = { 0 };
	struct db_result r = { 0 };
	bool changed = false;

	if (merge(db, c, &event.project_id, &changed, err) == -1)
		return -1;
	if (!changed)
		return 0;
	db_bind_int(&p, event.project_id);
	db_bind_int(&p, c->id);
	bind_rule(&p, c->arena, &c->rule);
	if (db_exec(db, c->arena, STMT_PROTECTION_CHANGE, &p, &r, err) == -1)
		return -1;
	if (r.affected == 0)
		return already_there(c->full_path, c->rule.pattern, err);
	set_facts(&event, &c->rule);
	return audit_add(db, c->arena, c->actor, &event, err);
}

int
protection_change(struct db *db, struct arena *a, const struct audit_actor *actor,
    const char *full_path, int64_t id, const struct protection_change *change,
    struct protection_rule *rule, struct err *err)
{
	struct changing c = { .arena = a, .actor = actor, .full_path = full_path, .id = id,
		.change = change };
	bool unknown;

	if (change->pattern != NULL && protection_check_pattern(change->pattern, err) == -1)
		return -1;
	if (db_transaction(db, change_body, &c, &unknown, err) == -1)
		return -1;
	*rule = c.rule;
	return 0;
}

int
protection_list(struct db *db, struct arena *a, const char *full_path,
    struct protection_rule **out, size_t *n, struct err *err)
{
	enum { COLUMNS_RULE_COLUMNS };
	struct db_params p = { 0 };
	struct db_result r = { 0 };

	db_bind_str(&p, full_path);
	if (naming_check_path("project path", full_path, err) == -1 ||
	    db_exec(db, a, STMT_PROTECTION_LIST, &p, &r, err) == -1)
		return -1;
	if (r.rows == 0)
		return no_project(full_path, err);
	*n = db_is_null(&r, 0, ID) ? 0 : (size_t)r.rows;
	*out = arena_calloc(a, *n, sizeof(**out));
	for (int i = 0; i < (int)*n; i++)
		(*out)[i] = read_rule(&r, i);
	return 0;
}

static void
fill_call(struct db_call *call, enum stmt stmt, int64_t project_id, const char *normalized_name,
    int level)
{
	call->stmt = stmt;
	db_bind_int(&call->params, project_id);
	db_bind_str(&call->params, normalized_name);
	db_bind_int(&call->params, level);
}

void
protection_call(struct db_call *call, int64_t project_id, const char *normalized_name, int level)
{
	fill_call(call, STMT_PROTECTION_FIND, project_id, normalized_name, level);
}

void
protection_delete_call(struct db_call *call, int64_t project_id, const char *normalized_name,
    int level)
{
	fill_call(call, STMT_PROTECTION_FIND_DELETE, project_id, normalized_name, level);
}

int
protection_judge(const struct db_call *call, struct err *err)
{
	enum { COLUMNS_PROTECTION_FIND };
	const struct db_result *r = &call->result;

	if (r->rows == 0)
		return 0;
	err_set(err, 403,
	    "package protected: only users with at least the level `%s` may change it, by the rule `%s`",
	    protection_level_name(db_int(r, 0, LEVEL)), db_str(r, 0, PATTERN));
	return err_because(err, ERR_PROTECTED);
}
