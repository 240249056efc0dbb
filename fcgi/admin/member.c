#include "store/namespace_member.h"

#include "access/access.h"
#include "admin/command.h"
#include "admin/output.h"
#include "base/date.h"
#include "store/user.h"

enum { SET_EXPIRES, SET_FORCE };

static const struct option_def set_options[] = {
	[SET_EXPIRES] = { "expires", 0, "DATE", false },
	[SET_FORCE] = { "force", 0, NULL, false },
};

static const char *const keys[] = { "id", "username", "full_path", "access_level", "level",
	"expires_at" };

enum { NKEYS = sizeof(keys) / sizeof(*keys) };

static void
fill_row(const struct member *m, struct cell row[NKEYS])
{
	row[0] = cell_int(m->user_id);
	row[1] = cell_str(m->username);
	row[2] = cell_str(m->path);
	row[3] = cell_int(m->level);
	row[4] = cell_str(member_level_name(m->level));
	row[5] = cell_time(m->expires_at);
}

static int
set(struct invocation *in)
{
	struct output out = { in->arena, in->json, keys, NKEYS };
	const char *expires = in->options.values[SET_EXPIRES];
	struct member m = { .username = in->args[0], .path = in->args[1] };
	struct namespace_member_set asked = { .change = NAMESPACE_MEMBER_SET, .granter = LEVEL_ADMIN,
		.force = in->options.values[SET_FORCE] != NULL };
	struct member_namespace place;
	struct cell row[NKEYS];
	enum member_level level;

	if (member_level_parse(in->args[2], &level, &in->err) == -1 ||
	    (expires != NULL && date_parse(expires, &asked.expires_at, &in->err) == -1))
		return -1;
	if (level == MEMBER_NONE && expires != NULL)
		return err_set(&in->err, 400, "--expires goes only with a level, not with none");
	asked.level = level;
	if (user_find(in->db, in->arena, m.username, &asked.user_id, &in->err) == -1 ||
	    member_find_namespace(in->db, in->arena, m.path, &place, &in->err) == -1)
		return -1;
	if (namespace_member_set(in->db, in->arena, &in->actor, &place, &asked, &m.user_id, &in->err) == -1)
		return in->err.status != 403 ? -1 :
		    err_set(&in->err, 409, "user `%s` is the last owner of `%s`; make another user an owner "
		        "first, or use --force", m.username, m.path);
	m.level = level;
	m.expires_at = asked.expires_at;
	fill_row(&m, row);
	output_id(&out, row);
	return 0;
}

static int
list(struct invocation *in)
{
	struct output out = { in->arena, in->json, keys, NKEYS };
	struct member *members;
	struct cell *cells;
	size_t n;

	if (member_list(in->db, in->arena, in->args[0], &members, &n, &in->err) == -1)
		return -1;
	cells = arena_calloc(in->arena, n, NKEYS * sizeof(*cells));
	for (size_t i = 0; i < n; i++)
		fill_row(&members[i], &cells[i * NKEYS]);
	output_table(&out, cells, n);
	return 0;
}

static const struct command commands[] = {
	{ "set",
	    "USER GROUP[/PROJECT] guest|reporter|developer|maintainer|owner|none [--expires DATE] [--force]",
	    "Makes the user a member with that level, there and in everything below;\n"
	    "none ends the membership.  Prints the user's id.  DATE is YYYY-MM-DD: the membership\n"
	    "ends when that day begins in UTC.  --force: even if the group or project loses its\n"
	    "last owner.",
	    COMMAND_OPTIONS(set_options), 3, 3, set },
	{ "list", "[GROUP[/PROJECT]]", "Lists members, of one project or group, or of all.", NULL, 0, 0, 1,
	    list },
};

const struct noun admin_member = { "member", COMMAND_LIST(commands) };
