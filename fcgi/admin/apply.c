#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "admin/command.h"
#include "admin/output.h"
#include "admin/provision/quota_words.h"
#include "admin/provision/wishes.h"
#include "admin/provision/wishes_doubts.h"
#include "base/buf.h"
#include "store/registry_lock.h"

enum { APPLY_DRY_RUN, APPLY_FORCE };

static const struct option_def options[] = {
	[APPLY_DRY_RUN] = { "dry-run", 0, NULL, false },
	[APPLY_FORCE] = { "force", 0, NULL, false },
};

enum { FILE_MAX = 4 << 20 };

static const char *const keys[] = { "action", "kind", "name", "key", "from", "to" };

enum { NKEYS = sizeof(keys) / sizeof(*keys) };

struct apply {
	struct provision provision;
	struct wishes wishes;
	bool dry_run;
	bool done; /* all of it, if only to be rolled back */
	struct cell *lines; /* what happened, NKEYS cells each */
	size_t nlines, room;
	size_t ncreated;
	const char *doubts; /* what may be a mistake: lines */
};

static void
add_line(struct apply *a, const struct cell line[NKEYS])
{
	a->lines = arena_grow(a->provision.arena, a->lines, a->nlines, &a->room, NKEYS * sizeof(*line));
	memcpy(&a->lines[a->nlines++ * NKEYS], line, NKEYS * sizeof(*line));
}

static void
note_creation(struct apply *a, const struct provision_thing *thing)
{
	const struct cell line[NKEYS] = { cell_str("create"), cell_str(provision_kind_names[thing->kind]),
		cell_str(provision_names(a->provision.arena, thing)), cell_str(NULL), cell_str(NULL), cell_str(NULL) };

	a->ncreated++;
	add_line(a, line);
}

/* One line for each value that differs.  Returns whether one does. */
static bool
note_changes(struct apply *a, const struct provision_thing *wanted,
    const struct provision_thing *current)
{
	size_t before = a->nlines;
	struct provision_key key;

	for (size_t i = 0; (key = provision_value_key(wanted->kind, i)).name != NULL; i++) {
		const struct cell line[NKEYS] = { cell_str("change"),
			cell_str(provision_kind_names[wanted->kind]),
			cell_str(provision_names(a->provision.arena, wanted)), cell_str(key.name),
			cell_str(current->values[i]), cell_str(wanted->values[i]) };

		if (provision_differs(wanted, current, i))
			add_line(a, line);
	}
	return a->nlines > before;
}

static int
fulfil(struct apply *a, struct provision_thing *thing, struct err *err)
{
	const struct provision *p = &a->provision;
	struct provision_thing current;
	bool found;

	if (provision_check(p, thing, err) == -1 || provision_find(p, thing, &current, &found, err) == -1)
		return -1;
	if (found)
		return note_changes(a, thing, &current) ? provision_change(p, thing, &current, err) : 0;
	note_creation(a, thing);
	return provision_create(p, thing, err);
}

/* Those who remain count at the end alone: the file may name first who goes, and then who comes. */
static int
fulfil_all(struct apply *a, struct err *err)
{
	const struct wishes *wishes = &a->wishes;
	bool *took_last = arena_calloc(a->provision.arena, wishes->n + 1, sizeof(*took_last));

	for (size_t i = 0; i < wishes->n; i++) {
		/* a copy: the transaction may run again */
		struct provision_thing thing = wishes->all[i].thing;

		a->provision.took_last = &took_last[i];
		if (fulfil(a, &thing, err) == -1)
			return wishes_blame_wish(a->provision.arena, wishes, &wishes->all[i], err);
	}
	for (size_t i = 0; i < wishes->n; i++) {
		if (took_last[i] && provision_check_last(&a->provision, &wishes->all[i].thing, err) == -1)
			return wishes_blame_wish(a->provision.arena, wishes, &wishes->all[i], err);
	}
	return 0;
}

