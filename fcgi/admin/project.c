#include "store/project.h"

#include <string.h>

#include "admin/command.h"
#include "admin/output.h"
#include "admin/pins.h"
#include "admin/project_allow.h"
#include "admin/provision/namespace_words.h"
#include "admin/quota.h"
#include "config/publish_policy.h"
#include "store/group.h"
#include "store/registry_lock.h"

enum { ADD_VISIBILITY, ADD_PARENTS, ADD_IF_MISSING, ADD_MIRROR };

static const struct option_def add_options[] = {
	[ADD_VISIBILITY] = { "visibility", 0, "private|internal|public", true },
	[ADD_PARENTS] = { "parents", 0, NULL, false },
	[ADD_IF_MISSING] = { "if-missing", 0, NULL, false },
	[ADD_MIRROR] = { "mirror", 0, "URL", false },
};

static const struct option_def allow_options[] = {
	{ "from", 0, "GROUP[/PROJECT]", true },
	{ "policies", 0, "read_packages|admin_packages", false },
	{ "if-missing", 0, NULL, false },
};

static const struct option_def disallow_options[] = {
	{ "from", 0, "GROUP[/PROJECT]", true },
};

static const char *const keys[] = { "id", "full_path", "visibility", "packages_enabled",
	"public_packages", "created_at", "anonymous_networks", "readme_images" };

enum { NKEYS = sizeof(keys) / sizeof(*keys) };

/* Creates the groups above a project, as far as they are missing. */
static int
add_parents(struct invocation *in, const char *path, struct err *err)
{
	for (const char *slash = path; (slash = strchr(slash, '/')) != NULL; slash++) {
		const char *group = arena_printf(in->arena, "%.*s", (int)(slash - path), path);
		int64_t id;

		if (group_add(in->db, in->arena, &in->actor, group, &id, err) == 0)
			continue;
		if (err->status != 409)
			return -1;
		err_clear(err);
	}
	return 0;
}

struct adding {
	struct invocation *in;
	struct provision_thing project;
};

static int
add_project(struct adding *adding, struct err *err)
{
	const struct provision p = command_provision(adding->in, false);

	return provision_add(&p, &adding->project, adding->in->options.values[ADD_IF_MISSING] != NULL, err);
}

/* All of it, or nothing. */
static int
add_with_parents(struct db *db, void *arg, struct err *err)
{
	struct adding *adding = arg;

	return registry_lock(db, adding->in->arena, err) == -1 ||
	    add_parents(adding->in, adding->in->args[0], err) == -1 || add_project(adding, err) == -1 ? -1 : 0;
}

/* Gives the new project a value of its own for a key of the configuration. */
static void
set_own(struct provision_thing *project, const char *name, const char *value)
{
	size_t i = PROJECT_SETTINGS;

	while (strcmp(provision_value_key(PROVISION_PROJECT, i).name, name) != 0)
		i++;
	project->values[i] = value;
}

static int
add(struct invocation *in)
{
	static const char *const add_keys[] = { "id", "full_path", "visibility" };
	struct output out = { in->arena, in->json, add_keys, sizeof(add_keys) / sizeof(*add_keys) };
	const char *const *given = in->options.values;
	struct adding adding = { .in = in, .project = { .kind = PROVISION_PROJECT, .names = { in->args[0] },
		.values = { [PROJECT_VISIBILITY] = given[ADD_VISIBILITY] } } };
	const struct provision_thing *project = &adding.project;
	bool unknown;

	set_own(&adding.project, "mirror_url", given[ADD_MIRROR]);
	if (given[ADD_PARENTS] != NULL ? db_transaction(in->db, add_with_parents, &adding, &unknown, &in->err) == -1
	    : add_project(&adding, &in->err) == -1)
		return given[ADD_PARENTS] != NULL || in->err.status != 404 ? -1 :
		    err_set(&in->err, 404, "%s; --parents creates the groups above a project",
		    arena_strdup(in->arena, in->err.pub));
	output_id(&out, (struct cell[]) { cell_int(project->id), cell_str(project->names[0]),
	    cell_str(project->values[PROJECT_VISIBILITY]) });
	return 0;
}

static void
fill_row(const struct project *p, struct cell row[NKEYS])
{
	row[0] = cell_int(p->id);
	row[1] = cell_str(p->full_path);
	row[2] = cell_str(p->visibility);
	row[3] = cell_bool(p->packages_enabled);
	row[4] = cell_bool(p->public_packages);
	row[5] = cell_time(p->created_at);
	row[6] = cell_str(p->anonymous_networks);
	row[7] = cell_bool(p->readme_images);
}

/*
 * The project of the first argument, as it now is; at the end what it has of its own, and whose
 * jobs it lets in.
 */
static int
print_project(struct invocation *in, void (*print)(const struct output *, const struct cell *))
{
	enum { NMORE = PROJECT_ALLOW_NKEYS + ADMIN_QUOTA_NKEYS };
	struct project_setting *own;
	struct project *p;
	struct quota *quotas;
	const char **all;
	struct cell *row;
	size_t n, nallow, nquotas;

	if (project_find(in->db, in->arena, in->args[0], &p, &in->err) == -1 ||
	    project_policy(in->db, in->arena, in->args[0], &own, &n, &in->err) == -1 ||
	    quota_list(in->db, in->arena, in->args[0], &quotas, &nquotas, &in->err) == -1)
		return -1;
	all = arena_calloc(in->arena, NKEYS + n + NMORE, sizeof(*all));
	row = arena_calloc(in->arena, NKEYS + n + NMORE, sizeof(*row));
	memcpy(all, keys, sizeof(keys));
	fill_row(p, row);
	for (size_t i = 0; i < n; i++) {
		all[NKEYS + i] = own[i].key;
		row[NKEYS + i] = cell_str(own[i].value);
	}
	memcpy(&all[NKEYS + n], project_allow_keys, sizeof(project_allow_keys));
	if (project_allow_cells(in, in->args[0], &row[NKEYS + n], &nallow) == -1)
		return -1;
	n += NKEYS + nallow;
	if (nquotas > 0) {
		memcpy(&all[n], admin_quota_keys, sizeof(admin_quota_keys));
		admin_quota_cells(quotas, nquotas, p->full_path, &row[n]);
		n += ADMIN_QUOTA_NKEYS;
	}
	print(&(struct output) { in->arena, in->json, all, n }, row);
	return 0;
}

