#include "transfer/export.h"

#include <string.h>

#include "admin/command.h"
#include "admin/output.h"
#include "base/url.h"
#include "config/settings.h"
#include "store/group.h"
#include "store/project.h"

enum { URL };

static const struct option_def options[] = {
	[URL] = { "url", 0, "URL", true },
};

/* --url, without the slash that it may end in.  NULL: err. */
static const char *
read_url(struct invocation *in)
{
	const char *url = in->options.values[URL];
	size_t n = strlen(url);

	while (n > 0 && url[n - 1] == '/')
		n--;
	/* clients put the path of a crate behind it, and everybody can read it */
	if (url_is_web(slice_of(url, n)) && url_user(slice_of(url, n)).n == 0 && strpbrk(url, "?#") == NULL)
		return arena_strndup(in->arena, url, n);
	err_set(&in->err, 400, "--url %s: must be the http:// or https:// address of DIR on your web server, "
	    "without a password or a query", url_shown(in->arena, url));
	return NULL;
}

/* No project has the path of a group. */
static int
find(struct invocation *in, struct export *export)
{
	struct project *project;

	if (group_find(in->db, in->arena, in->args[0], &export->group_id, &in->err) == -1)
		return -1;
	if (export->group_id != 0)
		return 0;
	if (strchr(in->args[0], '/') == NULL)
		return err_set(&in->err, 404, "group `%s` does not exist", in->args[0]);
	if (project_find(in->db, in->arena, in->args[0], &project, &in->err) == -1)
		return -1;
	export->project_id = project->id;
	return 0;
}

static int
run(struct invocation *in)
{
	static const char *const keys[] = { "crates", "versions", "copied", "removed", "index" };
	struct output out = { in->arena, in->json, keys, sizeof(keys) / sizeof(*keys) };
	struct export export = { .db = in->db, .dir = in->args[1], .url = read_url(in) };

	if (export.url == NULL)
		return -1;
	export.store = in->settings->blobs;
	export.external_url = in->settings->external_url;
	if (find(in, &export) == -1)
		return -1;
	in->understood = true;
	if (export_run(&export, in->arena, &in->err) == -1)
		return -1;
	output_row(&out, (struct cell[]) { cell_int((int64_t)export.crates),
	    cell_int((int64_t)export.versions), cell_int((int64_t)export.copied), cell_int((int64_t)export.removed),
	    cell_str(arena_printf(in->arena, "sparse+%s/index/", export.url)) });
	return 0;
}

static const struct command commands[] = {
	{ NULL, "GROUP[/PROJECT] DIR --url URL",
	    "Writes all crates of a project, or of the registry of a group, to DIR, as a static registry\n"
	    "that any web server can send: DIR/index is a sparse index, and DIR/crates has the crates.\n"
	    "--url: the address that your web server has for DIR.  Run it again to bring DIR up to date;\n"
	    "clients see the old index or the new one.",
	    COMMAND_OPTIONS(options), 2, 2, run },
};

const struct noun admin_export = { "export", COMMAND_LIST(commands), .named = true };
