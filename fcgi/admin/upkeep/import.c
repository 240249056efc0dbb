#include "transfer/import.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/command.h"
#include "admin/number.h"
#include "admin/output.h"
#include "config/settings.h"
#include "crate/registry_url.h"
#include "store/blob/store_identity.h"
#include "store/project.h"
#include "transfer/import_files.h"
#include "transfer/import_gitea.h"
#include "transfer/import_kellnr.h"
#include "transfer/import_lock.h"

enum { LEGACY, DRY_RUN, INTO, PROCESSES, LOCK, REGISTRY_URL, SECOND_URL, CRATES, TOKEN_FILE, LIST, NOPTIONS };

enum { GITEA_TOKEN_FILE = REGISTRY_URL };

enum { TOKEN_FILE_MAX = 16 * 1024, CONFIG_FILE_MAX = 256 * 1024 };

/* The token for another registry, unless --token-file is given. */
static const char token_variable[] = "BERTH_IMPORT_TOKEN";

#define COMMON \
	[LEGACY] = { "accept-legacy", 0, NULL, false }, \
	[DRY_RUN] = { "dry-run", 0, NULL, false }, \
	[INTO] = { "into", 0, "GROUP/PROJECT", true }, \
	[PROCESSES] = { "processes", 0, "N", false }, \
	[LOCK] = { "lock", 0, "FILE", false }

/* A registry can have a git index and a sparse one, and crates that name either. */
#define REGISTRY_URLS \
	[REGISTRY_URL] = { "registry-url", 0, "URL", false }, \
	[SECOND_URL] = { "registry-url", 0, "URL", false }

static const struct option_def directory_options[] = {
	COMMON,
	REGISTRY_URLS,
};

static const struct option_def index_options[NOPTIONS] = {
	COMMON,
	REGISTRY_URLS,
	[CRATES] = { "crates", 0, "DIR", false },
	[TOKEN_FILE] = { "token-file", 0, "FILE", false },
	[LIST] = { "list", 0, "FILE", false },
};

static const struct option_def gitea_options[] = {
	COMMON,
	[GITEA_TOKEN_FILE] = { "token-file", 0, "FILE", false },
};

static const struct option_def kellnr_options[] = {
	COMMON,
	REGISTRY_URLS,
	[CRATES] = { "crates", 0, "DIR", false },
};

static const struct option_def mirror_options[] = { COMMON };

static const char *const keys[] = { "result", "crate", "version", "reason" };

enum { NKEYS = sizeof(keys) / sizeof(*keys) };

static void
say(void *arg, const struct import_report *report)
{
	const struct output_rows *rows = arg;
	const struct cell row[NKEYS] = { cell_str(import_result_names[report->result]),
		cell_str(report->crate), cell_str(report->version), cell_str(report->why) };

	output_part(rows, row, 1);
	arena_reset(rows->out.arena);
}

static void
add_registry(struct import_job *job, const char *url)
{
	size_t n = 0;

	while (job->registries[n] != NULL)
		n++;
	job->registries[n] = strcmp(url, "crates-io") == 0 ? REGISTRY_PUBLIC_URL : url;
}

/* --registry-url, of a command that has it. */
static int
read_registries(struct invocation *in, struct import_job *job)
{
	for (size_t i = REGISTRY_URL; i <= SECOND_URL; i++) {
		const char *url = in->options.values[i];

		if (url == NULL)
			continue;
		if (strcmp(url, "crates-io") != 0 && import_registry_check(url, &in->err) == -1)
			return -1;
		add_registry(job, url);
	}
	job->registry_advice = "; if that is the registry you import from, give --registry-url URL";
	return 0;
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

	if (project_find(in->db, in->arena, path, &project, &in->err) == -1 ||
	    project_policy(in->db, in->arena, path, &own, &n, &in->err) == -1 ||
	    publish_policy_merge(in->arena, in->settings, project->id, own, n, policy, &in->err) == -1 ||
	    store_identity_check(in->db, in->arena, &identity, in->settings->blobs, false, &in->err) == -1)
		return -1;
	job->project_id = project->id;
	job->policy = policy;
	if (job->registries[0] == NULL && policy->mirror_url[0] != '\0')
		add_registry(job, policy->mirror_url);
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
	if (in->json)
		return 0;
	if (in->options.values[LOCK] != NULL && names.n > 0)
		output_note("crates that dependencies name and the project does not have: %zu (`unresolved`), such as "
		    "`%s`; a build with %s needs only what that file names", names.n, names.v[0],
		    in->options.values[LOCK]);
	for (size_t i = 0; i < names.n && in->options.values[LOCK] == NULL; i++)
		output_note("warning: crates of the project depend on `%s`, which the project does not have",
		    names.v[i]);
	return 0;
}

