#include "store/blob/store_node.h"

#include <string.h>

#include "admin/command.h"
#include "admin/output.h"

/* A value that is not known is empty, because 0 would mean something else. */
static struct cell
cell_known(bool known, int64_t v)
{
	return known ? cell_int(v) : cell_str(NULL);
}

/* NULL: there is none. */
static const char *
cache_state(const struct store_node_row *r)
{
	if (!r->cached)
		return NULL;
	if (r->lease_ms > 0)
		return "served";
	return r->lease_ms + 1000 * r->stale_s > 0 ? "may be stale" : "not served";
}

static int
list(struct invocation *in)
{
	static const char *const keys[] = { "node", "state", "version", "schema", "cache", "lease_ms",
		"stale_max", "behind", "differs", "external_url", "keys", "since", "seen_at" };
	enum { NKEYS = sizeof(keys) / sizeof(*keys) };
	struct output out = { in->arena, in->json, keys, NKEYS };
	struct store_node_row *rows;
	struct cell *cells;
	size_t n;

	if (db_connect(in->db, &in->err) == -1 ||
	    store_node_list(in->db, in->arena, &rows, &n, &in->err) == -1)
		return -1;
	cells = arena_calloc(in->arena, n, NKEYS * sizeof(*cells));
	for (size_t i = 0; i < n; i++) {
		const struct store_node_row *r = &rows[i];
		struct cell row[NKEYS] = { cell_str(r->name), cell_str(r->live ? "live" : "gone"),
			cell_str(r->version), cell_id(r->schema), cell_str(cache_state(r)),
			cell_known(r->cached, r->lease_ms > 0 ? r->lease_ms : 0), cell_known(r->cached, r->stale_s),
			cell_known(r->compared, r->behind), cell_str(r->differs), cell_str(r->external_url),
			cell_str(r->keys), cell_time(r->since), cell_time(r->seen_at) };

		memcpy(&cells[i * NKEYS], row, sizeof(row));
	}
	output_table(&out, cells, n);
	return 0;
}

static const struct command commands[] = {
	{ "list", "",
	    "Lists the nodes of the last day: whether each is live or gone, its version, the schema that it\n"
	    "knows, whether nginx sends from its cache, for how long its lease lasts, for how many seconds\n"
	    "nginx may go on after that without the database, how many transactions it is behind, and the\n"
	    "key of berth.conf that differs from most nodes.",
	    NULL, 0, 0, 0, list },
};

const struct noun admin_node = { "node", COMMAND_LIST(commands) };
