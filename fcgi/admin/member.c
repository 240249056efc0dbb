#include "store/member.h"

#include "admin/command.h"
#include "admin/output.h"
#include "base/date.h"

enum { SET_EXPIRES, SET_FORCE, SET_IF_MISSING };

static const struct option_def set_options[] = {
	[SET_EXPIRES] = { "expires", 0, "DATE", false },
	[SET_FORCE] = { "force", 0, NULL, false },
	[SET_IF_MISSING] = { "if-missing", 0, NULL, false },
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
	const char *const *given = in->options.values;
	const struct provision p = command_provision(in, given[SET_FORCE] != NULL);
	struct provision_thing thing = { .kind = PROVISION_MEMBER, .names = { in->args[0], in->args[1] },
		.values = { [MEMBER_LEVEL] = in->args[2], [MEMBER_EXPIRES] = given[SET_EXPIRES] } };
	const char *expires;
	struct member m = { .username = in->args[0], .path = in->args[1] };
	enum member_level level;
	struct cell row[NKEYS];

	if (provision_add(&p, &thing, given[SET_IF_MISSING] != NULL, &in->err) == -1)
		return -1;
	expires = thing.values[MEMBER_EXPIRES];
	if (member_level_parse(thing.values[MEMBER_LEVEL], &level, &in->err) == -1 ||
	    (expires != NULL && expires[0] != '\0' && date_parse(expires, &m.expires_at, &in->err) == -1))
		return -1;
	m.user_id = thing.id;
	m.level = level;
	if (level == MEMBER_NONE)
		in->nothing = "the user was not a member there";
	fill_row(&m, row);
	output_id(&out, row);
	return 0;
}

static int
next_members(void *arg, struct arena *page, struct cell **cells, size_t *n)
{
	struct invocation *in = arg;
	struct member *members;

	if (member_list_next(in->db, page, &members, n, &in->err) == -1)
		return -1;
	*cells = arena_calloc(page, *n, NKEYS * sizeof(**cells));
	for (size_t i = 0; i < *n; i++)
		fill_row(&members[i], &(*cells)[i * NKEYS]);
	return 0;
}

static int
list(struct invocation *in)
{
	const struct output out = { in->arena, in->json, keys, NKEYS };

	return member_list(in->db, in->arena, in->args[0], &in->err) == -1 ? -1 :
	    output_list(&out, next_members, in);
}

static const struct command commands[] = {
	{ "set",
	    "USER GROUP[/PROJECT] guest|reporter|developer|maintainer|owner|none [--expires DATE] [--force] "
	    "[--if-missing]",
	    "Makes the user a member with that level, there and in everything below;\n"
	    "none ends the membership.  Prints the user's id.  DATE is YYYY-MM-DD: the membership\n"
	    "ends when that day begins in UTC.  --force: also takes the role of the last\n"
	    "owner.\n"
	    "--if-missing: if the user is a member there, changes nothing and says what differs.",
	    COMMAND_OPTIONS(set_options), 3, 3, set },
	{ "list", "[GROUP[/PROJECT]]", "Lists members, of one project or group, or of all.", NULL, 0, 0, 1,
	    list },
};

const struct noun admin_member = { "member", COMMAND_LIST(commands) };