/* -1: some versions or crates are not imported. */
static int
judge(struct invocation *in, const struct import *import)
{
	static const enum import_result failures[] = { IMPORT_REFUSED, IMPORT_DIFFERS, IMPORT_MISSING };
	const size_t *crates = import->unlisted;
	size_t bad = 0, all = 0, unlisted = crates[IMPORT_REFUSED] + crates[IMPORT_MISSING];
	const char *text = "";

	for (size_t i = 0; i < sizeof(failures) / sizeof(*failures); i++)
		bad += import->counts[failures[i]];
	for (size_t i = 0; i < IMPORT__VERSIONS; i++)
		all += import->counts[i];
	if (bad > unlisted)
		text = arena_printf(in->arena, "; %zu of %zu versions are not imported", bad - unlisted,
		    all - unlisted);
	if (crates[IMPORT_REFUSED] > 0)
		text = arena_printf(in->arena, "%s; crates that are refused as a whole: %zu", text,
		    crates[IMPORT_REFUSED]);
	if (crates[IMPORT_MISSING] > 0)
		text = arena_printf(in->arena, "%s; crates that the source does not have: %zu", text,
		    crates[IMPORT_MISSING]);
	return text[0] == '\0' ? 0 : err_set(&in->err, 409, "%s", text + strlen("; "));
}

static int
print_summary(struct invocation *in, const struct import *import)
{
	const char *summary_keys[IMPORT__MAX + 1] = { [IMPORT__MAX] = "unresolved" };
	struct output out = { in->arena, in->json, summary_keys, IMPORT__MAX + 1 };
	struct cell row[IMPORT__MAX + 1];
	size_t unresolved;

	if (say_unresolved(in, import->job->project_id, &unresolved) == -1)
		return -1;
	for (size_t i = 0; i < IMPORT__MAX; i++) {
		summary_keys[i] = import_result_names[i];
		row[i] = cell_int((int64_t)import->counts[i]);
	}
	row[IMPORT__MAX] = cell_int((int64_t)unresolved);
	output_row(&out, row);
	if (import->job->dry_run && !in->json)
		puts("dry run: nothing was written; `imported` counts what an import would write");
	return judge(in, import);
}

/* What the command is to do, but for the source. */
struct plan {
	struct import_job job;
	struct import_lock lock; /* of --lock */
	size_t processes;
};

/* --lock */
static int
read_lock(struct invocation *in, struct plan *plan)
{
	const char *path = in->options.values[LOCK];

	if (path == NULL)
		return 0;
	if (import_lock_read(in->arena, path, plan->job.registries, &plan->lock, &in->err) == -1)
		return -1;
	if (plan->lock.elsewhere > 0)
		output_note("warning: %s has packages of other registries or git repositories, which this import does "
		    "not bring: %zu, such as `%s`", path, plan->lock.elsewhere, plan->lock.example);
	return 0;
}

/*
 * Reads everything but the source, so that a mistake shows before a server is asked.  url: of the source, as
 * lock files name it; NULL: it has none.
 */
