#include "check/check.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "admin/command.h"
#include "admin/output.h"

enum { MONITORING, LIMIT };

/* --limit can be given several times. */
static const struct option_def options[] = {
	[MONITORING] = { "monitoring", 0, "URL", false },
	[LIMIT] = { "limit", 0, "NAME=WARNING,CRITICAL", false },
	{ "limit", 0, "NAME=WARNING,CRITICAL", false },
	{ "limit", 0, "NAME=WARNING,CRITICAL", false },
	{ "limit", 0, "NAME=WARNING,CRITICAL", false },
	{ "limit", 0, "NAME=WARNING,CRITICAL", false },
	{ "limit", 0, "NAME=WARNING,CRITICAL", false },
};

enum { NOPTIONS = sizeof(options) / sizeof(*options) };

/* Plugins of Nagios and Icinga end like this. */
static const int statuses[CHECK__STATES] = { [CHECK_WARNING] = 1, [CHECK_CRITICAL] = 2 };

/* What one check has said. */
struct finding {
	struct arena *arena;
	enum check_state state;
	const char *text; /* what made the state; NULL: nothing yet */
};

/* What is good is of no interest beside what is not. */
static void
add(void *arg, enum check_state state, const char *text)
{
	struct finding *f = arg;
	bool more = f->text != NULL && (f->state >= CHECK_WARNING) == (state >= CHECK_WARNING);

	if (f->text == NULL || more || state > f->state)
		f->text =
		    more ? arena_printf(f->arena, "%s; %s", f->text, text) : arena_strdup(f->arena, text);
	if (f->state < state)
		f->state = state;
}

static const char *const keys[] = { "check", "state", "detail" };

enum { NKEYS = sizeof(keys) / sizeof(*keys) };

/* The first line is what monitoring shows of all. */
static void
print_summary(const struct cell *cells, size_t n, const struct finding *worst, const char *name)
{
	size_t bad = 0, length = strlen(name);
	/* an error begins with a name by itself */
	bool is_named = worst->text != NULL && strncmp(worst->text, name, length) == 0 && worst->text[length] == ':';

	for (size_t i = 0; i < n; i++)
		bad += strcmp(cells[i * NKEYS + 1].str, check_state_names[CHECK_WARNING]) == 0 ||
		       strcmp(cells[i * NKEYS + 1].str, check_state_names[CHECK_CRITICAL]) == 0;
	fputs("BERTH ", stdout);
	if (bad == 0) {
		printf("OK - %zu checks\n", n);
		return;
	}
	for (const char *p = check_state_names[worst->state]; *p != '\0'; p++)
		putchar(toupper((unsigned char)*p));
	printf(" - %zu of %zu checks; %s%s%s\n", bad, n, is_named ? "" : name, is_named ? "" : ": ", worst->text);
}

static int
prepare(struct invocation *in, struct checking *c)
{
	check_limits_default(c);
	for (size_t i = LIMIT; i < NOPTIONS; i++) {
		if (in->options.values[i] != NULL &&
		    check_limits_parse(c, in->options.values[i], &in->err) == -1)
			return -1;
	}
	return 0;
}

/* What is printed of all checks. */
struct report {
	struct cell *cells;
	size_t n;
	struct finding worst;
	const char *name; /* of the worst */
};

static void
make(struct checking *c, const struct check_list *list, struct report *r)
{
	for (size_t i = 0; i < list->n; i++) {
		struct finding f = { .arena = c->arena };
		struct cell *row = &r->cells[r->n * NKEYS];

		if (!(list->checks[i].who & CHECK_SERVICE))
			continue;
		c->arg = &f;
		check_run(c, &list->checks[i]);
		row[0] = cell_str(list->checks[i].name);
		row[1] = cell_str(check_state_names[f.state]);
		row[2] = cell_str(f.text);
		r->n++;
		if (f.state > r->worst.state) {
			r->worst = f;
			r->name = list->checks[i].name;
		}
	}
}

static int
run(struct invocation *in)
{
	const char *given = in->options.values[MONITORING];
	struct checking c = { .who = CHECK_SERVICE,
		.settings = in->settings,
		.arena = in->arena,
		.db = in->db,
		.say = add };
	struct output out = { in->arena, in->json, keys, NKEYS };
	struct report r = { .name = "" };

	if (prepare(in, &c) == -1)
		return -1;
	c.monitoring = given != NULL ? given : in->settings->monitoring_url;
	r.cells =
	    arena_calloc(in->arena, check_start_list.n + check_service_list.n, NKEYS * sizeof(*r.cells));
	make(&c, &check_start_list, &r);
	make(&c, &check_service_list, &r);
	if (!in->json)
		print_summary(r.cells, r.n, &r.worst, r.name);
	output_table(&out, r.cells, r.n);
	in->status = statuses[r.worst.state];
	return 0;
}

/* Monitoring shows standard output alone. */
static void
unconfigured(struct invocation *in, const char *why)
{
	const struct output out = { in->arena, in->json, keys, NKEYS };
	const struct cell row[] = { cell_str("configuration"), cell_str(check_state_names[CHECK_CRITICAL]),
		cell_str(why) };

	if (!in->json)
		printf("BERTH CRITICAL - configuration: %s\n", why);
	output_table(&out, row, 1);
}

static const struct command commands[] = {
	{ NULL, "[--monitoring URL] [--limit NAME=WARNING,CRITICAL ...]",
	    "Checks whether this host and the registry work, within a second, and prints a line for\n"
	    "each check.  Exit status for monitoring: 0 ok, 1 warning, 2 critical.  --monitoring:\n"
	    "nginx's server for monitoring, in place of monitoring_url of berth.conf.  --limit: other\n"
	    "limits for certificate, clock, disk, fsck, issuers, locks, search, tasks or worker, such as\n"
	    "disk=20g,2g.",
	    COMMAND_OPTIONS(options), 0, 0, run },
};

const struct noun admin_check = { "check", COMMAND_LIST(commands), .named = true, .failed = 2,
	.unconfigured = unconfigured };
