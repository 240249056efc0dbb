#include "store/package/retention.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "admin/command.h"
#include "admin/delete.h"
#include "admin/output.h"
#include "admin/provision/setting_error.h"
#include "base/buf.h"
#include "config/conf.h"
#include "crate/crate_name.h"
#include "store/package/protection.h"

enum { RUN_APPLY, RUN_DRY_RUN };

static const struct option_def run_options[] = {
	[RUN_APPLY] = { "apply", 0, NULL, false },
	[RUN_DRY_RUN] = { "dry-run", 0, NULL, false },
};

enum { EXCLUDE_MAX = 64 * 1024, DAYS_MAX = 36500, COUNT_MAX = 1000000 };

struct given {
	bool enabled;
	int64_t keep_prereleases, unused_days, keep_newest;
	const char *exclude;
};

#define MEMBER(key) .name = #key, .offset = offsetof(struct given, key)

static const struct conf_key keys[] = {
	{ MEMBER(enabled), .type = CONF_BOOL },
	{ MEMBER(keep_prereleases), .type = CONF_INT, .min = 0, .max = COUNT_MAX },
	{ MEMBER(unused_days), .type = CONF_INT, .min = 1, .max = DAYS_MAX },
	{ MEMBER(keep_newest), .type = CONF_INT, .min = 1, .max = COUNT_MAX },
	{ MEMBER(exclude), .type = CONF_STR },
};

enum { NKEYS = sizeof(keys) / sizeof(*keys) };

/* Patterns with commas, in normal form. */
static int
parse_exclude(struct arena *a, const char *list, const char **out, struct err *err)
{
	struct buf b;

	buf_init(&b, a, EXCLUDE_MAX);
	while (*list != '\0') {
		size_t n = strcspn(list, ",");
		const char *pattern = arena_slicedup(a, slice_of(list, n));

		if (protection_check_pattern(pattern, err) == -1)
			return -1;
		buf_printf(&b, "%s%s", b.n > 0 ? "," : "", crate_name_normalize(a, slice_str(pattern)));
		list += n + (list[n] == ',');
	}
	if (buf_full(&b))
		return err_set(err, 400, "exclude is longer than %d bytes", EXCLUDE_MAX);
	*out = buf_str(&b);
	return 0;
}

/* One KEY=VALUE; an empty value goes back to what is there without a policy. */
static int
parse_word(struct arena *a, const char *word, struct given *given, struct retention_change *change,
    struct err *err)
{
	size_t n = strcspn(word, "=");
	const struct conf_key *key = conf_find(keys, NKEYS, slice_of(word, n));
	const char *value = word[n] == '=' ? word + n + 1 : NULL;
	bool empty = value != NULL && value[0] == '\0';
	const char *wrong;

	if (key == NULL || value == NULL)
		return err_set(err, 400,
		    "`%s` must be KEY=VALUE; KEY is enabled, keep_prereleases, unused_days, "
		    "keep_newest or exclude", word);
	if (empty && strcmp(key->name, "exclude") != 0)
		value = strcmp(key->name, "enabled") == 0 ? "off" : "1";
	wrong = conf_set(a, key, value, given);
	if (wrong != NULL)
		return setting_error(key, value, wrong, err);
	if (strcmp(key->name, "enabled") == 0)
		change->enabled = &given->enabled;
	else if (strcmp(key->name, "keep_prereleases") == 0)
		change->keep_prereleases = empty ? RETENTION_ALL : given->keep_prereleases;
	else if (strcmp(key->name, "unused_days") == 0)
		change->unused_days = empty ? RETENTION_ALL : given->unused_days;
	else if (strcmp(key->name, "keep_newest") == 0)
		change->keep_newest = given->keep_newest;
	else
		return parse_exclude(a, given->exclude, &change->exclude, err);
	return 0;
}

static struct cell
cell_limit(int64_t n)
{
	return n == RETENTION_ALL ? cell_str(NULL) : cell_int(n);
}

static int
print_policy(struct invocation *in, void (*print)(const struct output *, const struct cell *),
    struct retention *r)
{
	static const char *const names[] = { "id", "project", "enabled", "keep_prereleases",
		"unused_days", "keep_newest", "exclude" };
	struct output out = { in->arena, in->json, names, sizeof(names) / sizeof(*names) };

	if (retention_find(in->db, in->arena, in->args[0], r, &in->err) == -1)
		return -1;
	print(&out, (struct cell[]) { cell_int(r->project_id), cell_str(r->project),
	    cell_bool(r->enabled), cell_limit(r->policy.keep_prereleases),
	    cell_limit(r->policy.unused_days), cell_int(r->policy.keep_newest),
	    cell_words(r->exclude) });
	return 0;
}

static int
set(struct invocation *in)
{
	struct retention_change change = { .keep_prereleases = INT64_MIN,
		.unused_days = INT64_MIN, .keep_newest = INT64_MIN };
	struct given given = { 0 };
	struct retention r;

	for (size_t i = 1; i < in->nargs; i++) {
		if (parse_word(in->arena, in->args[i], &given, &change, &in->err) == -1)
			return -1;
	}
	if (retention_set(in->db, in->arena, &in->actor, in->args[0], &change, &in->err) == -1 ||
	    print_policy(in, output_id, &r) == -1)
		return -1;
	if (!r.enabled && change.enabled == NULL && !in->json)
		output_note("the policy is not enabled: the worker applies it after `berth retention set %s "
		    "enabled=on`; `berth retention run %s` lists what it would delete", r.project, r.project);
	return 0;
}