static int
prepare(struct invocation *in, struct plan *plan, bool has_registry_url, const char *url)
{
	struct import_job *job = &plan->job;

	*plan = (struct plan) { .processes = 0 };
	*job = (struct import_job) {
		.conninfo = in->conninfo,
		.actor = in->actor,
		.from = in->args[0],
		.accept_legacy = in->options.values[LEGACY] != NULL,
		.dry_run = in->options.values[DRY_RUN] != NULL,
		.settings = in->settings,
	};
	job->timeout_ms = in->settings->database_timeout * 1000;
	if ((has_registry_url && read_registries(in, job) == -1) || read_processes(in, &plan->processes) == -1 ||
	    read_project(in, job) == -1)
		return -1;
	if (url != NULL)
		add_registry(job, url);
	in->understood = true;
	return read_lock(in, plan);
}

static int
run(struct invocation *in, const struct plan *plan, struct import_source *source)
{
	size_t widths[NKEYS] = { 0 };
	struct output_rows rows = { { arena_new(), in->json, keys, NKEYS }, widths };
	struct import import = { .job = &plan->job, .source = source, .processes = plan->processes,
		.wait_us = in->wait_us, .say = say, .arg = &rows };
	int rc;

	/* leaves only what the lock file names */
	if (in->options.values[LOCK] != NULL)
		import_source_select(in->arena, source, &plan->lock.wanted);
	rc = import_run(&import, in->arena, &in->err);
	arena_free(rows.out.arena);
	return rc == -1 ? -1 : print_summary(in, &import);
}

/* -1: 400, there is no such file or directory. */
static int
check_there(struct invocation *in, const char *path)
{
	in->understood = access(path, F_OK) == -1;
	return !in->understood ? 0 :
	    err_set(&in->err, 400, "cannot read %s: %s", path, strerrordesc_np(errno));
}

static const char no_crates[] = "no file in %s is called NAME-VERSION.crate";

/* Reads a directory with the crates of an index, and tells if it has none. */
static int
read_crates(struct invocation *in, const char *path, struct import_source *source)
{
	if (import_source_directory(in->arena, path, source, &in->err) == -1)
		return -1;
	if (source->nversions == 0)
		fprintf(stderr, "berth: warning: %s\n", arena_printf(in->arena, no_crates, path));
	return 0;
}

/* Reads a directory that is the source.  -1: also if it has no crates, as a wrong one has none. */
static int
read_directory(struct invocation *in, const char *path, struct import_source *source)
{
	if (import_source_directory(in->arena, path, source, &in->err) == -1)
		return -1;
	return source->nversions > 0 ? 0 : err_set(&in->err, 400, no_crates, path);
}

/* As read_directory(), for the files of an index. */
static int
read_index(struct invocation *in, const char *path, const struct import_source *files,
    struct import_source *source)
{
	if (import_source_index(in->arena, path, files, source, &in->err) == -1)
		return -1;
	return source->ncrates > 0 ? 0 : err_set(&in->err, 400,
	    "no file in %s has the place of a crate's file in an index, such as se/rd/serde", path);
}

static int
directory(struct invocation *in)
{
	struct import_source source;
	struct plan plan;

	return prepare(in, &plan, true, NULL) == -1 ||
	    read_directory(in, in->args[0], &source) == -1 ? -1 : run(in, &plan, &source);
}

/* A source without crates is most often the wrong one.  status: 400 if the caller has written it. */
static int
require_crates(struct invocation *in, const struct import_source *source, int status, const char *from)
{
	return source->ncrates > 0 ? 0 : err_set(&in->err, status, "%s has no crates, so nothing is imported", from);
}

/* The token of that file, or, for NULL, of the environment; NULL: there is none.  It is sent in a header. */
static int
read_token(struct invocation *in, const char *path, const char **token)
{
	struct slice text = slice_str("");
	size_t n = 0;

	*token = getenv(token_variable);
	if (path != NULL) {
		if (import_files_read_given(in->arena, path, TOKEN_FILE_MAX, &text, &in->err) == -1)
			return -1;
		while (n < text.n && text.p[n] != '\n')
			n++;
		/* an editor of Windows ends the line with CR LF */
		n -= n > 0 && text.p[n - 1] == '\r';
		*token = arena_strndup(in->arena, text.p, n);
	}
	if (*token == NULL)
		return 0;
	for (const char *p = *token; *p != '\0'; p++) {
		if (*p < ' ' || *p > '~')
			return err_set(&in->err, 400, "%s: the token must have only visible ASCII characters",
			    path != NULL ? path : token_variable);
	}
	return (*token)[0] != '\0' ? 0 :
	    err_set(&in->err, 400, "%s: the token is empty", path != NULL ? path : token_variable);
}

