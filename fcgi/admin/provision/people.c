/* Users, groups, projects and members. */

#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "access/access.h"
#include "access/networks.h"
#include "admin/provision/kinds.h"
#include "admin/provision/namespace_words.h"
#include "admin/provision/project_policy.h"
#include "admin/provision/quota_words.h"
#include "base/clock.h"
#include "base/date.h"
#include "config/settings.h"
#include "store/group.h"
#include "store/namespace_entry.h"
#include "store/namespace_member.h"
#include "store/project.h"
#include "store/user.h"

static const char *
bool_text(bool value)
{
	return value ? "true" : "false";
}

static bool
is_true(const char *value)
{
	return value != NULL && strcmp(value, "true") == 0;
}

/* ---- users ---- */

static const struct provision_key user_keys[] = {
	[USER_EMAIL] = { .name = "email", .type = PROVISION_TEXT, .required = true },
	[USER_NAME] = { .name = "name", .type = PROVISION_TEXT },
	[USER_ADMIN] = { .name = "admin", .type = PROVISION_BOOL, .initial = "false" },
	[USER_BLOCKED] = { .name = "blocked", .type = PROVISION_BOOL },
	{ 0 },
};

static int
user_kind_find(const struct provision *p, const struct provision_thing *wanted,
    struct provision_thing *current, bool *found, struct err *err)
{
	struct user_entry u;

	if (user_find(p->db, p->arena, wanted->names[0], &current->id, err) == -1)
		return kind_absent(err);
	if (user_entry(p->db, p->arena, current->id, &u, err) == -1)
		return -1;
	*found = true;
	current->names[0] = u.username;
	current->values[USER_EMAIL] = u.email;
	current->values[USER_NAME] = u.name;
	current->values[USER_ADMIN] = bool_text(u.admin);
	current->values[USER_BLOCKED] = bool_text(strcmp(u.state, "blocked") == 0);
	return 0;
}

/* After a refusal: may the change be made all the same, until provision_check_last() judges it? */
static bool
may_take_last(const struct provision *p, int refusal, struct err *err)
{
	if (err->status != refusal || p->took_last == NULL)
		return false;
	*p->took_last = true;
	err_clear(err);
	return true;
}

static int
is_last_administrator(const char *username, const char *what, struct err *err)
{
	return err_set(err, 409, "user `%s` is the last administrator who is not blocked; to %s the user anyway, "
	    "use --force", username, what);
}

int
provision_block_user(const struct provision *p, const char *username, bool blocked, int64_t *id,
    struct err *err)
{
	bool force = blocked && p->force;

	if (user_set_blocked(p->db, p->arena, p->actor, username, blocked, force, id, err) == 0)
		return 0;
	if (may_take_last(p, 409, err))
		return user_set_blocked(p->db, p->arena, p->actor, username, blocked, true, id, err);
	return err->status == 409 ? is_last_administrator(username, "block", err) : -1;
}

static int
set_user(const struct provision *p, const char *username, const struct user_change *change, struct err *err)
{
	int64_t id;

	if (user_set(p->db, p->arena, p->actor, username, change, p->force, &id, err) == 0)
		return 0;
	if (may_take_last(p, 409, err))
		return user_set(p->db, p->arena, p->actor, username, change, true, &id, err);
	return err->status == 409 ? is_last_administrator(username, "change", err) : -1;
}

static int
user_check_last(const struct provision *p, const struct provision_thing *thing, struct err *err)
{
	struct user *users;
	size_t n;

	if (user_all(p->db, p->arena, &users, &n, err) == -1)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (users[i].admin && strcmp(users[i].state, "active") == 0)
			return 0;
	}
	return is_last_administrator(thing->names[0], "change", err);
}

