#include "store/flag.h"

#include <string.h>

#include "admin/command.h"
#include "admin/output.h"

static const struct option_def namespace_options[] = {
	{ "project", 0, "GROUP/PROJECT", false },
};

static const char *
value_text(struct arena *a, int percentage)
{
	return percentage == 0 ? "off" : percentage == 100 ? "on" : arena_printf(a, "%d%%", percentage);
}

static int
set(struct invocation *in)
{
	static const char *const keys[] = { "name", "value", "project" };
	struct output out = { in->arena, in->json, keys, sizeof(keys) / sizeof(*keys) };
	const char *project = in->options.values[0];
	enum flag flag;
	int percentage;

	if (flag_find(in->args[0], &flag, &in->err) == -1 ||
	    flag_parse_percentage(in->args[1], &percentage, &in->err) == -1 ||
	    flag_set(in->db, in->arena, &in->actor, flag, percentage, project, &in->err) == -1)
		return -1;
	output_id(&out, (struct cell[]) { cell_str(flag_kinds[flag].name),
	    cell_str(value_text(in->arena, percentage)), cell_str(project) });
	return 0;
}

static int
unset(struct invocation *in)
{
	static const char *const keys[] = { "name", "project" };
	struct output out = { in->arena, in->json, keys, sizeof(keys) / sizeof(*keys) };
	const char *project = in->options.values[0];
	enum flag flag;

	in->nothing = "the flag had no such setting";
	if (flag_find(in->args[0], &flag, &in->err) == -1 ||
	    flag_unset(in->db, in->arena, &in->actor, flag, project, &in->err) == -1)
		return -1;
	output_id(&out,
	    (struct cell[]) { cell_str(flag_kinds[flag].name), cell_str(project) });
	return 0;
}

/* Each flag as it is for all, and after it the projects that have their own. */
static int
list(struct invocation *in)
{
	static const char *const keys[] = { "name", "value", "changed_at", "project", "about" };
	enum { NKEYS = sizeof(keys) / sizeof(*keys) };
	struct output out = { in->arena, in->json, keys, NKEYS };
	struct flag_row *rows;
	struct cell *cells;
	size_t n, used = 0;

	if (flag_list(in->db, in->arena, &rows, &n, &in->err) == -1)
		return -1;
	cells = arena_calloc(in->arena, n + FLAG__MAX, NKEYS * sizeof(*cells));
	for (int f = FLAG_NONE + 1; f < FLAG__MAX; f++) {
		struct cell *all = &cells[used++ * NKEYS];

		memcpy(all, (struct cell[NKEYS]) { cell_str(flag_kinds[f].name),
		    cell_str(flag_kinds[f].on ? "on" : "off"), cell_time(0), cell_str(NULL),
		    cell_str(flag_kinds[f].about) }, NKEYS * sizeof(*cells));
		for (size_t i = 0; i < n; i++) {
			struct cell *to = rows[i].project == NULL ? all : &cells[used * NKEYS];

			if (strcmp(rows[i].name, flag_kinds[f].name) != 0)
				continue;
			used += rows[i].project != NULL;
			to[0] = cell_str(flag_kinds[f].name);
			to[1] = cell_str(value_text(in->arena, rows[i].percentage));
			to[2] = cell_time(rows[i].changed_at);
			to[3] = cell_str(rows[i].project);
			to[4] = cell_str(flag_kinds[f].about);
		}
	}
	output_table(&out, cells, used);
	return 0;
}

static const struct command commands[] = {
	{ "set", "NAME on|off|N% [--project GROUP/PROJECT]",
	    "Switches a feature on or off for all projects, or on for N percent of them\n"
	    "(always the same ones); with --project, for one project, whatever the others have.",
	    COMMAND_OPTIONS(namespace_options), 2, 2, set },
	{ "unset", "NAME [--project GROUP/PROJECT]",
	    "Removes the setting of one project, or the setting of all others.",
	    COMMAND_OPTIONS(namespace_options), 1, 1, unset },
	{ "list", "", "Lists all flags, and the projects with their own setting.", NULL, 0, 0, 0,
	    list },
};

const struct noun admin_flag = { "flag", COMMAND_LIST(commands) };