/* The processes of the import say this at any time; a line is written as a whole. */
static void
say_wait(const char *text)
{
	fprintf(stderr, "berth: %s\n", text);
}

/* Fills in how to reach another registry: by the keys of berth.conf for other systems. */
static int
read_remote(struct invocation *in, const char *token_file, struct import_remote *remote)
{
	*remote = (struct import_remote) {
		.ca_file = in->settings->ci_ca_file,
		.proxy = in->settings->outbound_proxy,
		.proxy_except = in->settings->outbound_proxy_except,
		.say = say_wait,
	};
	return read_token(in, token_file, &remote->token);
}

/* The names of the crates of an index at a URL: those of --list or, without it, all; --lock has its own. */
static int
read_names(struct invocation *in, const struct import_remote *remote, struct import_source *source)
{
	const char *list = in->options.values[LIST];
	struct strings names = { 0 };

	if (list != NULL)
		return import_source_list(in->arena, list, NULL, source, &in->err) == -1 ? -1 :
		    require_crates(in, source, 400, list);
	if (in->options.values[LOCK] == NULL && import_remote_list(remote, in->arena, &names, &in->err) == -1)
		return -1;
	import_source_names(in->arena, &names, source);
	return 0;
}

/* Opens an index at a URL. */
static int
from_url(struct invocation *in, const char *url, const struct import_source *files,
    struct import_source *source)
{
	struct import_remote *remote = arena_alloc(in->arena, sizeof(*remote));

	if (read_remote(in, in->options.values[TOKEN_FILE], remote) == -1 ||
	    import_remote_open(in->arena, url, remote, &in->err) == -1 || read_names(in, remote, source) == -1)
		return -1;
	source->files = files;
	source->remote = remote;
	source->is_indexed_there = true;
	return 0;
}

/* Reads an index in files.  files NULL: its config.json has the address of the crates. */
static int
from_files(struct invocation *in, const struct import_source *files, struct import_source *source)
{
	struct import_remote *remote = arena_alloc(in->arena, sizeof(*remote));
	const char *config = arena_printf(in->arena, "%s/config.json", in->args[0]);
	struct slice text;

	if (files == NULL && access(config, F_OK) == -1)
		return err_set(&in->err, 400, "%s is missing, so nothing says where the crates are: give their directory "
		    "as --crates DIR", config);
	if (read_index(in, in->args[0], files, source) == -1)
		return -1;
	if (files != NULL)
		return 0;
	if (read_remote(in, in->options.values[TOKEN_FILE], remote) == -1 ||
	    import_files_read(in->arena, config, CONFIG_FILE_MAX, &text, &in->err) == -1 ||
	    import_remote_files(in->arena, text, remote, &in->err) == -1)
		return -1;
	source->remote = remote;
	return 0;
}

static int
from_list(struct invocation *in, const struct import_source *files, struct import_source *source)
{
	if (files == NULL)
		return err_set(&in->err, 400, "`%s` is a file with lines of an index: give the directory with its "
		    "crates as --crates DIR", in->args[0]);
	return import_source_list(in->arena, in->args[0], files, source, &in->err) == -1 ? -1 :
	    require_crates(in, source, 400, in->args[0]);
}

