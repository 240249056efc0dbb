#include "store/package/protection.h"

#include "admin/command.h"
#include "admin/number.h"
#include "admin/output.h"

enum { ADD_PUSH, ADD_DELETE, ADD_IF_MISSING };

static const struct option_def add_options[] = {
	[ADD_PUSH] = { "push", 0, "maintainer|owner|admin", false },
	[ADD_DELETE] = { "delete", 0, "owner|admin", false },
	[ADD_IF_MISSING] = { "if-missing", 0, NULL, false },
};

static const char *const keys[] = { "id", "push", "delete", "created_at", "pattern" };

enum { NKEYS = sizeof(keys) / sizeof(*keys) };

static const char *
text_or_null(const char *text)
{
	return text != NULL && text[0] != '\0' ? text : NULL;
}

static int
add(struct invocation *in)
{
	static const char *const add_keys[] = { "id", "push", "delete", "pattern" };
	struct output out = { in->arena, in->json, add_keys, sizeof(add_keys) / sizeof(*add_keys) };
	const char *const *given = in->options.values;
	const struct provision p = command_provision(in, false);
	struct provision_thing rule = { .kind = PROVISION_PROTECT, .names = { in->args[0], in->args[1] },
		.values = { [PROTECT_PUSH] = given[ADD_PUSH], [PROTECT_DELETE] = given[ADD_DELETE] } };

	if (provision_add(&p, &rule, given[ADD_IF_MISSING] != NULL, &in->err) == -1)
		return -1;
	output_id(&out, (struct cell[]) { cell_int(rule.id), cell_str(text_or_null(rule.values[PROTECT_PUSH])),
	    cell_str(text_or_null(rule.values[PROTECT_DELETE])), cell_str(rule.names[1]) });
	return 0;
}

static int
list(struct invocation *in)
{
	struct output out = { in->arena, in->json, keys, NKEYS };
	struct protection_rule *rules;
	struct cell *cells;
	size_t n;

	if (protection_list(in->db, in->arena, in->args[0], &rules, &n, &in->err) == -1)
		return -1;
	cells = arena_calloc(in->arena, n, NKEYS * sizeof(*cells));
	for (size_t i = 0; i < n; i++) {
		const struct protection_rule *rule = &rules[i];
		struct cell row[NKEYS] = { cell_int(rule->id),
			cell_str(protection_level_name(rule->push)),
			cell_str(protection_level_name(rule->delete)), cell_time(rule->created_at),
			cell_str(rule->pattern) };

		memcpy(&cells[i * NKEYS], row, sizeof(row));
	}
	output_table(&out, cells, n);
	return 0;
}

static int
remove_rule(struct invocation *in)
{
	static const char *const remove_keys[] = { "id", "removed" };
	struct output out = { in->arena, in->json, remove_keys,
		sizeof(remove_keys) / sizeof(*remove_keys) };
	int64_t id;

	if (number_parse(in->args[1], "id of a protection rule", &id, &in->err) == -1 ||
	    protection_remove(in->db, in->arena, &in->actor, in->args[0], id, PROTECTION_ADMIN,
	        &in->err) == -1)
		return -1;
	output_id(&out, (struct cell[]) { cell_int(id), cell_bool(true) });
	return 0;
}

static const struct command commands[] = {
	{ "add",
	    "GROUP/PROJECT PATTERN [--push maintainer|owner|admin] [--delete owner|admin] [--if-missing]",
	    "Lets only people of that level publish and yank (--push) or delete\n"
	    "(--delete) crates whose names match, and prints the new rule's id.  In\n"
	    "PATTERN, * stands for any characters; case does not matter, and - equals _.\n" IF_MISSING,
	    COMMAND_OPTIONS(add_options), 2, 2, add },
	{ "list", "GROUP/PROJECT", "Lists the protection rules of a project.", NULL, 0, 1, 1,
	    list },
	{ "remove", "GROUP/PROJECT ID", "Removes a protection rule.", NULL, 0, 2, 2,
	    remove_rule },
};

const struct noun admin_protect = { "protect", COMMAND_LIST(commands) };
