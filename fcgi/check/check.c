#include "check/check.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

/* DATABASE_MS, and the times of the other servers, are together less than a second. */
enum { TEST_MS = 2000, DATABASE_MS = 350, US = 1000, DAY_S = 86400, MINUTE_S = 60 };

#define GIB ((int64_t)1 << 30)

const char *const check_state_names[CHECK__STATES] = {
	[CHECK_OK] = "ok",
	[CHECK_NONE] = "not checked",
	[CHECK_WARNING] = "warning",
	[CHECK_CRITICAL] = "critical",
};

/* -t stops at the first thing that is critical, and what only warns comes last there. */
const struct check checks[] = {
	{ "database", CHECK_POOL | CHECK_WORKER | CHECK_SERVICE, CONF_STR, { 0, 0 }, check_database },
	{ "versions", CHECK_SERVICE, CONF_STR, { 0, 0 }, check_versions },
	{ "clock", CHECK_SERVICE, CONF_SECONDS, { 5, MINUTE_S }, check_clock },
	{ "sockets", CHECK_POOL, CONF_STR, { 0, 0 }, check_sockets },
	{ "inspector", CHECK_POOL | CHECK_SERVICE, CONF_STR, { 0, 0 }, check_inspector },
	{ "directories", CHECK_POOL | CHECK_WORKER | CHECK_SERVICE, CONF_STR, { 0, 0 }, check_directories },
	{ "token_key", CHECK_POOL, CONF_STR, { 0, 0 }, check_token_key },
	{ "store", CHECK_POOL | CHECK_WORKER | CHECK_SERVICE, CONF_STR, { 0, 0 }, check_store },
	{ "collection", CHECK_SERVICE, CONF_STR, { 0, 0 }, check_collection },
	{ "fsck", CHECK_SERVICE, CONF_SECONDS, { 14 * DAY_S, 0 }, check_fsck },
	{ "keys", CHECK_POOL | CHECK_SERVICE, CONF_STR, { 0, 0 }, check_token_slots },
	{ "permissions", CHECK_POOL | CHECK_SERVICE, CONF_STR, { 0, 0 }, check_readers },
	{ "units", CHECK_POOL | CHECK_SERVICE, CONF_STR, { 0, 0 }, check_units },
	{ "workers", CHECK_POOL | CHECK_SERVICE, CONF_STR, { 0, 0 }, check_workers },
	{ "disk", CHECK_SERVICE, CONF_SIZE, { 10 * GIB, GIB }, check_disk },
	{ "tasks", CHECK_SERVICE, CONF_SECONDS, { 15 * MINUTE_S, 4 * 15 * MINUTE_S }, check_tasks },
	{ "search", CHECK_SERVICE, CONF_SECONDS, { MINUTE_S, 15 * MINUTE_S }, check_search },
	{ "pool", CHECK_SERVICE, CONF_STR, { 0, 0 }, check_pool },
	{ "certificate", CHECK_SERVICE, CONF_SECONDS, { 21 * DAY_S, 7 * DAY_S }, check_certificate },
	{ "nginx", CHECK_SERVICE, CONF_STR, { 0, 0 }, check_nginx },
};

const size_t nchecks = sizeof(checks) / sizeof(*checks);
_Static_assert(sizeof(checks) / sizeof(*checks) <= CHECKS_MAX, "CHECKS_MAX");

void
check_limits_default(struct checking *c)
{
	for (size_t i = 0; i < nchecks; i++)
		c->limits[i] = checks[i].limits;
}

static const struct check *
find_limited(struct slice name)
{
	for (size_t i = 0; i < nchecks; i++) {
		if (checks[i].unit != CONF_STR && slice_is(name, checks[i].name))
			return &checks[i];
	}
	return NULL;
}

/* The names of those that have limits, for people. */
static const char *
limited_names(struct arena *a)
{
	const char *names = "";

	for (size_t i = 0; i < nchecks; i++) {
		if (checks[i].unit != CONF_STR)
			names =
			    arena_printf(a, "%s%s%s", names, names[0] != '\0' ? ", " : "", checks[i].name);
	}
	return names;
}

int
check_limits_parse(struct checking *c, const char *text, struct err *err)
{
	struct slice name = slice_of(text, strcspn(text, "="));
	const struct check *check = find_limited(name);
	const char *value = text + name.n, *comma = strchr(text, ',');
	struct conf_key key = { .name = "limit", .max = INT64_MAX };
	struct check_limits *limits;
	const char *wrong;

	if (check == NULL)
		return err_set(err, 400, "--limit: no check `%.*s` has limits; these have: %s", (int)name.n,
		    name.p, limited_names(c->arena));
	if (*value != '=' || comma == NULL)
		return err_set(err, 400, "--limit needs %s=WARNING,CRITICAL", check->name);
	limits = &c->limits[check - checks];
	key.type = check->unit;
	key.offset = offsetof(struct check_limits, warning);
	value = arena_slicedup(c->arena, slice_of(value + 1, (size_t)(comma - value) - 1));
	wrong = conf_set(c->arena, &key, value, limits);
	if (wrong == NULL) {
		key.offset = offsetof(struct check_limits, critical);
		value = comma + 1;
		wrong = conf_set(c->arena, &key, value, limits);
	}
	return wrong == NULL ? 0 : err_set(err, 400, "--limit %s: `%s` %s", check->name, value, wrong);
}

void
check_run(struct checking *c, const struct check *check)
{
	assert(check >= checks && check < checks + nchecks);
	c->limit = &c->limits[check - checks];
	check->run(c);
}

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

void
check_say_error(struct checking *c, enum check_state state, const struct err *err)
{
	check_say(c, state, "%s", err->detail[0] != '\0' ? err->detail : err->pub);
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
	if (c->who == CHECK_SERVICE)
		db_set_deadline(c->db, clock_us() + (int64_t)DATABASE_MS * US);
	health_look(c->db, c->arena, &c->health, &c->database);
	c->looked = true;
}

bool
check_requires_database(struct checking *c)
{
	check_look(c);
	if (c->database.status == 0 && c->health.schema == DB_SCHEMA_FITS)
		return true;
	check_say(c, CHECK_NONE, "requires the database");
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
		.db = db_new(s->database, TEST_MS),
		.say = print_finding,
		.arg = &start };

	db_prepare_late(c.db);
	for (size_t i = 0; i < nchecks && start.state != CHECK_CRITICAL; i++) {
		if (checks[i].who & who)
			check_run(&c, &checks[i]);
	}
	db_free(c.db);
	arena_free(c.arena);
	return start.state == CHECK_CRITICAL;
}