static int
user_kind_change(const struct provision *p, const struct provision_thing *wanted,
    const struct provision_thing *all, struct err *err)
{
	const char *const *v = wanted->values, *username = wanted->names[0];
	bool admin = is_true(v[USER_ADMIN]);
	const struct user_change change = { .name = v[USER_NAME], .email = v[USER_EMAIL],
		.admin = v[USER_ADMIN] != NULL ? &admin : NULL };
	bool any = change.name != NULL || change.email != NULL || change.admin != NULL;
	int64_t id;

	(void)all;
	if (any && set_user(p, username, &change, err) == -1)
		return -1;
	if (v[USER_BLOCKED] == NULL)
		return 0;
	return provision_block_user(p, username, is_true(v[USER_BLOCKED]), &id, err);
}

static int
user_kind_create(const struct provision *p, struct provision_thing *thing, struct err *err)
{
	const char **v = thing->values;
	struct user u = { .username = thing->names[0], .email = v[USER_EMAIL], .admin = is_true(v[USER_ADMIN]) };
	int64_t blocked_id;

	if (v[USER_NAME] == NULL)
		v[USER_NAME] = u.username;
	u.name = v[USER_NAME];
	if (user_add(p->db, p->arena, p->actor, &u, &thing->id, err) == -1)
		return -1;
	return is_true(v[USER_BLOCKED]) ? provision_block_user(p, u.username, true, &blocked_id, err) : 0;
}

int
provision_set_user(const struct provision *p, const struct provision_thing *wanted, struct err *err)
{
	return user_kind_change(p, wanted, wanted, err);
}

const struct kind kind_user = { .names = { { .name = "username" } }, .keys = user_keys,
	.find = user_kind_find, .create = user_kind_create, .change = user_kind_change,
	.check_last = user_check_last };

/* ---- groups and projects ---- */

static const struct provision_key group_keys[] = {
	[GROUP_NETWORKS] = { .name = "anonymous_networks", .type = PROVISION_SPACES },
	[GROUP_QUOTA] = { .name = "quota_bytes", .type = PROVISION_SIZE },
	{ .name = "quota_versions", .type = PROVISION_SIZE },
	{ .name = "quota_crates", .type = PROVISION_SIZE },
	{ 0 },
};

static const struct provision_key project_keys[] = {
	[PROJECT_VISIBILITY] = { .name = "visibility", .type = PROVISION_TEXT, .required = true },
	[PROJECT_PACKAGES_ENABLED] = { .name = "packages_enabled", .type = PROVISION_BOOL },
	[PROJECT_PUBLIC_PACKAGES] = { .name = "public_packages", .type = PROVISION_BOOL },
	[PROJECT_README_IMAGES] = { .name = "readme_images", .type = PROVISION_BOOL },
	[PROJECT_NETWORKS] = { .name = "anonymous_networks", .type = PROVISION_SPACES },
	[PROJECT_QUOTA] = { .name = "quota_bytes", .type = PROVISION_SIZE },
	{ .name = "quota_versions", .type = PROVISION_SIZE },
	{ .name = "quota_crates", .type = PROVISION_SIZE },
	{ 0 },
};

/* A quota, as `group set` takes it, as a number. */
static int
check_quotas(const struct provision *p, const char **values, struct err *err)
{
	for (int i = 0; i < QUOTA__MAX; i++) {
		int64_t max = QUOTA_NONE;

		if (values[i] == NULL)
			continue;
		if (quota_words_parse(p->arena, (enum quota_kind)i, values[i], &max, err) == -1)
			return -1;
		values[i] = max == QUOTA_NONE ? "" : arena_printf(p->arena, "%" PRId64, max);
	}
	return 0;
}

static int
read_quotas(const struct provision *p, const char *path, const char **values, struct err *err)
{
	struct quota *quotas;
	size_t n;

	if (quota_list(p->db, p->arena, path, &quotas, &n, err) == -1)
		return -1;
	for (int i = 0; i < QUOTA__MAX; i++)
		values[i] = n == 0 || quotas[0].max[i] == QUOTA_NONE ? ""
		    : arena_printf(p->arena, "%" PRId64, quotas[0].max[i]);
	return 0;
}

