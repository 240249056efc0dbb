#include "store/member.h"

#include "access/naming.h"

static const struct {
	const char *name;
	enum member_level level;
} levels[] = {
	{ "none", MEMBER_NONE },
	{ "guest", MEMBER_GUEST },
	{ "reporter", MEMBER_REPORTER },
	{ "developer", MEMBER_DEVELOPER },
	{ "maintainer", MEMBER_MAINTAINER },
	{ "owner", MEMBER_OWNER },
};

static const size_t nlevels = sizeof(levels) / sizeof(*levels);

const char *
member_level_name(int64_t level)
{
	for (size_t i = 0; i < nlevels; i++) {
		if ((int64_t)levels[i].level == level)
			return levels[i].name;
	}
	return "?";
}

int
member_level_parse(const char *word, enum member_level *level, struct err *err)
{
	for (size_t i = 0; i < nlevels; i++) {
		if (strcmp(levels[i].name, word) == 0) {
			*level = levels[i].level;
			return 0;
		}
	}
	return err_set(err, 400,
	    "level must be guest, reporter, developer, maintainer, owner or none, not `%s`", word);
}

enum { COLUMNS_MEMBER_FIND, NFOUND };

/* The row of member_find, where user and namespace exist.  username NULL: only the namespace matters. */
static int
find(struct db *db, struct arena *a, const char *username, const char *path, struct db_result *r,
    struct err *err)
{
	struct db_params p = { 0 };

	if ((username != NULL && naming_check_name("username", username, err) == -1) ||
	    naming_check_path("path", path, err) == -1)
		return -1;
	db_bind_str(&p, username);
	db_bind_str(&p, path);
	if (db_exec(db, a, STMT_MEMBER_FIND, &p, r, err) == -1)
		return -1;
	if (username != NULL && db_is_null(r, 0, FOUND_USER))
		return err_set(err, 404, "user `%s` does not exist", username);
	if (db_is_null(r, 0, FOUND_GROUP) && db_is_null(r, 0, FOUND_PROJECT))
		return err_set(err, 404, "no group or project `%s` exists", path);
	return 0;
}

static void
remove_call(struct db_call *call, const struct db_result *found)
{
	call->stmt = STMT_MEMBER_REMOVE;
	for (int column = 0; column < NFOUND; column++) {
		if (db_is_null(found, 0, column))
			db_bind_null(&call->params);
		else
			db_bind_int(&call->params, db_int(found, 0, column));
	}
}

static void
set_call(struct db_call *call, const struct db_result *found, const struct member *m)
{
	bool in_group = !db_is_null(found, 0, FOUND_GROUP);
	struct db_params *p = &call->params;

	call->stmt = in_group ? STMT_MEMBER_SET_GROUP : STMT_MEMBER_SET_PROJECT;
	db_bind_int(p, db_int(found, 0, FOUND_USER));
	db_bind_int(p, db_int(found, 0, in_group ? FOUND_GROUP : FOUND_PROJECT));
	db_bind_int(p, m->level);
	db_bind_time(p, m->expires_at);
}

int
member_set(struct db *db, struct arena *a, const struct audit_actor *actor, const struct member *m,
    int64_t *user_id, struct err *err)
{
	bool none = m->level == MEMBER_NONE;
	struct audit_event event = { .action = none ? AUDIT_MEMBER_REMOVE : AUDIT_MEMBER_SET,
		.id_key = "user_id" };
	struct db_call call = { .stmt = STMT__MAX };
	struct db_result found = { 0 };

	if (find(db, a, m->username, m->path, &found, err) == -1)
		return -1;
	*user_id = db_int(&found, 0, FOUND_USER);
	if (!db_is_null(&found, 0, FOUND_PROJECT))
		event.project_id = db_int(&found, 0, FOUND_PROJECT);
	event.facts[0] = (struct audit_fact) { "user", m->username, false };
	event.facts[1] = (struct audit_fact) { "path", m->path, false };
	if (!none)
		event.facts[2] =
		    (struct audit_fact) { "level", member_level_name(m->level), false };
	if (m->expires_at != 0)
		event.facts[3] = audit_fact_time(a, "expires_at", m->expires_at);
	if (none)
		remove_call(&call, &found);
	else
		set_call(&call, &found, m);
	return audit_change(db, a, actor, &call, &event, err);
}

int
member_list(struct db *db, struct arena *a, const char *path, struct member **out, size_t *n,
    struct err *err)
{
	enum { COLUMNS_MEMBER_LIST };
	struct db_params p = { 0 };
	struct db_result r = { 0 };

	if (path != NULL && find(db, a, NULL, path, &r, err) == -1)
		return -1;
	db_bind_str(&p, path);
	if (db_exec(db, a, STMT_MEMBER_LIST, &p, &r, err) == -1)
		return -1;
	*n = (size_t)r.rows;
	*out = arena_calloc(a, *n, sizeof(**out));
	for (int i = 0; i < r.rows; i++)
		(*out)[i] = (struct member) {
			.user_id = db_int(&r, i, USER_ID),
			.username = db_str(&r, i, USERNAME),
			.path = db_str(&r, i, PATH),
			.level = db_int(&r, i, ACCESS_LEVEL),
			.expires_at = db_time(&r, i, EXPIRES_AT),
		};
	return 0;
}