static int
show(struct invocation *in)
{
	struct retention r;

	return print_policy(in, output_row, &r);
}

/* One run of the policy. */
struct running {
	struct retention policy;
	bool apply; /* --apply */
	int64_t after_crate;
	bool more;
	size_t widths[7];
	size_t listed; /* versions */
	size_t failed; /* crates */
};

/*
 * Holds one page in memory at a time.  Leaves out versions that were not deleted.  Returns how many it
 * prints.
 */
static size_t
print_items(const struct output_rows *rows, const struct retention_item *items, size_t n)
{
	const struct output *out = &rows->out;
	struct cell *cells = arena_calloc(out->arena, n, out->nkeys * sizeof(*cells));
	size_t nrows = 0;

	for (size_t i = 0; i < n; i++) {
		const struct retention_item *it = &items[i];
		struct cell row[] = { cell_int(it->version_id), cell_int(it->size),
			cell_time(it->published_at), cell_time(it->last_used_at),
			cell_str(retention_why_names[it->why]), cell_str(it->crate),
			cell_str(it->version) };

		if (it->why != RETENTION_KEEP)
			memcpy(&cells[nrows++ * out->nkeys], row, sizeof(row));
	}
	output_part(rows, cells, nrows);
	return nrows;
}

/*
 * Deletes the n versions.  If a crate fails, it says so, counts the crate and goes on with the next one.  -1:
 * the database is away.
 */
static int
apply(struct invocation *in, struct running *r, struct retention_item *items, size_t n)
{
	for (size_t i = 0, some; i < n; i += some) {
		if (retention_delete(in->db, &in->actor, &r->policy, &items[i], n - i, &some, &in->err) == 0)
			continue;
		if (db_fd(in->db) == -1) {
			for (i += some; i < n; i++)
				items[i].why = RETENTION_KEEP;
			return -1;
		}
		fprintf(stderr, "berth: crate `%s`: %s\n", items[i].crate,
		    in->err.detail[0] != '\0' ? in->err.detail : in->err.pub);
		++r->failed;
		err_clear(&in->err);
	}
	return 0;
}

static int
run_page(struct invocation *in, struct arena *a, struct running *r)
{
	static const char *const names[] = { "version_id", "size", "published_at",
		"last_downloaded_at", "why", "crate", "version" };
	const struct output_rows rows = { { a, in->json, names, sizeof(names) / sizeof(*names) }, r->widths };
	struct retention_item *items;
	size_t n;
	int rc = 0;

	if (retention_page(in->db, a, &r->policy, &r->after_crate, &r->more, &items, &n, &in->err) == -1)
		return -1;
	if (r->apply)
		rc = apply(in, r, items, n);
	r->listed += print_items(&rows, items, n);
	return rc;
}

/* Says what the list means, since a dry run prints the same one. */
static void
say_result(const struct invocation *in, const struct running *r)
{
	const char *project = r->policy.project, *plural = r->listed == 1 ? "" : "s";

	/* apply() has said which crates fail */
	if (in->json || (r->listed == 0 && r->failed > 0))
		return;
	if (r->listed == 0)
		output_note("the policy deletes no version now");
	else if (!r->apply)
		output_note("dry run: nothing is deleted; to delete the %zu version%s: berth retention run %s --apply",
		    r->listed, plural, project);
	else
		delete_say(in, project, r->listed);
}

static int
run(struct invocation *in)
{
	struct running r = { .apply = in->options.values[RUN_APPLY] != NULL, .more = true };
	struct arena *a = arena_new();
	int rc;

	if (r.apply && in->options.values[RUN_DRY_RUN] != NULL)
		rc = err_set(&in->err, 400, "give either --apply or --dry-run, not both");
	else
		rc = retention_find(in->db, in->arena, in->args[0], &r.policy, &in->err);
	if (rc == 0 && !r.policy.exists)
		rc = err_set(&in->err, 404, "project `%s` has no retention policy; set one with: berth retention set %s "
		    "KEY=VALUE ...", r.policy.project, r.policy.project);
	while (rc == 0 && r.more) {
		rc = run_page(in, a, &r);
		arena_reset(a);
	}
	arena_free(a);
	if (rc == 0)
		say_result(in, &r);
	if (rc == 0 && r.failed > 0)
		rc = err_set(&in->err, 409, "crates whose versions could not all be deleted: %zu", r.failed);
	return rc;
}

static const struct command commands[] = {
	{ "set", "GROUP/PROJECT KEY=VALUE ...",
	    "Changes the retention policy: keep_prereleases=N (keeps the N newest pre-releases\n"
	    "of each crate), unused_days=N (deletes versions without a download for N days),\n"
	    "keep_newest=N (keeps the N newest versions in any case), exclude=PATTERN,... (leaves\n"
	    "these crates alone), enabled=on|off (whether berth-worker applies the policy).  The\n"
	    "latest stable version always stays.",
	    NULL, 0, 2, COMMAND_ARGS_MAX, set },
	{ "show", "GROUP/PROJECT", "Shows the retention policy of the project.", NULL, 0, 1, 1, show },
	{ "run", "GROUP/PROJECT [--dry-run | --apply]",
	    "Lists what the policy would delete now, enabled or not; --dry-run is the default.\n"
	    "With --apply, deletes these versions and lists them.  With --json one object a line.",
	    COMMAND_OPTIONS(run_options), 1, 1, run },
};

const struct noun admin_retention = { "retention", COMMAND_LIST(commands) };