static int
check_networks(const struct provision *p, const char **value, struct err *err)
{
	return *value != NULL ? networks_parse(p->arena, *value, value, err) : 0;
}

/* The values that are given, as KEY=VALUE. */
static size_t
to_words(const struct provision *p, const struct provision_thing *thing, const char **words)
{
	struct provision_key key;
	size_t n = 0;

	for (size_t i = 0; (key = provision_value_key(thing->kind, i)).name != NULL; i++) {
		if (thing->values[i] != NULL)
			words[n++] = arena_printf(p->arena, "%s=%s", key.name, thing->values[i]);
	}
	return n;
}

static int
group_kind_check(const struct provision *p, struct provision_thing *thing, struct err *err)
{
	return check_networks(p, &thing->values[GROUP_NETWORKS], err) == -1 ||
	    check_quotas(p, &thing->values[GROUP_QUOTA], err) == -1 ? -1 : 0;
}

static int
group_kind_find(const struct provision *p, const struct provision_thing *wanted,
    struct provision_thing *current, bool *found, struct err *err)
{
	struct member_namespace place;
	struct group_entry *entries;
	size_t n;

	if (member_find_namespace(p->db, p->arena, wanted->names[0], &place, err) == -1)
		return kind_absent(err);
	if (place.group_id == 0)
		return 0;
	if (group_entries(p->db, p->arena, &place.group_id, 1, &entries, &n, err) == -1 ||
	    read_quotas(p, wanted->names[0], &current->values[GROUP_QUOTA], err) == -1)
		return -1;
	*found = n == 1;
	current->id = place.group_id;
	current->names[0] = place.full_path;
	current->values[GROUP_NETWORKS] = n == 1 ? entries[0].anonymous_networks : "";
	return 0;
}

static int
group_kind_change(const struct provision *p, const struct provision_thing *wanted,
    const struct provision_thing *all, struct err *err)
{
	const char *words[PROVISION_KEYS_MAX];
	size_t n = to_words(p, wanted, words);

	(void)all;
	return n == 0 ? 0 : namespace_words_set_group(p, wanted->names[0], words, n, err);
}

static int
group_kind_create(const struct provision *p, struct provision_thing *thing, struct err *err)
{
	if (group_add(p->db, p->arena, p->actor, thing->names[0], &thing->id, err) == -1)
		return -1;
	return group_kind_change(p, thing, thing, err);
}

const struct kind kind_group = { .names = { { .name = "path" } }, .keys = group_keys,
	.check = group_kind_check, .find = group_kind_find, .create = group_kind_create,
	.change = group_kind_change };

static int
project_kind_check(const struct provision *p, struct provision_thing *thing, struct err *err)
{
	const char **v = thing->values;
	struct provision_key key;

	if (check_networks(p, &v[PROJECT_NETWORKS], err) == -1 ||
	    check_quotas(p, &v[PROJECT_QUOTA], err) == -1 ||
	    (v[PROJECT_VISIBILITY] != NULL && project_check_visibility(v[PROJECT_VISIBILITY], err) == -1))
		return -1;
	for (size_t i = PROJECT_SETTINGS; (key = provision_value_key(thing->kind, i)).name != NULL; i++) {
		if (v[i] != NULL && project_policy_check(p->arena, p->settings, key.name, &v[i], err) == -1)
			return -1;
	}
	return 0;
}

/* The values of the keys of berth.conf. */
static int
read_policy(const struct provision *p, const char *path, struct provision_thing *current,
    struct err *err)
{
	struct project_setting *own;
	struct provision_key key;
	size_t n;

	if (project_policy(p->db, p->arena, path, &own, &n, err) == -1)
		return -1;
	for (size_t i = PROJECT_SETTINGS; (key = provision_value_key(current->kind, i)).name != NULL; i++) {
		current->values[i] = "";
		for (size_t k = 0; k < n; k++) {
			if (strcmp(own[k].key, key.name) == 0)
				current->values[i] = own[k].value;
		}
	}
	return 0;
}