/* Everything or nothing; a second one waits until this one has ended. */
static int
body(struct db *db, void *arg, struct err *err)
{
	struct apply *a = arg;

	a->nlines = a->ncreated = 0;
	if (registry_lock(db, a->provision.arena, err) == -1 || fulfil_all(a, err) == -1)
		return -1;
	if (wishes_doubts(&a->provision, &a->wishes, &a->doubts, err) == -1)
		return -1;
	a->done = true;
	return a->dry_run ? -1 : 0;
}

static int
read_stream(struct invocation *in, FILE *f, const char *path, struct slice *text)
{
	char piece[8192];
	struct buf b;
	size_t n;

	buf_init(&b, in->arena, FILE_MAX);
	while (!buf_full(&b) && (n = fread(piece, 1, sizeof(piece), f)) > 0)
		buf_put(&b, piece, n);
	*text = buf_slice(&b);
	if (ferror(f))
		return err_sys(&in->err, "%s", path);
	if (buf_full(&b))
		return err_set(&in->err, 409, "%s is longer than %d bytes", path, FILE_MAX);
	return 0;
}

static int
read_file(struct invocation *in, const char *path, struct slice *text)
{
	FILE *f;
	int rc;

	if (strcmp(path, "-") == 0)
		return read_stream(in, stdin, "standard input", text);
	f = fopen(path, "re");
	if (f == NULL)
		return err_sys(&in->err, "%s", path);
	rc = read_stream(in, f, path, text);
	fclose(f);
	return rc;
}

static const char *
shown(struct arena *a, const char *key, const struct cell *c)
{
	if (c->str == NULL || c->str[0] == '\0')
		return "-";
	return strcmp(key, quota_keys[QUOTA_BYTES]) == 0 ? quota_words_size(a, c->str) : c->str;
}

static void
print(const struct invocation *in, const struct apply *a)
{
	const char *end = a->dry_run ? " (dry run: the registry is unchanged)" : "";

	if (in->json) {
		output_table(&(struct output) { in->arena, true, keys, NKEYS }, a->lines, a->nlines);
		return;
	}
	for (size_t i = 0; i < a->nlines; i++) {
		const struct cell *c = &a->lines[i * NKEYS];

		printf("%s %s %s", c[0].str, c[1].str, c[2].str);
		if (c[3].str != NULL)
			printf(" %s %s -> %s", c[3].str, shown(in->arena, c[3].str, &c[4]),
			    shown(in->arena, c[3].str, &c[5]));
		putchar('\n');
	}
	if (a->nlines == 0)
		printf("nothing to change%s\n", end);
	else
		printf("%zu created, %zu changed%s\n", a->ncreated, a->nlines - a->ncreated, end);
}

static int
apply(struct invocation *in)
{
	const char *const *given = in->options.values;
	struct apply a = { .provision = command_provision(in, given[APPLY_FORCE] != NULL),
		.wishes.file = strcmp(in->args[0], "-") == 0 ? "standard input" : in->args[0],
		.dry_run = given[APPLY_DRY_RUN] != NULL };
	struct slice text = slice_of("", 0);
	bool unknown;

	if (read_file(in, in->args[0], &text) == -1 ||
	    wishes_read(in->arena, text, &a.wishes, &in->err) == -1)
		return -1;
	if (db_transaction(in->db, body, &a, &unknown, &in->err) == -1 && !(a.dry_run && a.done))
		return -1;
	fputs(a.doubts, stderr);
	print(in, &a);
	return 0;
}

static const struct command commands[] = {
	{ NULL, "FILE [--dry-run] [--force]",
	    "Creates the users, groups, issuers, projects, members, allow-lists, protection rules\n"
	    "and trust rules that the TOML file describes, and changes those that differ; - is\n"
	    "standard input.  All of it happens, or nothing.  Prints a line for each change.\n"
	    "--dry-run: prints the changes, and makes none.  --force: also takes the rights of\n"
	    "the last administrator, and the role of a last owner.",
	    COMMAND_OPTIONS(options), 1, 1, apply },
};

const struct noun admin_apply = { "apply", COMMAND_LIST(commands) };
