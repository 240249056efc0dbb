#include "store/group.h"

#include "admin/command.h"
#include "admin/output.h"

static int
add(struct invocation *in)
{
	static const char *const keys[] = { "id", "full_path" };
	struct output out = { in->arena, in->json, keys, sizeof(keys) / sizeof(*keys) };
	int64_t id;

	if (group_add(in->db, in->arena, &in->actor, in->args[0], &id, &in->err) == -1)
		return -1;
	output_id(&out, (struct cell[]) { cell_int(id), cell_str(in->args[0]) });
	return 0;
}

static int
list(struct invocation *in)
{
	static const char *const keys[] = { "id", "created_at", "full_path" };
	enum { NKEYS = sizeof(keys) / sizeof(*keys) };
	struct output out = { in->arena, in->json, keys, NKEYS };
	struct group *groups;
	struct cell *cells;
	size_t n;

	if (group_list(in->db, in->arena, &groups, &n, &in->err) == -1)
		return -1;
	cells = arena_calloc(in->arena, n, NKEYS * sizeof(*cells));
	for (size_t i = 0; i < n; i++) {
		const struct group *g = &groups[i];
		struct cell row[NKEYS] = { cell_int(g->id), cell_time(g->created_at),
			cell_str(g->full_path) };

		memcpy(&cells[i * NKEYS], row, sizeof(row));
	}
	output_table(&out, cells, n);
	return 0;
}

static const struct command commands[] = {
	{ "add", "PATH", "Makes a group, below groups that exist (A/B), and prints the new id.",
	    NULL, 0, 1, 1, add },
	{ "list", "", "Lists all groups.", NULL, 0, 0, 0, list },
};

const struct noun admin_group = { "group", COMMAND_LIST(commands) };