static int
project_kind_find(const struct provision *p, const struct provision_thing *wanted,
    struct provision_thing *current, bool *found, struct err *err)
{
	const char *path = wanted->names[0];
	struct project *project;

	if (project_find(p->db, p->arena, path, &project, err) == -1)
		return kind_absent(err);
	if (read_quotas(p, path, &current->values[PROJECT_QUOTA], err) == -1 ||
	    read_policy(p, path, current, err) == -1)
		return -1;
	*found = true;
	current->id = project->id;
	current->names[0] = project->full_path;
	current->values[PROJECT_VISIBILITY] = project->visibility;
	current->values[PROJECT_PACKAGES_ENABLED] = bool_text(project->packages_enabled);
	current->values[PROJECT_PUBLIC_PACKAGES] = bool_text(project->public_packages);
	current->values[PROJECT_README_IMAGES] = bool_text(project->readme_images);
	current->values[PROJECT_NETWORKS] = project->anonymous_networks;
	return 0;
}

static int
project_kind_change(const struct provision *p, const struct provision_thing *wanted,
    const struct provision_thing *all, struct err *err)
{
	const char *words[PROVISION_KEYS_MAX];
	size_t n = to_words(p, wanted, words);
	int64_t id;

	(void)all;
	return n == 0 ? 0 : namespace_words_set_project(p, wanted->names[0], words, n, &id, err);
}

static int
project_kind_create(const struct provision *p, struct provision_thing *thing, struct err *err)
{
	struct provision_thing rest = *thing;

	if (project_add(p->db, p->arena, p->actor, thing->names[0], thing->values[PROJECT_VISIBILITY], &thing->id,
	        err) == -1)
		return -1;
	rest.values[PROJECT_VISIBILITY] = NULL;
	return project_kind_change(p, &rest, thing, err);
}

const struct kind kind_project = { .names = { { .name = "path" } }, .keys = project_keys,
	.has_settings = true, .check = project_kind_check, .find = project_kind_find, .create = project_kind_create,
	.change = project_kind_change };

/* ---- members ---- */

static const struct provision_key member_keys[] = {
	[MEMBER_LEVEL] = { .name = "level", .type = PROVISION_TEXT, .required = true },
	[MEMBER_EXPIRES] = { .name = "expires", .type = PROVISION_DATE },
	{ 0 },
};

static int
member_kind_check(const struct provision *p, struct provision_thing *thing, struct err *err)
{
	const char **v = thing->values;
	enum member_level level = MEMBER_GUEST;
	int64_t moment;

	(void)p;
	if (v[MEMBER_LEVEL] != NULL && member_level_parse(v[MEMBER_LEVEL], &level, err) == -1)
		return -1;
	if (v[MEMBER_EXPIRES] == NULL)
		return 0;
	if (strcmp(v[MEMBER_EXPIRES], "never") == 0)
		v[MEMBER_EXPIRES] = "";
	else if (date_parse(v[MEMBER_EXPIRES], &moment, err) == -1)
		return -1;
	if (level == MEMBER_NONE)
		return err_set(err, 400, "the level `none` ends a membership, so leave out expires");
	return 0;
}

/* Whose membership of what. */
static int
member_of(const struct provision *p, const struct provision_thing *thing, int64_t *user_id,
    struct member_namespace *place, struct err *err)
{
	return user_find(p->db, p->arena, thing->names[0], user_id, err) == -1 ||
	    member_find_namespace(p->db, p->arena, thing->names[1], place, err) == -1 ? -1 : 0;
}

/* The end of a membership: a day, if it ends when that begins. */
static const char *
end_of(struct arena *a, const struct namespace_member *m)
{
	enum { DAY = 24 * 60 * 60 };
	char *text;

	if (m->ends_at % DAY == 0)
		return m->expires_at != NULL ? m->expires_at : "";
	text = arena_alloc(a, CLOCK_RFC3339_SIZE);
	clock_rfc3339((time_t)m->ends_at, text);
	return text;
}

