#include "store/package/version.h"

#include <string.h>

#include "admin/command.h"
#include "admin/output.h"
#include "crate/crate_name.h"
#include "crate/semver.h"
#include "store/package/protection.h"
#include "store/project.h"

static const struct option_def yank_options[] = { { "message", 0, "TEXT", false } };

/* CRATE@VERSION, and the project before it.  -1: 400, 404. */
static int
find(struct invocation *in, struct version_yank *y)
{
	size_t n = strcspn(in->args[1], "@");
	struct slice name = slice_of(in->args[1], n);
	struct semver version;
	struct project *project;

	if (in->args[1][n] == '\0')
		return err_set(&in->err, 400, "`%s` must be CRATE@VERSION", in->args[1]);
	if (crate_name_check(name, "crate", &in->err) == -1 ||
	    semver_parse(slice_str(in->args[1] + n + 1), &version, &in->err) == -1 ||
	    project_find(in->db, in->arena, in->args[0], &project, &in->err) == -1)
		return -1;
	y->project_id = project->id;
	y->name = arena_slicedup(in->arena, name);
	y->version_base = semver_base(in->arena, &version);
	return 0;
}

static int
set_yanked(struct invocation *in, bool yanked, const char *message)
{
	static const char *const keys[] = { "version", "yanked", "message" };
	struct output out = { in->arena, in->json, keys, sizeof(keys) / sizeof(*keys) };
	struct version_yank y = {
		.actor = in->actor,
		.limits.operations = TOKEN_ANY_OPERATION,
		.yanked = yanked,
		.message = message,
		.push_level = PROTECTION_ADMIN,
	};

	if (find(in, &y) == -1 || version_set_yanked(in->db, in->arena, &y, &in->err) == -1)
		return -1;
	output_id(&out, (struct cell[]) { cell_str(in->args[1]), cell_bool(yanked),
	    cell_str(message) });
	return 0;
}

static int
yank(struct invocation *in)
{
	const char *message = in->options.values[0];

	if (message != NULL && message[0] == '\0')
		return err_set(&in->err, 400, "the message is empty");
	return set_yanked(in, true, message);
}

static int
unyank(struct invocation *in)
{
	return set_yanked(in, false, NULL);
}

static const struct command yank_commands[] = {
	{ NULL, "GROUP/PROJECT CRATE@VERSION [--message TEXT]",
	    "Yanks a version: cargo no longer selects it, but lock files that name it still work.\n"
	    "TEXT gives the reason.",
	    COMMAND_OPTIONS(yank_options), 2, 2, yank },
};

static const struct command unyank_commands[] = {
	{ NULL, "GROUP/PROJECT CRATE@VERSION",
	    "Unyanks a version and removes its message.", NULL, 0, 2, 2, unyank },
};

const struct noun admin_yank = { "yank", COMMAND_LIST(yank_commands) };
const struct noun admin_unyank = { "unyank", COMMAND_LIST(unyank_commands) };
