#include "store/package/owner.h"

#include "admin/command.h"
#include "admin/output.h"
#include "crate/crate_name.h"
#include "store/member.h"
#include "store/project.h"

static const char *const keys[] = { "id", "username", "by", "email", "name" };

enum { NKEYS = sizeof(keys) / sizeof(*keys) };

/* The project and the crate that the first two words name. */
static int
find(struct invocation *in, int64_t *project_id)
{
	struct project *found;

	if (crate_name_check(slice_str(in->args[1]), "crate", &in->err) == -1 ||
	    project_find(in->db, in->arena, in->args[0], &found, &in->err) == -1)
		return -1;
	*project_id = found->id;
	return 0;
}

static int
list(struct invocation *in)
{
	struct output out = { in->arena, in->json, keys, NKEYS };
	struct owner *owners;
	struct cell *cells;
	int64_t project_id;
	size_t n;

	if (find(in, &project_id) == -1 ||
	    owner_list(in->db, in->arena, project_id, in->args[1], &owners, &n, &in->err) == -1)
		return -1;
	cells = arena_calloc(in->arena, n, NKEYS * sizeof(*cells));
	for (size_t i = 0; i < n; i++) {
		const struct owner *o = &owners[i];
		struct cell row[NKEYS] = { cell_int(o->user_id), cell_str(o->username),
			cell_str(o->level != 0 ? member_level_name(o->level) : "crate"),
			cell_str(o->email), cell_str(o->name) };

		memcpy(&cells[i * NKEYS], row, sizeof(row));
	}
	output_table(&out, cells, n);
	return 0;
}

static int
change(struct invocation *in, bool add)
{
	static const char *const change_keys[] = { "message" };
	struct output out = { in->arena, in->json, change_keys, 1 };
	struct owner_change asked = {
		.actor = in->actor,
		.limits.operations = TOKEN_ANY_OPERATION,
		.crate = in->args[1],
		.usernames = &in->args[2],
		.n = in->nargs - 2,
		.add = add,
	};
	const char *message;

	if (find(in, &asked.project_id) == -1 ||
	    owner_change(in->db, in->arena, &asked, &message, &in->err) == -1)
		return -1;
	output_id(&out, (struct cell[]) { cell_str(message) });
	return 0;
}

static int
add(struct invocation *in)
{
	return change(in, true);
}

static int
remove_owners(struct invocation *in)
{
	return change(in, false);
}

static const struct command commands[] = {
	{ "add", "GROUP/PROJECT CRATE USER ...",
	    "Makes these users owners of the crate, ten at most: they can read the project,\n"
	    "and publish, yank and unyank this crate, whatever their role in the project.",
	    NULL, 0, 3, 2 + OWNER_NAMES_MAX, add },
	{ "list", "GROUP/PROJECT CRATE",
	    "Lists the owners of a crate and the reason: their role in the project, or the\n"
	    "crate.",
	    NULL, 0, 2, 2, list },
	{ "remove", "GROUP/PROJECT CRATE USER ...",
	    "Removes these users as owners of the crate.  At least one owner must remain.", NULL, 0, 3,
	    2 + OWNER_NAMES_MAX, remove_owners },
};

const struct noun admin_owner = { "owner", COMMAND_LIST(commands) };
