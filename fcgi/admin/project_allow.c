#include "admin/project_allow.h"

#include "access/token_words.h"
#include "store/token/job_allow.h"

enum { ALLOW_FROM, ALLOW_POLICIES };

const char *const project_allow_keys[PROJECT_ALLOW_NKEYS] = { "job_token_read_packages",
	"job_token_admin_packages" };

static int
set(struct invocation *in, const char *policies)
{
	static const char *const keys[] = { "id", "full_path", "from", "policies" };
	struct output out = { in->arena, in->json, keys, sizeof(keys) / sizeof(*keys) };
	const char *from = in->options.values[ALLOW_FROM];
	int64_t id;

	if (job_allow_set(in->db, in->arena, &in->actor, in->args[0], from, policies, &id,
	        &in->err) == -1)
		return -1;
	output_id(&out, (struct cell[]) { cell_int(id), cell_str(in->args[0]), cell_str(from),
	    cell_words(policies != NULL ? policies : "") });
	return 0;
}

int
project_allow(struct invocation *in)
{
	const char *given = in->options.values[ALLOW_POLICIES];
	const char *policies = "read_packages";

	if (given != NULL && token_words_parse(in->arena, &token_words_policies, given, &policies,
	        &in->err) == -1)
		return -1;
	return set(in, policies);
}

int
project_disallow(struct invocation *in)
{
	return set(in, NULL);
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
