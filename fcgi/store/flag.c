#include "store/flag.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/sha256.h"

enum { ALL = 100, NAMES_MAX = 1024 };

const struct flag_kind flag_kinds[FLAG__MAX] = {
	[FLAG_NONE] = { .name = "", .on = true },
	[FLAG_CARGO] = { "package_registry_cargo_support", true, false, FLAG_NONE,
	    "all that cargo uses" },
	[FLAG_SEARCH] = { "search", true, false, FLAG_CARGO, "cargo search" },
	[FLAG_OWNERS] = { "owners", true, false, FLAG_CARGO, "cargo owner" },
	[FLAG_PACKAGES_API] = { "packages_api", true, false, FLAG_NONE,
	    "packages in the management API" },
	[FLAG_SETTINGS_API] = { "settings_api", true, false, FLAG_NONE,
	    "members, deploy tokens, rules and allow-list in the management API" },
	[FLAG_TOKENS_API] = { "tokens_api", true, true, FLAG_NONE,
	    "personal access tokens in the management API" },
	[FLAG_TRUSTED_PUBLISHING] = { "trusted_publishing", true, false, FLAG_CARGO,
	    "identity tokens of CI systems" },
	[FLAG_TOKEN_PAGE] = { "token_page", true, true, FLAG_NONE,
	    "the page where users create and revoke their own tokens" },
	[FLAG_WEB_PAGES] = { "web_pages", true, true, FLAG_NONE,
	    "the pages where people read about crates" },
	[FLAG_WRITES] = { "writes", true, true, FLAG_NONE,
	    "publishes and all other changes by requests; off: the registry is read-only for maintenance" },
};

/*
 * What the rows say of this flag: of the project, or else of all; -1: nothing.  The names are
 * ours, separated by spaces.
 */
static int
stored_percentage(const char *name, const char *rows)
{
	size_t n = strlen(name);
	int found = -1;

	while (rows != NULL && *rows != '\0') {
		size_t length = strcspn(rows, " ");

		if (length > n + 1 && memcmp(rows, name, n) == 0 &&
		    (rows[n] == ':' || (rows[n] == '=' && found == -1))) {
			found = 0;
			for (const char *p = rows + n + 1; *p >= '0' && *p <= '9' && found <= ALL; p++)
				found = 10 * found + (*p - '0');
			if (rows[n] == ':')
				return found;
		}
		rows += length + (rows[length] == ' ');
	}
	return found;
}

/* 0 to 99, the same for ever, and for each flag another one. */
static int
namespace_of(const char *name, int64_t project_id)
{
	unsigned char digest[SHA256_SIZE];
	uint32_t n = 0;
	char text[128];

	snprintf(text, sizeof(text), "%s:%" PRId64, name, project_id);
	if (!sha256_digest(text, strlen(text), digest))
		return ALL; /* in no percentage: off is the safe side */
	for (size_t i = 0; i < sizeof(n); i++)
		n = n << 8 | digest[i];
	return (int)(n % ALL);
}

bool
flag_is_on(enum flag flag, const char *rows, int64_t project_id)
{
	const struct flag_kind *kind = &flag_kinds[flag];
	int percentage;

	if (flag == FLAG_NONE)
		return true;
	if (!flag_is_on(kind->needs, rows, project_id))
		return false;
	percentage = stored_percentage(kind->name, rows);
	if (percentage == -1)
		return kind->on;
	/* what is in no project is there as soon as it is for some */
	if (percentage == 0 || percentage == ALL || project_id == 0)
		return percentage > 0;
	return namespace_of(kind->name, project_id) < percentage;
}

int
flag_ask(struct db *db, struct arena *a, enum flag flag, bool *on, struct err *err)
{
	enum { COLUMNS_FLAG_ROWS };
	struct db_result r;

	if (db_exec(db, a, STMT_FLAG_ROWS, NULL, &r, err) == -1)
		return -1;
	*on = flag_is_on(flag, db_str(&r, 0, FLAGS), 0);
	return 0;
}

