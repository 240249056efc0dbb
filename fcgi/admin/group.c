#include "store/group.h"

#include <string.h>
#include <strings.h>

#include "admin/command.h"
#include "admin/output.h"
#include "admin/provision/namespace_words.h"
#include "admin/quota.h"
#include "store/package/view.h"

enum { ADD_IF_MISSING };

static const struct option_def add_options[] = { [ADD_IF_MISSING] = { "if-missing", 0, NULL, false } };

static int
add(struct invocation *in)
{
	static const char *const add_keys[] = { "id", "full_path" };
	struct output out = { in->arena, in->json, add_keys, sizeof(add_keys) / sizeof(*add_keys) };
	const struct provision p = command_provision(in, false);
	struct provision_thing group = { .kind = PROVISION_GROUP, .names = { in->args[0] } };

	if (provision_add(&p, &group, in->options.values[ADD_IF_MISSING] != NULL, &in->err) == -1)
		return -1;
	output_id(&out, (struct cell[]) { cell_int(group.id), cell_str(group.names[0]) });
	return 0;
}

static const char *const keys[] = { "id", "created_at", "anonymous_networks", "default_project",
	"registry_projects", "full_path" };

enum { NKEYS = sizeof(keys) / sizeof(*keys), NALL = NKEYS + ADMIN_QUOTA_NKEYS };

static void
fill_row(const struct group *g, struct cell row[NKEYS])
{
	row[0] = cell_int(g->id);
	row[1] = cell_time(g->created_at);
	row[2] = cell_str(g->anonymous_networks);
	row[3] = cell_str(g->default_project);
	row[4] = cell_str(g->registry_projects);
	row[5] = cell_str(g->full_path);
}

/* The rows of those groups, or of the one of that path, with their quotas. */
static int
read_all(struct invocation *in, const char *path, struct cell **cells, size_t *n)
{
	struct quota *quotas;
	struct group *groups;
	size_t ngroups, nquotas;

	*n = 0;
	if (group_list(in->db, in->arena, &groups, &ngroups, &in->err) == -1 ||
	    quota_list(in->db, in->arena, path, &quotas, &nquotas, &in->err) == -1)
		return -1;
	*cells = arena_calloc(in->arena, ngroups, NALL * sizeof(**cells));
	for (size_t i = 0; i < ngroups; i++) {
		struct cell *row = &(*cells)[*n * NALL];

		if (path != NULL && strcasecmp(path, groups[i].full_path) != 0)
			continue;
		fill_row(&groups[i], row);
		admin_quota_cells(quotas, nquotas, groups[i].full_path, &row[NKEYS]);
		++*n;
	}
	if (path != NULL && *n == 0)
		return err_set(&in->err, 404, "group `%s` does not exist", path);
	return 0;
}

static struct output
output_all(const struct invocation *in)
{
	static const char *all[NALL];

	memcpy(all, keys, sizeof(keys));
	memcpy(&all[NKEYS], admin_quota_keys, sizeof(admin_quota_keys));
	return (struct output) { in->arena, in->json, all, NALL };
}

/* As JSON with their quotas; a table would be too wide. */
static int
list(struct invocation *in)
{
	struct output all = output_all(in), few = { in->arena, false, keys, NKEYS };
	struct cell *cells;
	size_t n;

	if (read_all(in, NULL, &cells, &n) == -1)
		return -1;
	for (size_t i = 0; i < n && !in->json; i++)
		memmove(&cells[i * NKEYS], &cells[i * NALL], NKEYS * sizeof(*cells));
	output_table(in->json ? &all : &few, cells, n);
	return 0;
}

static int
show(struct invocation *in)
{
	struct output out = output_all(in);
	struct cell *row;
	size_t n;

	if (read_all(in, in->args[0], &row, &n) == -1)
		return -1;
	output_row(&out, row);
	return 0;
}

static int
set(struct invocation *in)
{
	const struct provision p = command_provision(in, false);
	struct output out = output_all(in);
	struct cell *row;
	size_t n;

	/* first: a project has quotas as well, but is no group */
	if (read_all(in, in->args[0], &row, &n) == -1 ||
	    namespace_words_set_group(&p, in->args[0], &in->args[1], in->nargs - 1, &in->err) == -1 ||
	    read_all(in, in->args[0], &row, &n) == -1)
		return -1;
	output_id(&out, row);
	return 0;
}

/*
 * Lists the crates that the registry of the group does not serve, each with the project that it serves
 * instead.
 */
static int
shadowed(struct invocation *in)
{
	static const char *const columns[] = { "crate", "project", "served" };
	struct output out = { in->arena, in->json, columns, sizeof(columns) / sizeof(*columns) };
	struct view_shadow *shadows;
	struct cell *cells, *row;
	size_t n;

	/* this comes first, since the list of a group that does not exist would be empty */
	if (read_all(in, in->args[0], &row, &n) == -1 ||
	    view_shadows(in->db, in->arena, in->args[0], &shadows, &n, &in->err) == -1)
		return -1;
	cells = arena_calloc(in->arena, n, 3 * sizeof(*cells));
	for (size_t i = 0; i < n; i++) {
		cells[3 * i] = cell_str(shadows[i].crate);
		cells[3 * i + 1] = cell_str(shadows[i].project);
		cells[3 * i + 2] = cell_str(shadows[i].served);
	}
	output_table(&out, cells, n);
	return 0;
}

static const struct command commands[] = {
	{ "add", "PATH [--if-missing]",
	    "Creates a group and prints its id.  The groups above it (A of A/B) must exist.\n" IF_MISSING,
	    COMMAND_OPTIONS(add_options), 1, 1, add },
	{ "list", "", "Lists all groups.", NULL, 0, 0, 0, list },
	{ "set", "PATH KEY=VALUE ...",
	    "Sets the quotas that all projects below the group share: quota_bytes,\n"
	    "quota_versions, quota_crates; an empty value removes the limit.  With\n"
	    "anonymous_networks=\"NETWORK ...\", clients there need no token to read index\n"
	    "and crates of all projects below the group.  For the group's own\n"
	    "registry, registry_projects=\"PROJECT ...\" lists the projects whose crates go before\n"
	    "others of the same name, and new crates go to default_project=PROJECT.",
	    NULL, 0, 2, COMMAND_ARGS_MAX, set },
	{ "shadowed", "PATH", "Lists crates that the registry of the group does not serve, because another\n"
	    "project has their name there.", NULL, 0, 1, 1, shadowed },
	{ "show", "PATH", "Shows one group, its quotas and their use.", NULL, 0, 1, 1,
	    show },
};

const struct noun admin_group = { "group", COMMAND_LIST(commands) };
