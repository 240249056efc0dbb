#include "store/audit_log.h"

#include <inttypes.h>
#include <stdio.h>

#include "admin/command.h"
#include "admin/number.h"
#include "admin/output.h"
#include "base/date.h"

/* Rows that are in memory at one time. */
enum { PAGE = 500 };

enum { PROJECT, USER, TOKEN, ACTION, CRATE, SINCE, UNTIL, LIMIT };

static const struct option_def options[] = {
	[PROJECT] = { "project", 0, "GROUP/PROJECT", false },
	[USER] = { "user", 0, "NAME", false },
	[TOKEN] = { "token", 0, "ID", false },
	[ACTION] = { "action", 0, "ACTION", false },
	[CRATE] = { "crate", 0, "NAME", false },
	[SINCE] = { "since", 0, "DATE", false },
	[UNTIL] = { "until", 0, "DATE", false },
	[LIMIT] = { "limit", 0, "N", false },
};

static const char *const json_keys[] = { "id", "at", "action", "user", "user_id", "token_id",
	"token_kind", "job_issuer", "job_project", "pipeline", "job", "job_url", "ref", "commit",
	"project", "project_id", "crate", "version", "remote_addr", "request_id", "detail" };

static const char *const table_keys[] = { "at", "action", "who", "token", "project", "crate",
	"version", "from", "request", "detail" };

enum {
	NJSON = sizeof(json_keys) / sizeof(*json_keys),
	NTABLE = sizeof(table_keys) / sizeof(*table_keys)
};

/* A user of the system is told from one of the registry by a byte that no username has. */
static const char *
who(struct arena *a, const struct audit_row *r)
{
	if (r->username == NULL && r->system_user != NULL)
		return arena_printf(a, "system:%s", r->system_user);
	return r->username;
}

static void
fill_json(const struct audit_row *r, struct cell *cells)
{
	const struct cell row[NJSON] = { cell_int(r->id), cell_str(r->at), cell_str(r->action),
		cell_str(r->username), cell_id(r->user_id), cell_id(r->token_id),
		cell_str(r->token_kind), cell_str(r->job_issuer), cell_str(r->job_project),
		cell_id(r->pipeline), cell_id(r->job), cell_str(r->job_url), cell_str(r->ref),
		cell_str(r->commit), cell_str(r->project), cell_id(r->project_id), cell_str(r->crate),
		cell_str(r->version), cell_str(r->remote_addr), cell_str(r->request_id),
		cell_json(r->detail) };

	memcpy(cells, row, sizeof(row));
}

static void
fill_table(struct arena *a, const struct audit_row *r, struct cell *cells)
{
	const struct cell row[NTABLE] = { cell_str(r->at), cell_str(r->action), cell_str(who(a, r)),
		cell_id(r->token_id), cell_str(r->project), cell_str(r->crate), cell_str(r->version),
		cell_str(r->remote_addr), cell_str(r->request_id), cell_str(r->detail) };

	memcpy(cells, row, sizeof(row));
}

/* An empty log may come from a word that nobody has used. */
static int
say_none(struct invocation *in, const struct audit_cursor *cursor)
{
	if (audit_log_check_token(in->db, in->arena, cursor, &in->err) == -1)
		return -1;
	if (!in->json)
		output_note("no change matches");
	return 0;
}

/* The log, from which `limit` rows are still to be printed. */
struct listing {
	struct invocation *in;
	struct audit_cursor cursor;
	int64_t limit;
	bool some; /* it has rows */
};

static int
next_events(void *arg, struct arena *page, struct cell **cells, size_t *n)
{
	struct listing *l = arg;
	struct invocation *in = l->in;
	size_t nkeys = in->json ? NJSON : NTABLE;
	struct audit_row *rows;

	*n = 0;
	if (l->limit == 0)
		return 0;
	if (audit_log_next(in->db, page, &l->cursor, l->limit < PAGE ? l->limit : PAGE, &rows, n, &in->err) == -1)
		return -1;
	if (*n == 0 && !l->some)
		return say_none(in, &l->cursor);
	l->some = true;
	l->limit -= (int64_t)*n;
	*cells = arena_calloc(page, *n, nkeys * sizeof(**cells));
	for (size_t i = 0; i < *n; i++) {
		if (in->json)
			fill_json(&rows[i], &(*cells)[i * nkeys]);
		else
			fill_table(page, &rows[i], &(*cells)[i * nkeys]);
	}
	return 0;
}

static int
run(struct invocation *in)
{
	const char *const *given = in->options.values;
	struct audit_filter filter = { .project = given[PROJECT], .username = given[USER],
		.action = given[ACTION], .crate = given[CRATE] };
	struct listing l = { .in = in, .limit = INT64_MAX };
	const struct output out = { in->arena, in->json, in->json ? json_keys : table_keys,
		in->json ? NJSON : NTABLE };

	if ((given[SINCE] != NULL && date_parse(given[SINCE], &filter.since, &in->err) == -1) ||
	    (given[UNTIL] != NULL && date_parse(given[UNTIL], &filter.until, &in->err) == -1) ||
	    (given[LIMIT] != NULL &&
	        number_parse(given[LIMIT], "number of rows", &l.limit, &in->err) == -1) ||
	    (given[TOKEN] != NULL &&
	        number_parse(given[TOKEN], "id of a token", &filter.token_id, &in->err) == -1) ||
	    audit_log_open(in->db, in->arena, &filter, in->json, &l.cursor, &in->err) == -1)
		return -1;
	return output_log(&out, next_events, &l);
}

static const struct command commands[] = {
	{ NULL,
	    "[--project GROUP/PROJECT] [--user NAME] [--token ID] [--action ACTION] [--crate NAME] "
	    "[--since DATE] [--until DATE] [--limit N]",
	    "Shows who changed what, newest first.  With --json, shows one object a line, oldest\n"
	    "first; --limit then selects the oldest changes.\n"
	    "--user selects the changes by that user, --token those with that token.\n"
	    "ACTION is a name such as token.create; see berth(1).",
	    COMMAND_OPTIONS(options), 0, 0, run },
};

const struct noun admin_audit = { "audit", COMMAND_LIST(commands) };
