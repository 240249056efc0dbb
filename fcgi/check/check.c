#include "check/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

/* DATABASE_MS, and the times of the other servers, are together less than a second. */
enum { TEST_MS = 2000, DATABASE_MS = 350, US = 1000 };

const char *const check_state_names[CHECK__STATES] = {
	[CHECK_OK] = "ok",
	[CHECK_NONE] = "not checked",
	[CHECK_WARNING] = "warning",
	[CHECK_CRITICAL] = "critical",
};

/* -t stops at the first thing that is critical, and what only warns comes last. */
static const struct check start_checks[] = {
	{ "database", CHECK_POOL | CHECK_WORKER | CHECK_SERVICE, CONF_STR, { 0, 0 }, check_database },
	{ "sockets", CHECK_POOL, CONF_STR, { 0, 0 }, check_sockets },
	{ "inspector", CHECK_POOL | CHECK_SERVICE, CONF_STR, { 0, 0 }, check_inspector },
	{ "directories", CHECK_POOL | CHECK_WORKER | CHECK_SERVICE, CONF_STR, { 0, 0 }, check_directories },
	{ "token_key", CHECK_POOL, CONF_STR, { 0, 0 }, check_token_key },
	{ "store", CHECK_POOL | CHECK_WORKER | CHECK_SERVICE, CONF_STR, { 0, 0 }, check_store },
	{ "keys", CHECK_POOL | CHECK_SERVICE, CONF_STR, { 0, 0 }, check_token_slots },
	{ "permissions", CHECK_POOL | CHECK_SERVICE, CONF_STR, { 0, 0 }, check_readers },
	{ "units", CHECK_POOL | CHECK_SERVICE, CONF_STR, { 0, 0 }, check_units },
	{ "workers", CHECK_POOL | CHECK_SERVICE, CONF_STR, { 0, 0 }, check_workers },
};

const struct check_list check_start_list = { start_checks, sizeof(start_checks) / sizeof(*start_checks) };

void
check_say(struct checking *c, enum check_state state, const char *fmt, ...)
{
	char text[ERR_DETAIL_SIZE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	c->say(c->arg, state, text);
}

/* The database has answered, and the time for it is over. */
static bool
is_late(const struct checking *c)
{
	return c->deadline_us != 0 && c->database.status == 0 && clock_us() >= c->deadline_us;
}

void
check_say_error(struct checking *c, enum check_state state, const struct err *err)
{
	static const char of_database[] = "database: ";
	const char *text = err->detail[0] != '\0' ? err->detail : err->pub;

	/* other servers have times of their own, and come after the database */
	if (!is_late(c) || strncmp(text, of_database, sizeof(of_database) - 1) != 0) {
		check_say(c, state, "%s", text);
		return;
	}
	c->said_late = true;
	check_say(c, CHECK_WARNING, "%s: the database or this host is slow, or a lock holds it up", text);
}

enum check_state
check_above(const struct checking *c, int64_t value)
{
	if (c->limit->critical != 0 && value > c->limit->critical)
		return CHECK_CRITICAL;
	return value > c->limit->warning ? CHECK_WARNING : CHECK_OK;
}

enum check_state
check_below(const struct checking *c, int64_t value)
{
	if (value < c->limit->critical)
		return CHECK_CRITICAL;
	return value < c->limit->warning ? CHECK_WARNING : CHECK_OK;
}

void
check_look(struct checking *c)
{
	if (c->looked)
		return;
	if (c->who == CHECK_SERVICE) {
		c->deadline_us = clock_us() + (int64_t)DATABASE_MS * CHECK_SLOWNESS * US;
		db_set_deadline(c->db, c->deadline_us);
	}
	health_look(c->db, c->arena, &c->health, &c->database);
	c->looked = true;
}

bool
check_requires_database(struct checking *c)
{
	check_look(c);
	if (c->database.status != 0 || c->health.schema != DB_SCHEMA_FITS)
		check_say(c, CHECK_NONE, "requires the database");
	else if (!is_late(c))
		return true;
	else if (c->said_late)
		check_say(c, CHECK_NONE, "no time is left for it");
	else {
		c->said_late = true;
		check_say(c, CHECK_WARNING, "the store or this host is slow: no time is left for this check and for "
		    "later ones that ask the database");
	}
	return false;
}

/* What -t knows of its own findings. */
struct start {
	const char *program;
	enum check_state state;
};

static void
print_finding(void *arg, enum check_state state, const char *text)
{
	struct start *start = arg;

	if (state > start->state)
		start->state = state;
	if (state >= CHECK_WARNING)
		fprintf(
		    stderr, "%s: %s%s\n", start->program, state == CHECK_WARNING ? "warning: " : "", text);
}

int
check_start(const char *program, unsigned who, const struct settings *s)
{
	struct start start = { .program = program };
	struct checking c = { .who = who,
		.settings = s,
		.arena = arena_new(),
		.db = who == CHECK_POOL ? db_new_pooled(s->database, s->database_direct, TEST_MS)
					: db_new(s->database_direct, TEST_MS),
		.say = print_finding,
		.arg = &start };

	db_prepare_late(c.db);
	for (size_t i = 0; i < check_start_list.n && start.state != CHECK_CRITICAL; i++) {
		if (start_checks[i].who & who)
			start_checks[i].run(&c);
	}
	db_free(c.db);
	arena_free(c.arena);
	return start.state == CHECK_CRITICAL;
}
