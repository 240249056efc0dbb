#include <stdio.h>
#include <stdlib.h>

#include "admin/command.h"
#include "admin/output.h"
#include "config/settings.h"

static const char *const columns[] = { "key", "value", "source" };

enum { NCOLUMNS = sizeof(columns) / sizeof(*columns) };

/* What is shown of the value. */
static const char *
shown(struct arena *a, const struct conf_key *key, const struct settings *s)
{
	char *text = NULL;
	const char *copy;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	if (f == NULL)
		abort();
	conf_print_value(f, key, s, db_print_conninfo);
	if (fclose(f) == EOF)
		abort();
	copy = arena_strdup(a, text);
	free(text);
	return copy;
}

static void
put_row(const struct invocation *in, const struct conf_key *key, struct cell *row)
{
	row[0] = cell_str(key->name);
	row[1] = cell_str(shown(in->arena, key, in->settings));
	row[2] = cell_str(in->settings->origins[key - settings_keys]);
}

static int
show_all(const struct invocation *in, const struct output *out)
{
	struct cell *cells;
	size_t n = 0;

	if (!in->json) {
		conf_print(stdout, settings_keys, settings_nkeys, in->settings, in->settings->origins,
		    db_print_conninfo);
		return 0;
	}
	cells = arena_calloc(in->arena, settings_nkeys, NCOLUMNS * sizeof(*cells));
	for (size_t i = 0; i < settings_nkeys; i++) {
		if (settings_keys[i].renamed == NULL)
			put_row(in, &settings_keys[i], &cells[NCOLUMNS * n++]);
	}
	output_table(out, cells, n);
	return 0;
}

static int
show_one(struct invocation *in, const struct output *out, const char *name)
{
	const struct conf_key *key = conf_find(settings_keys, settings_nkeys, slice_str(name));
	struct cell row[NCOLUMNS];

	if (key == NULL)
		return err_set(&in->err, 400, "unknown key `%s`", name);
	if (key->renamed != NULL)
		return err_set(&in->err, 400, "the key `%s` was replaced by `%s`", name, key->renamed);
	put_row(in, key, row);
	if (in->json)
		output_row(out, row);
	else
		printf("%s\n", row[1].str);
	return 0;
}

static int
show(struct invocation *in)
{
	const struct output out = { in->arena, in->json, columns, NCOLUMNS };

	return in->nargs == 0 ? show_all(in, &out) : show_one(in, &out, in->args[0]);
}

static const struct command commands[] = {
	{ "show", "[KEY]",
	    "Prints the configuration that is in effect, and before each value that is not a\n"
	    "default where it is from; or the value of KEY alone.  It masks secrets.",
	    NULL, 0, 0, 1, show },
};

const struct noun admin_config = { "config", COMMAND_LIST(commands), .named = true };
