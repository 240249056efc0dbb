/*
 * The settings of the registry of a group.  They are a separate kind because they name projects, which
 * Berth makes after the groups.
 */

#include "admin/provision/kinds.h"
#include "store/group.h"
#include "store/namespace_entry.h"
#include "store/namespace_member.h"

static const struct provision_key keys[] = {
	[REGISTRY_PROJECTS] = { .name = "projects", .type = PROVISION_SPACES },
	[REGISTRY_DEFAULT_PROJECT] = { .name = "default_project", .type = PROVISION_TEXT },
	{ 0 },
};

static int
check(const struct provision *p, struct provision_thing *thing, struct err *err)
{
	for (size_t i = 0; keys[i].name != NULL; i++) {
		int64_t ids[GROUP_PROJECTS_MAX];
		size_t n;

		if (thing->values[i] != NULL && group_find_projects(p->db, p->arena, thing->names[0], thing->values[i],
		        ids, &n, &thing->values[i], err) == -1)
			return -1;
	}
	return 0;
}

static bool
has_any(const struct provision_thing *thing)
{
	for (size_t i = 0; keys[i].name != NULL; i++) {
		if (thing->values[i] != NULL && thing->values[i][0] != '\0')
			return true;
	}
	return false;
}

static int
find(const struct provision *p, const struct provision_thing *wanted, struct provision_thing *current,
    bool *found, struct err *err)
{
	struct member_namespace place;
	struct group_entry *g;
	size_t n;

	if (member_find_namespace(p->db, p->arena, wanted->names[0], &place, err) == -1 ||
	    group_entries(p->db, p->arena, &place.group_id, 1, &g, &n, err) == -1)
		return -1;
	if (n == 0)
		return err_set(err, 404, "group `%s` does not exist", wanted->names[0]);
	current->id = g->id;
	current->names[0] = g->full_path;
	current->values[REGISTRY_PROJECTS] = g->registry_projects;
	current->values[REGISTRY_DEFAULT_PROJECT] = g->default_project;
	/* if no setting is wanted, empty ones count as found */
	*found = has_any(current) || !has_any(wanted);
	return 0;
}

static int
change(const struct provision *p, const struct provision_thing *wanted, const struct provision_thing *all,
    struct err *err)
{
	const struct group_change group = { .registry_projects = wanted->values[REGISTRY_PROJECTS],
		.default_project = wanted->values[REGISTRY_DEFAULT_PROJECT] };

	(void)all;
	return group_set(p->db, p->arena, p->actor, wanted->names[0], &group, err);
}

static int
create(const struct provision *p, struct provision_thing *thing, struct err *err)
{
	return change(p, thing, thing, err);
}

const struct kind kind_registry = { .names = { { .name = "group" } }, .keys = keys, .check = check,
	.find = find, .create = create, .change = change };
