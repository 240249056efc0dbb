#include "store/member.h"

#include "store/naming.h"

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

/* The row of member_find, where user and place exist.  username NULL: only the place matters. */
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
	if (username != NULL && db_is_null(r, 0, 0))
		return err_set(err, 404, "user `%s` does not exist", username);
	if (db_is_null(r, 0, 1) && db_is_null(r, 0, 2))
		return err_set(err, 404, "no group or project `%s` exists", path);
	return 0;
}

static int
remove_member(struct db *db, struct arena *a, const struct db_result *found, struct err *err)
{
	struct db_params p = { 0 };

	for (int column = 0; column < 3; column++) {
		if (db_is_null(found, 0, column))
			db_bind_null(&p);
		else
			db_bind_int(&p, db_int(found, 0, column));
	}
	return db_exec(db, a, STMT_MEMBER_REMOVE, &p, NULL, err);
}

int
member_set(struct db *db, struct arena *a, const struct member *m, int64_t *user_id,
    struct err *err)
{
	struct db_params p = { 0 };
	struct db_result found = { 0 };
	bool in_group;

	if (find(db, a, m->username, m->path, &found, err) == -1)
		return -1;
	*user_id = db_int(&found, 0, 0);
	if (m->level == MEMBER_NONE)
		return remove_member(db, a, &found, err);
	in_group = !db_is_null(&found, 0, 1);
	db_bind_int(&p, *user_id);
	db_bind_int(&p, db_int(&found, 0, in_group ? 1 : 2));
	db_bind_int(&p, m->level);
	db_bind_time(&p, m->expires_at);
	return db_exec(
	    db, a, in_group ? STMT_MEMBER_SET_GROUP : STMT_MEMBER_SET_PROJECT, &p, NULL, err);
}

int
member_list(struct db *db, struct arena *a, const char *path, struct member **out, size_t *n,
    struct err *err)
{
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
			.user_id = db_int(&r, i, 0),
			.username = db_str(&r, i, 1),
			.path = db_str(&r, i, 2),
			.level = db_int(&r, i, 3),
			.expires_at = db_time(&r, i, 4),
		};
	return 0;
}
