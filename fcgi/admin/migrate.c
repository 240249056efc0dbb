#include "admin/command.h"
#include "admin/output.h"
#include "store/migrate/migrate.h"
#include "store/migrate/migrate_create.h"
#include "store/migrate/migrate_plan.h"

enum { GRANT_TO, DRY_RUN, CREATE };

static const struct option_def options[] = {
	[GRANT_TO] = { "grant-to", 0, "ROLE", false },
	[DRY_RUN] = { "dry-run", 0, NULL, false },
	[CREATE] = { "create", 0, NULL, false },
};

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

/* n: migrations that the database lacked.  It may be ahead of this program. */
static void
say_none(const struct invocation *in, size_t n, int64_t newer)
{
	if (newer != 0)
		output_note("nothing to do: the database is newer than this program "
		    "and allows it (it has migration %lld, and this program has %lld)",
		    (long long)newer, (long long)migrations_newest());
	else if (n == 0 && !in->json)
		output_note("the database already has all migrations of this program");
}

static const char *const plan_keys[] = { "version", "topic", "step", "table", "lock", "work",
	"rows", "bytes" };

enum { NPLAN_KEYS = sizeof(plan_keys) / sizeof(*plan_keys) };

static int
dry_run(struct invocation *in)
{
	struct output out = { in->arena, in->json, plan_keys, NPLAN_KEYS };
	struct migrate_work *work;
	struct cell *cells;
	int64_t newer;
	size_t n;

	if (migrate_plan(in->conninfo, in->arena, &work, &n, &newer, &in->err) == -1)
		return -1;
	cells = arena_calloc(in->arena, n, NPLAN_KEYS * sizeof(*cells));
	for (size_t i = 0; i < n; i++) {
		const struct cell row[] = { cell_int(work[i].m->version), cell_str(work[i].m->topic),
			cell_int((int64_t)work[i].step), cell_str(work[i].table),
			cell_str(work[i].lock), cell_str(work[i].work), cell_int(work[i].rows),
			cell_int(work[i].bytes) };

		memcpy(&cells[i * NPLAN_KEYS], row, sizeof(row));
	}
	if (n > 0 || in->json)
		output_table(&out, cells, n);
	say_none(in, n, newer);
	return 0;
}

static int
run(struct invocation *in)
{
	struct output out = { in->arena, in->json, keys, NKEYS };
	struct progress p = { .in = in };
	const struct migrate_task task = { .conninfo = in->conninfo, .actor = &in->actor,
		.grant_to = in->options.values[GRANT_TO], .applied = applied, .arg = &p };
	int64_t newer;

	p.cells = arena_calloc(in->arena, nmigrations, NKEYS * sizeof(*p.cells));
	if (in->options.values[DRY_RUN] != NULL)
		return dry_run(in);
	if (in->options.values[CREATE] != NULL &&
	    migrate_create(in->conninfo, task.grant_to, &in->err) == -1)
		return -1;
	if (migrate_run(&task, &newer, &in->err) == -1)
		return -1;
	say_none(in, p.n, newer);
	if (in->json)
		output_table(&out, p.cells, p.n);
	return 0;
}

static const struct command commands[] = {
	{ NULL, "[--create] [--grant-to ROLE] [--dry-run]",
	    "Applies the migrations that the database lacks and prints each, while the pool\n"
	    "serves.  It connects as the role that owns the tables; --grant-to gives the\n"
	    "pool's role exactly the rights that the pool needs.  --create first creates the\n"
	    "database and that role, where they are missing.  --dry-run changes nothing: it\n"
	    "prints the locks and the work of each step, and the size of its tables.",
	    COMMAND_OPTIONS(options), 0, 0, run },
};

const struct noun admin_migrate = { "migrate", COMMAND_LIST(commands) };
