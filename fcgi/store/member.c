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

int
member_find_namespace(struct db *db, struct arena *a, const char *path, struct member_namespace *place,
    struct err *err)
{
	enum { COLUMNS_MEMBER_FIND };
	struct db_params p = { 0 };
	struct db_result r = { 0 };

	if (naming_check_path("path", path, err) == -1)
		return -1;
	db_bind_str(&p, path);
	if (db_exec(db, a, STMT_MEMBER_FIND, &p, &r, err) == -1)
		return -1;
	*place = (struct member_namespace) { .full_path = path };
	if (!db_is_null(&r, 0, FOUND_GROUP))
		place->group_id = db_int(&r, 0, FOUND_GROUP);
	else if (!db_is_null(&r, 0, FOUND_PROJECT))
		place->project_id = db_int(&r, 0, FOUND_PROJECT);
	else
		return err_set(err, 404, "no group or project `%s` exists", path);
	return 0;
}

int
member_list(struct db *db, struct arena *a, const char *path, struct err *err)
{
	struct member_namespace place;
	struct db_params p = { 0 };

	if (path != NULL && member_find_namespace(db, a, path, &place, err) == -1)
		return -1;
	db_bind_str(&p, path);
	return db_list(db, a, STMT_MEMBER_LIST, &p, err);
}

int
member_list_next(struct db *db, struct arena *a, struct member **out, size_t *n, struct err *err)
{
	enum { COLUMNS_MEMBER_LIST };
	struct db_result r;

	if (db_list_next(db, a, &r, err) == -1)
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
