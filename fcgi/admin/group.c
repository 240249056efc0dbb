#include "store/group.h"

#include <string.h>
#include <strings.h>

#include "access/networks.h"
#include "admin/command.h"
#include "admin/output.h"
#include "admin/quota.h"

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

static const char *const keys[] = { "id", "created_at", "anonymous_networks", "full_path" };

enum { NKEYS = sizeof(keys) / sizeof(*keys), NALL = NKEYS + ADMIN_QUOTA_NKEYS };

static void
fill_row(const struct group *g, struct cell row[NKEYS])
{
	row[0] = cell_int(g->id);
	row[1] = cell_time(g->created_at);
	row[2] = cell_str(g->anonymous_networks);
	row[3] = cell_str(g->full_path);
}

/* The rows of those groups, or of the one of that path, with their quotas. */
static int
read_all(struct invocation *in, const char *path, struct cell **cells, size_t *n)
{
	struct quota *quotas;
	struct group *groups;
	size_t ngroups, nquotas;

	*n = 0;
	if (group_list(in->db, in->arena, &groups, &ngroups, &in->err) == -1 ||
	    quota_list(in->db, in->arena, path, &quotas, &nquotas, &in->err) == -1)
		return -1;
	*cells = arena_calloc(in->arena, ngroups, NALL * sizeof(**cells));
	for (size_t i = 0; i < ngroups; i++) {
		struct cell *row = &(*cells)[*n * NALL];

		if (path != NULL && strcasecmp(path, groups[i].full_path) != 0)
			continue;
		fill_row(&groups[i], row);
		admin_quota_cells(quotas, nquotas, groups[i].full_path, &row[NKEYS]);
		++*n;
	}
	if (path != NULL && *n == 0)
		return err_set(&in->err, 404, "group `%s` does not exist", path);
	return 0;
}

static struct output
output_all(const struct invocation *in)
{
	static const char *all[NALL];

	memcpy(all, keys, sizeof(keys));
	memcpy(&all[NKEYS], admin_quota_keys, sizeof(admin_quota_keys));
	return (struct output) { in->arena, in->json, all, NALL };
}

/* As JSON with their quotas; a table would be too wide. */
static int
list(struct invocation *in)
{
	struct output all = output_all(in), few = { in->arena, false, keys, NKEYS };
	struct cell *cells;
	size_t n;

	if (read_all(in, NULL, &cells, &n) == -1)
		return -1;
	for (size_t i = 0; i < n && !in->json; i++)
		memmove(&cells[i * NKEYS], &cells[i * NALL], NKEYS * sizeof(*cells));
	output_table(in->json ? &all : &few, cells, n);
	return 0;
}

static int
show(struct invocation *in)
{
	struct output out = output_all(in);
	struct cell *row;
	size_t n;

	if (read_all(in, in->args[0], &row, &n) == -1)
		return -1;
	output_row(&out, row);
	return 0;
}

/* *networks stays as it is where no word is about them. */
static int
parse_words(struct invocation *in, const char **networks)
{
	for (size_t i = 1; i < in->nargs; i++) {
		const char *word = in->args[i];
		size_t n = strcspn(word, "=");
		struct slice key = slice_of(word, n);

		if (word[n] == '\0' || !(slice_is(key, "anonymous_networks") || admin_quota_is_key(key)))
			return err_set(&in->err, 400, "`%s` must be KEY=VALUE; KEY is "
			    "anonymous_networks, quota_bytes, quota_versions or quota_crates", word);
		if (slice_is(key, "anonymous_networks") &&
		    networks_parse(in->arena, word + n + 1, networks, &in->err) == -1)
			return -1;
	}
	return admin_quota_check(in);
}

struct setting {
	struct invocation *in;
	const char *networks; /* NULL: they stay as they are */
};

/* All of it or nothing. */
static int
set_body(struct db *db, void *arg, struct err *err)
{
	struct setting *s = arg;
	struct invocation *in = s->in;

	if (s->networks != NULL &&
	    group_set(db, in->arena, &in->actor, in->args[0], s->networks, err) == -1)
		return -1;
	return admin_quota_set(in, err);
}

static int
set(struct invocation *in)
{
	struct setting setting = { .in = in };
	struct output out = output_all(in);
	struct cell *row;
	bool unknown;
	size_t n;

	if (parse_words(in, &setting.networks) == -1 || read_all(in, in->args[0], &row, &n) == -1 ||
	    db_transaction(in->db, set_body, &setting, &unknown, &in->err) == -1 ||
	    read_all(in, in->args[0], &row, &n) == -1)
		return -1;
	output_id(&out, row);
	return 0;
}

static const struct command commands[] = {
	{ "add", "PATH",
	    "Creates a group and prints its id.  The groups above it (A of A/B) must exist.",
	    NULL, 0, 1, 1, add },
	{ "list", "", "Lists all groups.", NULL, 0, 0, 0, list },
	{ "set", "PATH KEY=VALUE...",
	    "Sets the quotas that all projects below the group share: quota_bytes,\n"
	    "quota_versions, quota_crates; an empty value removes the limit.  With\n"
	    "anonymous_networks=\"NETWORK ...\", clients there need no token to read index\n"
	    "and crates of all projects below the group.",
	    NULL, 0, 2, COMMAND_ARGS_MAX, set },
	{ "show", "PATH", "Shows one group, its quotas and their use.", NULL, 0, 1, 1,
	    show },
};

const struct noun admin_group = { "group", COMMAND_LIST(commands) };
