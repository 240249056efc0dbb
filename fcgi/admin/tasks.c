#include "store/task.h"

#include <string.h>

#include "admin/command.h"
#include "admin/number.h"
#include "admin/output.h"
#include "base/buf.h"
#include "tasks/task.h"

enum { LIST_KIND, LIST_DEAD };

static const struct option_def list_options[] = {
	[LIST_KIND] = { "kind", 0, "KIND", false },
	[LIST_DEAD] = { "dead", 0, NULL, false },
};

/* 0: it is a kind of this program. */
static int
check_kind(struct invocation *in, const char *kind)
{
	struct buf known;

	buf_init(&known, in->arena, ERR_PUB_SIZE);
	for (size_t i = 0; i < task_nkinds; i++) {
		if (strcmp(task_kinds[i].name, kind) == 0)
			return 0;
		buf_printf(&known, "%s%s", i > 0 ? ", " : "", task_kinds[i].name);
	}
	return err_set(&in->err, 400, "there is no kind of task `%s`; the kinds are: %s", kind, buf_str(&known));
}

static int
list(struct invocation *in)
{
	static const char *const keys[] = { "id", "kind", "state", "attempts", "run_at", "done_at",
		"created_at", "period", "node", "worker", "error", "args" };
	enum { NKEYS = sizeof(keys) / sizeof(*keys) };
	struct output out = { in->arena, in->json, keys, NKEYS };
	const char *const *given = in->options.values;
	struct task_row *rows;
	struct cell *cells;
	size_t n;

	if (given[LIST_KIND] != NULL && check_kind(in, given[LIST_KIND]) == -1)
		return -1;
	if (task_list(in->db, in->arena, given[LIST_KIND], given[LIST_DEAD] != NULL, &rows, &n,
	        &in->err) == -1)
		return -1;
	cells = arena_calloc(in->arena, n, NKEYS * sizeof(*cells));
	for (size_t i = 0; i < n; i++) {
		const struct task_row *r = &rows[i];
		struct cell row[NKEYS] = { cell_int(r->id), cell_str(r->kind), cell_str(r->state),
			cell_int(r->attempts), cell_time(r->run_at), cell_time(r->done_at),
			cell_time(r->created_at), cell_id(r->period), cell_str(r->node),
			cell_str(r->worker), cell_str(r->error), cell_json(r->args) };

		memcpy(&cells[i * NKEYS], row, sizeof(row));
	}
	output_table(&out, cells, n);
	return 0;
}

/* One task, by its number, and what is to be done with it. */
static int
change(struct invocation *in, int (*fn)(struct db *, struct arena *, const struct audit_actor *,
    int64_t, struct err *))
{
	static const char *const keys[] = { "id" };
	struct output out = { in->arena, in->json, keys, 1 };
	int64_t id;

	if (number_parse(in->args[0], "task", &id, &in->err) == -1 ||
	    fn(in->db, in->arena, &in->actor, id, &in->err) == -1)
		return -1;
	output_id(&out, (struct cell[]) { cell_int(id) });
	return 0;
}

static int
retry(struct invocation *in)
{
	return change(in, task_retry);
}

static int
remove_task(struct invocation *in)
{
	return change(in, task_remove);
}

static const struct command commands[] = {
	{ "list", "[--kind KIND] [--dead]",
	    "Lists the tasks of berth-worker(8).  --dead: only those that failed too often.",
	    COMMAND_OPTIONS(list_options), 0, 0, list },
	{ "retry", "ID",
	    "Runs the task as soon as a worker is free; a dead task gets all its attempts again.",
	    NULL, 0, 1, 1, retry },
	{ "remove", "ID",
	    "Removes the task.  A periodic task comes back when a worker starts, or within\n"
	    "10 minutes.",
	    NULL, 0, 1, 1, remove_task },
};

const struct noun admin_tasks = { "tasks", COMMAND_LIST(commands) };