static int
member_kind_find(const struct provision *p, const struct provision_thing *wanted,
    struct provision_thing *current, bool *found, struct err *err)
{
	const char *level = wanted->values[MEMBER_LEVEL];
	struct member_namespace place;
	struct namespace_member m;

	if (member_of(p, wanted, &current->id, &place, err) == -1)
		return -1;
	if (namespace_member_find(p->db, p->arena, &place, false, current->id, &m, err) == 0) {
		*found = true;
		current->values[MEMBER_LEVEL] = member_level_name(m.level);
		current->values[MEMBER_EXPIRES] = end_of(p->arena, &m);
		return 0;
	}
	/* who shall be no member is none already */
	*found = level != NULL && strcmp(level, member_level_name(MEMBER_NONE)) == 0;
	current->values[MEMBER_LEVEL] = member_level_name(MEMBER_NONE);
	current->values[MEMBER_EXPIRES] = "";
	return kind_absent(err);
}

static int
is_last_owner(const struct provision_thing *thing, struct err *err)
{
	return err_set(err, 409, "user `%s` is the last owner of `%s`; make another user an owner "
	    "first, or use --force", thing->names[0], thing->names[1]);
}

static int
member_check_last(const struct provision *p, const struct provision_thing *thing, struct err *err)
{
	static const struct namespace_member_filter all = { .inherited = true };
	struct member_namespace place;
	struct namespace_member *members;
	int64_t user_id;
	size_t n;

	if (member_of(p, thing, &user_id, &place, err) == -1 ||
	    namespace_member_list(p->db, p->arena, &place, &all, &members, &n, err) == -1)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (members[i].user_id != user_id && members[i].level == MEMBER_OWNER &&
		    strcmp(members[i].state, "active") == 0)
			return 0;
	}
	return is_last_owner(thing, err);
}

static int
member_set(const struct provision *p, const struct provision_thing *thing, int64_t *user_id, struct err *err)
{
	struct namespace_member_set asked = { .change = NAMESPACE_MEMBER_SET, .granter = LEVEL_ADMIN,
		.force = p->force };
	const char *expires = thing->values[MEMBER_EXPIRES];
	struct member_namespace place;
	enum member_level level;

	if (member_level_parse(thing->values[MEMBER_LEVEL], &level, err) == -1 ||
	    (level != MEMBER_NONE && expires != NULL && expires[0] != '\0' &&
	        date_parse(expires, &asked.expires_at, err) == -1) ||
	    member_of(p, thing, &asked.user_id, &place, err) == -1)
		return -1;
	asked.level = level;
	if (namespace_member_set(p->db, p->arena, p->actor, &place, &asked, user_id, err) == 0)
		return 0;
	if (may_take_last(p, 403, err)) {
		asked.force = true;
		return namespace_member_set(p->db, p->arena, p->actor, &place, &asked, user_id, err);
	}
	return err->status == 403 ? is_last_owner(thing, err) : -1;
}

static int
member_kind_create(const struct provision *p, struct provision_thing *thing, struct err *err)
{
	return member_set(p, thing, &thing->id, err);
}

static int
member_kind_change(const struct provision *p, const struct provision_thing *wanted,
    const struct provision_thing *all, struct err *err)
{
	int64_t id;

	(void)wanted;
	return member_set(p, all, &id, err);
}

/* A day is the moment at which it begins. */
static bool
member_kind_same(size_t key, const char *a, const char *b)
{
	struct err ignored = { 0 };
	int64_t x, y;

	return key == MEMBER_EXPIRES && date_parse(a, &x, &ignored) == 0 && date_parse(b, &y, &ignored) == 0 &&
	    x == y;
}

const struct kind kind_member = { .names = { { .name = "user" }, { .name = "path" } }, .keys = member_keys,
	.check = member_kind_check, .find = member_kind_find, .create = member_kind_create,
	.change = member_kind_change, .check_last = member_check_last, .same = member_kind_same };