static int
from_index(struct invocation *in)
{
	bool is_public = strcmp(in->args[0], "crates-io") == 0;
	const char *from = is_public ? REGISTRY_PUBLIC_SPARSE : in->args[0], *crates = in->options.values[CRATES];
	bool is_url = strstr(from, "://") != NULL;
	struct import_source files, source;
	const struct import_source *given;
	struct plan plan;
	struct stat st;
	int rc;

	if (!is_url && in->options.values[LIST] != NULL)
		return err_set(&in->err, 400, "--list is only for the URL of an index; leave it out, since `%s` has the "
		    "names of its crates", from);
	if (is_public && in->options.values[LIST] == NULL && in->options.values[LOCK] == NULL)
		return err_set(&in->err, 400, "the search of crates-io does not list all crates: give the Cargo.lock of a "
		    "build as --lock FILE, or names of crates as --list FILE");
	if (prepare(in, &plan, true, is_url ? from : NULL) == -1 ||
	    (crates != NULL && read_crates(in, crates, &files) == -1))
		return -1;
	given = crates != NULL ? &files : NULL;
	rc = is_url ? from_url(in, from, given, &source) :
	    (stat(from, &st) == 0 && S_ISREG(st.st_mode) ? from_list : from_files)(in, given, &source);
	return rc == -1 ? -1 : run(in, &plan, &source);
}

/* Imports the index of a Gitea, with the times that its API knows. */
static int
gitea(struct invocation *in)
{
	struct import_remote *remote = arena_alloc(in->arena, sizeof(*remote));
	struct import_source source;
	struct plan plan;

	if (prepare(in, &plan, false, in->args[0]) == -1 ||
	    read_remote(in, in->options.values[GITEA_TOKEN_FILE], remote) == -1 ||
	    import_remote_open(in->arena, in->args[0], remote, &in->err) == -1 ||
	    import_gitea_list(remote, in->arena, &source, &in->err) == -1 ||
	    require_crates(in, &source, 404, in->args[0]) == -1)
		return -1;
	source.remote = remote;
	source.is_indexed_there = true;
	return run(in, &plan, &source);
}

/* Imports from the directory of Kellnr's data, or from its database and a directory of crates. */
static int
kellnr(struct invocation *in)
{
	const char *database = in->args[0], *crates = in->options.values[CRATES];
	struct import_source files, source;
	struct plan plan;
	struct stat st;

	if (stat(database, &st) == 0 && S_ISDIR(st.st_mode)) {
		crates = crates != NULL ? crates : arena_printf(in->arena, "%s/crates", database);
		database = arena_printf(in->arena, "%s/db.sqlite", database);
	}
	if (!import_kellnr_is_conninfo(database) && check_there(in, database) == -1)
		return -1;
	if (crates == NULL)
		return err_set(&in->err, 400, "a database needs --crates DIR, the directory with its crates");
	return prepare(in, &plan, true, NULL) == -1 || read_crates(in, crates, &files) == -1 ||
	    import_kellnr_list(in->arena, database, &files, &source, &in->err) == -1 ||
	    require_crates(in, &source, 404, "the database of the Kellnr") == -1 ? -1 : run(in, &plan, &source);
}

/*
 * Looks for the index in the places where mirrors and `berth export` have it; the crates are in DIR/crates.
 */
static int
mirror(struct invocation *in)
{
	static const char *const places[] = { "crates.io-index", "git/crates.io-index", "index" };
	const char *crates = arena_printf(in->arena, "%s/crates", in->args[0]), *index = NULL;
	struct import_source files, source;
	struct plan plan;
	struct stat st;

	if (check_there(in, in->args[0]) == -1)
		return -1;
	for (size_t i = 0; index == NULL && i < sizeof(places) / sizeof(*places); i++) {
		const char *place = arena_printf(in->arena, "%s/%s", in->args[0], places[i]);

		if (stat(place, &st) == 0 && S_ISDIR(st.st_mode))
			index = place;
	}
	in->understood = index == NULL;
	if (index == NULL)
		return err_set(&in->err, 400, "%s has none of the indexes crates.io-index, git/crates.io-index and "
		    "index; use: berth import index INDEX --crates DIR", in->args[0]);
	return prepare(in, &plan, false, NULL) == -1 || read_crates(in, crates, &files) == -1 ||
	    read_index(in, index, &files, &source) == -1 ? -1 : run(in, &plan, &source);
}