static int
set(struct invocation *in)
{
	const struct provision p = command_provision(in, false);
	int64_t id;

	if (namespace_words_set_project(&p, in->args[0], &in->args[1], in->nargs - 1, &id, &in->err) == -1)
		return -1;
	return print_project(in, output_id);
}

static int
show(struct invocation *in)
{
	return print_project(in, output_row);
}

enum { NLIST = NKEYS + 1 };

/* A list of projects, with the quotas of all where it prints them. */
struct listing {
	struct invocation *in;
	size_t nkeys;
	struct quota *quotas;
	size_t nquotas;
};

static int
next_projects(void *arg, struct arena *page, struct cell **cells, size_t *n)
{
	const struct listing *l = arg;
	struct invocation *in = l->in;
	struct project *projects;

	if (project_list_next(in->db, page, &projects, n, &in->err) == -1)
		return -1;
	*cells = arena_calloc(page, *n, l->nkeys * sizeof(**cells));
	for (size_t i = 0; i < *n; i++) {
		struct cell *row = &(*cells)[i * l->nkeys];

		fill_row(&projects[i], row);
		/* `project show` has the project's own value among its own keys */
		row[NKEYS] = cell_str(publish_policy_mirror(page, in->settings, projects[i].mirror_url));
		if (in->json)
			admin_quota_cells(l->quotas, l->nquotas, projects[i].full_path, &row[NLIST]);
	}
	return 0;
}

static int
list(struct invocation *in)
{
	/* as JSON with their quotas; a table would be too wide */
	struct listing l = { .in = in, .nkeys = in->json ? NLIST + ADMIN_QUOTA_NKEYS : NLIST };
	const char *all[NLIST + ADMIN_QUOTA_NKEYS] = { [NKEYS] = "mirror_url" };
	const struct output out = { in->arena, in->json, all, l.nkeys };

	memcpy(all, keys, sizeof(keys));
	memcpy(&all[NLIST], admin_quota_keys, sizeof(admin_quota_keys));
	if (quota_list(in->db, in->arena, NULL, &l.quotas, &l.nquotas, &in->err) == -1 ||
	    project_list(in->db, in->arena, &in->err) == -1)
		return -1;
	return output_list(&out, next_projects, &l);
}

static int
list_pins(struct invocation *in)
{
	return pins_list(in, GITLAB_PIN_PROJECT);
}

static int
unpin(struct invocation *in)
{
	return pins_remove(in, GITLAB_PIN_PROJECT);
}

static const struct command commands[] = {
	{ "add", "GROUP/NAME --visibility private|internal|public [--mirror URL] [--parents] [--if-missing]",
	    "Creates a project and prints its id; with --parents first the groups above it\n"
	    "that do not exist.\n"
	    "--mirror: the project is a mirror of the registry with that index URL, or of crates-io:\n"
	    "`berth import` fills it, and nobody can publish to it.\n" IF_MISSING,
	    COMMAND_OPTIONS(add_options), 1, 1, add },
	{ "set", "GROUP/NAME KEY=VALUE ...",
	    "Changes visibility=private|internal|public, packages_enabled=true|false\n"
	    "(false: the project has no registry), public_packages=true|false (true:\n"
	    "anyone may download), anonymous_networks=\"NETWORK ...\" (clients there need\n"
	    "no token to read index and crates), readme_images=true|false (true: a README\n"
	    "shows images of other web servers), or a limit of publishes: a key of\n"
	    "berth.conf, whose value the project then overrides (see berth(1); an empty\n"
	    "value restores the configuration's).  Prints the id.",
	    NULL, 0, 2, COMMAND_ARGS_MAX, set },
	{ "allow",
	    "GROUP/NAME --from GROUP[/PROJECT] [--policies read_packages|admin_packages[,...]] [--if-missing]",
	    "Lets jobs of another project, or of all in a group, read packages, or with\n"
	    "admin_packages publish and yank as well, within the rights of the user who\n"
	    "started the job.\n"
	    "Prints the id.\n" IF_MISSING,
	    COMMAND_OPTIONS(allow_options), 1, 1, project_allow },
	{ "disallow", "GROUP/NAME --from GROUP[/PROJECT]", "Removes that permission.",
	    COMMAND_OPTIONS(disallow_options), 1, 1, project_disallow },
	{ "show", "GROUP/NAME", "Shows one project.", NULL, 0, 1, 1, show },
	{ "pins", "",
	    "Lists the GitLab project to which each project is pinned, by its id in GitLab.",
	    NULL, 0, 0,
	    0, list_pins },
	{ "unpin", "GROUP/NAME",
	    "Removes the pin: the next job of a GitLab project with that path creates a new pin.",
	    NULL, 0, 1, 1, unpin },
	{ "list", "", "Lists all projects.", NULL, 0, 0, 0, list },
};

const struct noun admin_project = { "project", COMMAND_LIST(commands) };
