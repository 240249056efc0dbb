#include "transfer/import.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "admin/command.h"
#include "admin/number.h"
#include "admin/output.h"
#include "config/settings.h"
#include "crate/registry_url.h"
#include "store/blob/store_identity.h"
#include "store/project.h"

enum { LEGACY, DRY_RUN, INTO, PROCESSES, REGISTRY_URL, CRATES = REGISTRY_URL, NOPTIONS };

#define COMMON \
	[LEGACY] = { "accept-legacy", 0, NULL, false }, \
	[DRY_RUN] = { "dry-run", 0, NULL, false }, \
	[INTO] = { "into", 0, "GROUP/PROJECT", true }, \
	[PROCESSES] = { "processes", 0, "N", false }

static const struct option_def directory_options[NOPTIONS] = {
	COMMON,
	[REGISTRY_URL] = { "registry-url", 0, "URL", false },
};

static const struct option_def index_options[NOPTIONS] = {
	COMMON,
	[CRATES] = { "crates", 0, "DIR", true },
};

static const char *const keys[] = { "result", "crate", "version", "reason" };

enum { NKEYS = sizeof(keys) / sizeof(*keys) };

/* What is printed while it goes on. */
struct printing {
	struct arena *arena;
	bool json;
	size_t widths[NKEYS];
};

static void
say(void *arg, const struct import_report *report)
{
	struct printing *p = arg;
	struct output out = { p->arena, p->json, keys, NKEYS };
	const struct cell row[NKEYS] = { cell_str(import_result_names[report->result]),
		cell_str(report->crate), cell_str(report->version), cell_str(report->why) };

	if (p->json)
		output_row(&out, row);
	else
		output_table_part(&out, row, 1, p->widths);
	arena_reset(p->arena);
}

/* The project, its policy, and whether this store is the database's. */
static int
read_project(struct invocation *in, struct import_job *job)
{
	struct publish_policy *policy = arena_alloc(in->arena, sizeof(*policy));
	const char *path = in->options.values[INTO];
	struct store_identity identity = { 0 };
	struct project_setting *own;
	struct project *project;
	size_t n;

	if (in->settings == NULL)
		return err_set(&in->err, 400, "-c FILE is missing: the configuration names the store");
	if (project_find(in->db, in->arena, path, &project, &in->err) == -1 ||
	    project_policy(in->db, in->arena, path, &own, &n, &in->err) == -1 ||
	    publish_policy_merge(in->arena, in->settings, project->id, own, n, policy, &in->err) == -1 ||
	    store_identity_check(in->db, in->arena, &identity, in->settings->blobs, false, &in->err) == -1)
		return -1;
	job->project_id = project->id;
	job->policy = policy;
	return 0;
}

/* --processes; without it twice as many as there are processors, since each waits for the disk. */
static int
read_processes(struct invocation *in, size_t *processes)
{
	const char *text = in->options.values[PROCESSES];
	int64_t n = 2 * sysconf(_SC_NPROCESSORS_ONLN);

	if (text != NULL && number_parse(text, "number of processes", &n, &in->err) == -1)
		return -1;
	if (text != NULL && (n < 1 || n > IMPORT_PROCESSES_MAX))
		return err_set(&in->err, 400, "--processes %s: must be 1 to %d", text, IMPORT_PROCESSES_MAX);
	*processes = (size_t)(n > IMPORT_PROCESSES_MAX ? IMPORT_PROCESSES_MAX : n);
	return 0;
}

/* Tells which dependencies are not there. */
static int
say_unresolved(struct invocation *in, int64_t project_id, size_t *n)
{
	struct strings names;

	if (inventory_unresolved(in->db, in->arena, project_id, &names, &in->err) == -1)
		return -1;
	*n = names.n;
	for (size_t i = 0; i < names.n && !in->json; i++)
		fprintf(stderr, "berth: warning: crates of the project depend on `%s`, which is not there\n",
		    names.v[i]);
	return 0;
}

static int
print_summary(struct invocation *in, const struct import *import)
{
	const char *summary_keys[IMPORT__MAX + 1] = { [IMPORT__MAX] = "unresolved" };
	struct output out = { in->arena, in->json, summary_keys, IMPORT__MAX + 1 };
	struct cell row[IMPORT__MAX + 1];
	size_t unresolved, bad;

	if (say_unresolved(in, import->job->project_id, &unresolved) == -1)
		return -1;
	for (size_t i = 0; i < IMPORT__MAX; i++) {
		summary_keys[i] = import_result_names[i];
		row[i] = cell_int((int64_t)import->counts[i]);
	}
	row[IMPORT__MAX] = cell_int((int64_t)unresolved);
	output_row(&out, row);
	bad = import->counts[IMPORT_REFUSED] + import->counts[IMPORT_DIFFERS] +
	    import->counts[IMPORT_MISSING];
	return bad == 0 ? 0 :
	    err_set(&in->err, 409, "%zu of %zu versions are not imported", bad, import->source->nversions);
}

static int
run(struct invocation *in, const struct import_source *source, const char *registry_url)
{
	struct import_job job = {
		.conninfo = in->conninfo,
		.actor = in->actor,
		.from = in->args[0],
		.registry_url = registry_url,
		.accept_legacy = in->options.values[LEGACY] != NULL,
		.dry_run = in->options.values[DRY_RUN] != NULL,
		.settings = in->settings,
	};
	struct printing printing = { .arena = arena_new(), .json = in->json };
	struct import import = { .job = &job, .source = source, .wait_us = in->wait_us, .say = say,
		.arg = &printing };
	int rc;

	rc = read_project(in, &job) == -1 || read_processes(in, &import.processes) == -1 ? -1 : 0;
	if (rc == 0) {
		job.timeout_ms = in->settings->database_timeout * 1000;
		rc = import_run(&import, in->arena, &in->err);
	}
	arena_free(printing.arena);
	return rc == -1 ? -1 : print_summary(in, &import);
}

static int
directory(struct invocation *in)
{
	const char *url = in->options.values[REGISTRY_URL];
	struct import_source source;

	if (url != NULL && strcmp(url, "crates-io") == 0)
		url = REGISTRY_PUBLIC_URL;
	return import_source_directory(in->arena, in->args[0], &source, &in->err) == -1 ? -1 :
	    run(in, &source, url);
}

static int
from_index(struct invocation *in)
{
	struct import_source files, source;

	return import_source_directory(in->arena, in->options.values[CRATES], &files, &in->err) == -1 ||
	    import_source_index(in->arena, in->args[0], &files, &source, &in->err) == -1 ? -1 :
	    run(in, &source, NULL);
}

static const struct command commands[] = {
	{ "directory", "DIR --into GROUP/PROJECT [--registry-url URL] [--accept-legacy] [--dry-run]"
	    " [--processes N]",
	    "Imports all files NAME-VERSION.crate in DIR and below it.  --registry-url: the index URL of\n"
	    "the registry that the crates come from, or crates-io.  Dependencies on crates of that registry\n"
	    "become dependencies on crates of the project.",
	    COMMAND_OPTIONS(directory_options), 1, 1, directory },
	{ "index", "DIR --crates DIR --into GROUP/PROJECT [--accept-legacy] [--dry-run] [--processes N]",
	    "Imports the versions of an index: the work tree of a git index, or the files of a sparse one.\n"
	    "--crates: the directory with their crates, as for `import directory`.  The index also says\n"
	    "which versions are yanked, when they were published, and which dependencies are in the same\n"
	    "registry.",
	    COMMAND_OPTIONS(index_options), 1, 1, from_index },
};

const struct noun admin_import = { "import", COMMAND_LIST(commands) };
