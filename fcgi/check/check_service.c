#include "check/check.h"

#include <string.h>

enum {
	MINUTE_S = 60,
	FIVE_MINUTES_S = 5 * MINUTE_S,
	QUARTER_S = 15 * MINUTE_S,
	HOUR_S = 60 * MINUTE_S,
	DAY_S = 24 * HOUR_S,
	WEEK_S = 7 * DAY_S,
	TWO_WEEKS_S = 2 * WEEK_S,
	THREE_WEEKS_S = 3 * WEEK_S
};

#define GIB ((int64_t)1 << 30)

/* Not beside the others: a program that makes only those needs no libcurl. */
static const struct check service_checks[] = {
	/* first, before the lock stops the others */
	{ "locks", CHECK_SERVICE, CONF_SECONDS, { 1, 0 }, check_locks },
	{ "rights", CHECK_SERVICE, CONF_STR, { 0, 0 }, check_rights },
	{ "versions", CHECK_SERVICE, CONF_STR, { 0, 0 }, check_versions },
	{ "writes", CHECK_SERVICE, CONF_STR, { 0, 0 }, check_writes },
	{ "clock", CHECK_SERVICE, CONF_SECONDS, { 5, MINUTE_S }, check_clock },
	{ "collection", CHECK_SERVICE, CONF_STR, { 0, 0 }, check_collection },
	{ "fsck", CHECK_SERVICE, CONF_SECONDS, { TWO_WEEKS_S, 0 }, check_fsck },
	{ "disk", CHECK_SERVICE, CONF_SIZE, { 10 * GIB, GIB }, check_disk },
	{ "worker", CHECK_SERVICE, CONF_SECONDS, { 90, FIVE_MINUTES_S }, check_worker },
	{ "tasks", CHECK_SERVICE, CONF_SECONDS, { QUARTER_S, HOUR_S }, check_tasks },
	{ "search", CHECK_SERVICE, CONF_SECONDS, { MINUTE_S, QUARTER_S }, check_search },
	{ "issuers", CHECK_SERVICE, CONF_SECONDS, { DAY_S, 0 }, check_issuers },
	{ "pool", CHECK_SERVICE, CONF_STR, { 0, 0 }, check_pool },
	{ "certificate", CHECK_SERVICE, CONF_SECONDS, { THREE_WEEKS_S, WEEK_S }, check_certificate },
	{ "nginx", CHECK_SERVICE, CONF_STR, { 0, 0 }, check_nginx },
};

const struct check_list check_service_list = { service_checks,
	sizeof(service_checks) / sizeof(*service_checks) };
_Static_assert(sizeof(service_checks) / sizeof(*service_checks) <= CHECKS_MAX, "CHECKS_MAX");

void
check_limits_default(struct checking *c)
{
	for (size_t i = 0; i < check_service_list.n; i++)
		c->limits[i] = service_checks[i].limits;
}

static const struct check *
find_limited(struct slice name)
{
	for (size_t i = 0; i < check_service_list.n; i++) {
		if (service_checks[i].unit != CONF_STR && slice_is(name, service_checks[i].name))
			return &service_checks[i];
	}
	return NULL;
}

/* The names of those that have limits, for people. */
static const char *
limited_names(struct arena *a)
{
	const char *names = "";

	for (size_t i = 0; i < check_service_list.n; i++) {
		if (service_checks[i].unit != CONF_STR)
			names = arena_printf(
			    a, "%s%s%s", names, names[0] != '\0' ? ", " : "", service_checks[i].name);
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
	limits = &c->limits[check - service_checks];
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
	c->limit = check->unit == CONF_STR ? &check->limits : &c->limits[check - service_checks];
	check->run(c);
}