/* The end of each help. */
#define ALL_KINDS \
	"\n--lock: imports only the versions of the registry that this Cargo.lock names, with its checksums.\n" \
	"--accept-legacy: also imports what registries once accepted, such as requirements of `*`.\n" \
	"--dry-run: checks everything, and changes nothing.  --processes: how many work at once.\n" \
	"berth-import(7) has the steps for each kind of registry."

static const struct command commands[] = {
	{ "directory", "DIR --into GROUP/PROJECT [--registry-url URL ...] [--lock FILE] [--accept-legacy]"
	    " [--dry-run] [--processes N]",
	    "Imports all files NAME-VERSION.crate in DIR and below it.  --registry-url: the index URL of\n"
	    "the registry that the crates come from, or crates-io.  Dependencies on crates of that registry\n"
	    "become dependencies on crates of the project.  It can be given twice." ALL_KINDS,
	    COMMAND_OPTIONS(directory_options), 1, 1, directory },
	{ "index", "URL|crates-io|DIR|FILE --into GROUP/PROJECT [--list FILE] [--crates DIR] [--token-file FILE]"
	    " [--registry-url URL ...] [--lock FILE] [--accept-legacy] [--dry-run] [--processes N]",
	    "Imports the versions of an index: of another registry, by the URL of its sparse index; in the\n"
	    "work tree of a git index, or the files of a sparse one; or in a file with lines of an index.\n"
	    "crates-io is the index of the public registry, for --lock or --list.\n"
	    "The index also says which versions are yanked, when they were published, and which\n"
	    "dependencies are in the same registry.\n"
	    "--list: a file with the names of the crates, their owners and downloads; without it the API of\n"
	    "the registry is asked for the names.\n"
	    "--crates: a directory with the crates, as for `import directory`; without it they are\n"
	    "downloaded.\n"
	    "--token-file: a file with the token for that registry, as cargo would send it; it can also be\n"
	    "in the environment, as BERTH_IMPORT_TOKEN.\n"
	    "--registry-url: another URL of that registry, as for `import directory`." ALL_KINDS,
	    COMMAND_OPTIONS(index_options), 1, 1, from_index },
	{ "kellnr", "DIR|DATABASE --into GROUP/PROJECT [--crates DIR] [--registry-url URL ...] [--lock FILE]"
	    " [--accept-legacy] [--dry-run] [--processes N]",
	    "Imports from the data of a Kellnr, which may keep running.  DIR has db.sqlite and crates;\n"
	    "DATABASE is a file of SQLite or a connection string of PostgreSQL, and needs --crates.  The\n"
	    "import takes owners, downloads, yanks and times, too.  --registry-url: as for `import\n"
	    "directory`." ALL_KINDS,
	    COMMAND_OPTIONS(kellnr_options), 1, 1, kellnr },
	{ "gitea", "URL --into GROUP/PROJECT [--token-file FILE] [--lock FILE] [--accept-legacy] [--dry-run]"
	    " [--processes N]",
	    "Imports from a Gitea or Forgejo, by the URL of its index:\n"
	    "sparse+https://HOST/api/packages/OWNER/cargo/.  Works as `import index`, and asks the API when\n"
	    "each version was published.  --token-file: a file with `Bearer TOKEN`." ALL_KINDS,
	    COMMAND_OPTIONS(gitea_options), 1, 1, gitea },
	{ "mirror", "DIR --into GROUP/PROJECT [--lock FILE] [--accept-legacy] [--dry-run] [--processes N]",
	    "Imports a mirror that panamax or romt has made, or an export of Berth: the index in DIR, and\n"
	    "the crates in DIR/crates." ALL_KINDS,
	    COMMAND_OPTIONS(mirror_options), 1, 1, mirror },
};

const struct noun admin_import = { "import", COMMAND_LIST(commands), .named = true };
