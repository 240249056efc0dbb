#include "admin/delete.h"

#include <string.h>
#include <time.h>

#include "admin/output.h"
#include "base/clock.h"
#include "config/settings.h"
#include "crate/crate_name.h"
#include "crate/semver.h"
#include "store/package/protection.h"
#include "store/package/retention.h"
#include "store/package/version_delete.h"

static const struct option_def delete_options[] = {
	{ "dry-run", 0, NULL, false },
};

/* The time until which `berth undelete` brings back what is deleted now. */
static const char *
undelete_until(const struct invocation *in)
{
	char *moment;

	if (in->settings == NULL)
		return "the worker destroys it (deletion_grace)";
	moment = arena_alloc(in->arena, CLOCK_RFC3339_SIZE);
	clock_rfc3339(time(NULL) + in->settings->deletion_grace, moment);
	return moment;
}

void
delete_say(const struct invocation *in, const char *project, size_t n)
{
	output_note("%zu version%s deleted; `berth undelete %s CRATE@VERSION` brings one back until %s", n,
	    n == 1 ? "" : "s", project, undelete_until(in));
}

/* CRATE[@VERSION]; *version_base is NULL without a version. */
static int
parse_crate(struct arena *a, const char *word, const char **crate, const char **version_base,
    struct err *err)
{
	size_t n = strcspn(word, "@");
	struct slice name = slice_of(word, n);
	struct semver version;

	*version_base = NULL;
	if (crate_name_check(name, "crate", err) == -1)
		return -1;
	*crate = arena_slicedup(a, name);
	if (word[n] == '\0')
		return 0;
	if (semver_parse(slice_str(word + n + 1), &version, err) == -1)
		return -1;
	*version_base = semver_base(a, &version);
	return 0;
}

/* Those of the n versions that are deleted already, or are not, moved to the front. */
static size_t
only(struct version_named *v, size_t n, bool deleted)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		if (v[i].deleted == deleted)
			v[kept++] = v[i];
	}
	return kept;
}

static void
print(struct invocation *in, const struct version_named *v, size_t n)
{
	static const char *const keys[] = { "version_id", "size", "crate", "version" };
	enum { NKEYS = sizeof(keys) / sizeof(*keys) };
	struct output out = { in->arena, in->json, keys, NKEYS };
	struct cell *cells = arena_calloc(in->arena, n, NKEYS * sizeof(*cells));

	for (size_t i = 0; i < n; i++) {
		struct cell row[NKEYS] = { cell_int(v[i].version_id), cell_int(v[i].size),
			cell_str(v[i].crate), cell_str(v[i].version) };

		memcpy(&cells[i * NKEYS], row, sizeof(row));
	}
	output_table(&out, cells, n);
}

static int
change(struct invocation *in,
    int (*change_some)(struct db *, struct arena *, const struct version_change *, const int64_t *, size_t,
        struct err *),
    const struct version_named *v, size_t n)
{
	const struct version_change asked = {
		.actor = in->actor,
		.delete_level = PROTECTION_ADMIN,
		.limits = { TOKEN_ANY_OPERATION, NULL },
		.project_id = v[0].project_id,
	};
	int64_t *ids = arena_calloc(in->arena, n, sizeof(*ids));

	for (size_t i = 0; i < n; i++)
		ids[i] = v[i].version_id;
	if (change_some(in->db, in->arena, &asked, ids, n, &in->err) == -1)
		return -1;
	print(in, v, n);
	return 0;
}

/* The versions of the second argument that are deleted, or are not.  -1: 400, 404. */
static int
find(struct invocation *in, bool deleted, struct version_named **v, size_t *n)
{
	const char *crate, *version_base;

	if (parse_crate(in->arena, in->args[1], &crate, &version_base, &in->err) == -1 ||
	    version_find_named(in->db, in->arena, in->args[0], crate, version_base, v, n,
	        &in->err) == -1)
		return -1;
	*n = only(*v, *n, deleted);
	if (*n > 0)
		return 0;
	db_found_done(in->db);
	return err_set(&in->err, 404, "`%s` %s", in->args[1],
	    deleted ? "is not deleted" : "is already deleted");
}

static int
delete(struct invocation *in)
{
	bool dry_run = in->options.values[0] != NULL;
	struct version_named *v;
	size_t n;

	if (find(in, false, &v, &n) == -1)
		return -1;
	if (dry_run)
		print(in, v, n);
	else if (change(in, version_delete_some, v, n) == -1)
		return -1;
	if (!in->json && dry_run)
		output_note("dry run: nothing is deleted");
	else if (!in->json)
		delete_say(in, in->args[0], n);
	return 0;
}

/* How many of the n versions, all of one crate, does the policy delete? */
static int
count_unwanted(struct invocation *in, const struct retention *r, const struct version_named *v, size_t n,
    size_t *unwanted)
{
	int64_t after_crate = v[0].crate_id - 1;
	struct retention_item *items;
	size_t nitems;
	bool more;

	*unwanted = 0;
	if (retention_page(in->db, in->arena, r, &after_crate, &more, &items, &nitems, &in->err) == -1)
		return -1;
	for (size_t i = 0; i < nitems; i++)
		for (size_t k = 0; k < n; k++)
			*unwanted += items[i].version_id == v[k].version_id;
	return 0;
}

/* What is back may go again with the next run of the worker. */
static int
warn_of_retention(struct invocation *in, const struct version_named *v, size_t n)
{
	struct retention r;
	size_t unwanted = 0;

	if (retention_find(in->db, in->arena, in->args[0], &r, &in->err) == -1 ||
	    (r.enabled && count_unwanted(in, &r, v, n, &unwanted) == -1))
		return -1;
	if (unwanted > 0)
		output_note("the retention policy deletes %zu of %zu again; to keep what is back: "
		    "berth retention set %s exclude='%s%s%s', or enabled=off", unwanted, n, r.project, r.exclude,
		    r.exclude[0] != '\0' ? "," : "", v[0].crate);
	return 0;
}

static int
undelete(struct invocation *in)
{
	struct version_named *v;
	size_t n;

	if (find(in, true, &v, &n) == -1)
		return -1;
	if (change(in, version_undelete_some, v, n) == -1)
		return -1;
	/* the versions are back, also if nobody can say for how long */
	if (!in->json && warn_of_retention(in, v, n) == -1)
		err_clear(&in->err);
	return 0;
}

static const struct command delete_commands[] = {
	{ NULL, "GROUP/PROJECT CRATE[@VERSION] [--dry-run]",
	    "Deletes a version, or all versions of a crate, and lists them; with\n"
	    "--dry-run only lists them.  For some time, berth undelete can bring them\n"
	    "back.  Nobody can publish them again with other bytes.",
	    COMMAND_OPTIONS(delete_options), 2, 2, delete },
};

static const struct command undelete_commands[] = {
	{ NULL, "GROUP/PROJECT CRATE[@VERSION]",
	    "Brings back a deleted version, or all deleted versions of a crate, and lists\n"
	    "them.  Destroyed versions cannot come back.",
	    NULL, 0, 2, 2, undelete },
};

const struct noun admin_delete = { "delete", COMMAND_LIST(delete_commands) };
const struct noun admin_undelete = { "undelete", COMMAND_LIST(undelete_commands) };
