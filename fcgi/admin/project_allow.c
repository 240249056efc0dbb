#include "admin/project_allow.h"

#include "store/token/job_allow.h"

enum { ALLOW_FROM, ALLOW_WHICH, ALLOW_IF_MISSING };

const char *const project_allow_keys[PROJECT_ALLOW_NKEYS] = { "job_token_read_packages",
	"job_token_admin_packages" };

static void
print(const struct invocation *in, int64_t id, const char *from, const char *policies)
{
	static const char *const keys[] = { "id", "full_path", "from", "policies" };
	struct output out = { in->arena, in->json, keys, sizeof(keys) / sizeof(*keys) };

	output_id(&out, (struct cell[]) { cell_int(id), cell_str(in->args[0]), cell_str(from),
	    cell_words(policies) });
}

int
project_allow(struct invocation *in)
{
	const char *const *given = in->options.values;
	const struct provision p = command_provision(in, false);
	struct provision_thing allow = { .kind = PROVISION_ALLOW, .names = { in->args[0], given[ALLOW_FROM] },
		.values = { [ALLOW_POLICIES] = given[ALLOW_WHICH] } };

	if (provision_add(&p, &allow, given[ALLOW_IF_MISSING] != NULL, &in->err) == -1)
		return -1;
	print(in, allow.id, allow.names[1], allow.values[ALLOW_POLICIES]);
	return 0;
}

int
project_disallow(struct invocation *in)
{
	const char *from = in->options.values[ALLOW_FROM];
	int64_t id;

	in->nothing = "the project had no such permission";
	if (job_allow_set(in->db, in->arena, &in->actor, in->args[0], from, NULL, &id, &in->err) == -1)
		return -1;
	print(in, id, from, "");
	return 0;
}

static const char *
append(struct arena *a, const char *list, const char *word)
{
	return arena_printf(a, "%s%s%s", list, list[0] != '\0' ? "," : "", word);
}

int
project_allow_cells(struct invocation *in, const char *project,
    struct cell cells[PROJECT_ALLOW_NKEYS], size_t *n)
{
	const char *read = "", *admin = "";
	struct job_allow *entries;
	size_t nentries;

	if (job_allow_list(in->db, in->arena, project, &entries, &nentries, &in->err) == -1)
		return -1;
	for (size_t i = 0; i < nentries; i++) {
		read = append(in->arena, read, entries[i].from);
		if (entries[i].admin)
			admin = append(in->arena, admin, entries[i].from);
	}
	cells[0] = cell_words(read);
	cells[1] = cell_words(admin);
	*n = nentries > 0 ? PROJECT_ALLOW_NKEYS : 0;
	return 0;
}
