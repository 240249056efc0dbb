#include "admin/command.h"
#include "admin/output.h"
#include "store/migrate.h"

static const struct option_def options[] = { { "grant-to", 0, "ROLE", false } };

struct progress {
	struct invocation *in;
	struct cell *cells;
	size_t n;
};

static const char *const keys[] = { "version", "topic" };

enum { NKEYS = sizeof(keys) / sizeof(*keys) };

/* People see each migration when it is done; JSON is one value at the end. */
static void
applied(void *arg, const struct migration *m)
{
	struct progress *p = arg;

	p->cells[NKEYS * p->n] = cell_int(m->version);
	p->cells[NKEYS * p->n + 1] = cell_str(m->topic);
	p->n++;
	if (!p->in->json) {
		printf("%04d_%s\n", (int)m->version, m->topic);
		fflush(stdout);
	}
}

static int
run(struct invocation *in)
{
	struct output out = { in->arena, in->json, keys, NKEYS };
	struct progress p = { .in = in };
	const struct migrate_task task = { .conninfo = in->conninfo, .actor = &in->actor,
		.grant_to = in->options.values[0], .applied = applied, .arg = &p };
	int64_t newer;

	p.cells = arena_calloc(in->arena, nmigrations, NKEYS * sizeof(*p.cells));
	if (migrate_run(&task, &newer, &in->err) == -1)
		return -1;
	if (newer != 0)
		fprintf(stderr, "berth: there is nothing to do: the database is newer than this program, "
		    "and allows it (it has migration %lld, this program ends at %lld)\n",
		    (long long)newer, (long long)migrate_newest());
	if (in->json)
		output_table(&out, p.cells, p.n);
	return 0;
}

static const struct command commands[] = {
	{ NULL, "[--grant-to ROLE]",
	    "Applies the migrations that the database lacks and prints each.  It connects\n"
	    "as the role that owns the tables; --grant-to gives the pool's role what the\n"
	    "pool needs, and no more.",
	    COMMAND_OPTIONS(options), 0, 0, run },
};

const struct noun admin_migrate = { "migrate", COMMAND_LIST(commands) };