int
flag_find(const char *name, enum flag *flag, struct err *err)
{
	char names[NAMES_MAX] = "";

	for (int i = FLAG_NONE + 1; i < FLAG__MAX; i++) {
		size_t n = strlen(names);

		if (strcmp(flag_kinds[i].name, name) == 0) {
			*flag = (enum flag)i;
			return 0;
		}
		snprintf(names + n, sizeof(names) - n, "%s%s", n > 0 ? ", " : "",
		    flag_kinds[i].name);
	}
	return err_set(err, 400, "there is no flag `%s`; there are %s", name, names);
}

int
flag_parse_percentage(const char *text, int *percentage, struct err *err)
{
	size_t n = strspn(text, "0123456789");
	int value = 0;

	if (strcmp(text, "on") == 0 || strcmp(text, "off") == 0) {
		*percentage = text[1] == 'n' ? ALL : 0;
		return 0;
	}
	for (size_t i = 0; i < n && value <= ALL; i++)
		value = 10 * value + (text[i] - '0');
	if (n == 0 || value > ALL || strcmp(text + n, "%") != 0)
		return err_set(err, 400, "a flag is on, off or a percentage (0%% to 100%%), not `%s`",
		    text);
	*percentage = value;
	return 0;
}

/* The id of the project; 0 without one. */
static int
find_project(struct db *db, struct arena *a, const char *project, int64_t *id, struct err *err)
{
	enum { COLUMNS_FLAG_PROJECT };
	struct db_params p = { .n = 0 };
	struct db_result r;

	*id = 0;
	if (project == NULL)
		return 0;
	db_bind_str(&p, project);
	if (db_exec(db, a, STMT_FLAG_PROJECT, &p, &r, err) == -1)
		return -1;
	if (r.rows == 0)
		return err_set(err, 404, "project `%s` does not exist", project);
	*id = db_int(&r, 0, ID);
	return 0;
}

int
flag_set(struct db *db, struct arena *a, const struct audit_actor *actor, enum flag flag,
    int percentage, const char *project, struct err *err)
{
	const struct flag_kind *kind = &flag_kinds[flag];
	const char *value = percentage == 0 ? "off"
	    : percentage == ALL		    ? "on"
					    : arena_printf(a, "%d%%", percentage);
	struct audit_event event = { .action = AUDIT_FLAG_SET, .id_key = "flag_id",
		.facts = { { "flag", kind->name, false }, { "value", value, false } } };
	struct db_call call = { .stmt = project == NULL ? STMT_FLAG_SET : STMT_FLAG_SET_PROJECT };
	bool some = percentage != 0 && percentage != ALL;

	if (kind->server && (some || project != NULL))
		return err_set(err, 400, "%s is the same for all projects; set it to on or off, "
		    "without --project", kind->name);
	if (some && project != NULL)
		return err_set(err, 400, "set the flag of one project to on or off, not to a "
		    "percentage");
	if (find_project(db, a, project, &event.project_id, err) == -1)
		return -1;
	db_bind_str(&call.params, kind->name);
	db_bind_int(&call.params, percentage);
	if (project != NULL)
		db_bind_int(&call.params, event.project_id);
	return audit_change(db, a, actor, &call, &event, err);
}

int
flag_unset(struct db *db, struct arena *a, const struct audit_actor *actor, enum flag flag,
    const char *project, struct err *err)
{
	struct audit_event event = { .action = AUDIT_FLAG_UNSET, .id_key = "flag_id",
		.facts = { { "flag", flag_kinds[flag].name, false } } };
	struct db_call call = { .stmt = STMT_FLAG_UNSET };

	if (find_project(db, a, project, &event.project_id, err) == -1)
		return -1;
	db_bind_str(&call.params, flag_kinds[flag].name);
	db_bind_id(&call.params, event.project_id);
	return audit_change(db, a, actor, &call, &event, err);
}

int
flag_list(struct db *db, struct arena *a, struct flag_row **out, size_t *n, struct err *err)
{
	enum { COLUMNS_FLAG_LIST };
	struct db_result r;

	if (db_exec(db, a, STMT_FLAG_LIST, NULL, &r, err) == -1)
		return -1;
	*n = (size_t)r.rows;
	*out = arena_calloc(a, *n, sizeof(**out));
	for (int i = 0; i < r.rows; i++)
		(*out)[i] = (struct flag_row) { db_str(&r, i, NAME), (int)db_int(&r, i, PERCENTAGE),
			db_str(&r, i, PROJECT), db_int(&r, i, CHANGED_AT) };
	return 0;
}
