#include "transfer/import.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "cache/cache_barrier.h"
#include "crate/crate_name.h"
#include "crate/semver.h"
#include "store/blob/blob_store.h"
#include "store/package/imported.h"
#include "transfer/import_details.h"
#include "transfer/import_files.h"

enum { NAME_SIZE = 65, STOPPED = IMPORT__MAX, REPLAN_CRATES = 128 };

#define GO_ON "; what is imported stays; run the same command again to go on"

/*
 * The report of a process about a version, or, with result STOPPED, why it has ended.  It is written as a
 * whole.
 */
struct message {
	int result;
	uint32_t n; /* adds to the counter; 1 except for IMPORT_OWNERS and IMPORT_DOWNLOADS */
	char crate[NAME_SIZE];
	char version[SEMVER_MAX + 1];
	char why[ERR_PUB_SIZE];
};
_Static_assert(sizeof(struct message) <= PIPE_BUF, "messages of several processes do not mix");

/* One process. */
struct process {
	const struct import *import;
	atomic_size_t *next; /* the crate that nobody has taken yet; shared by all processes */
	int messages;
	int reports; /* where the command reads them */
	struct db *db;
};

static void
send_message(const struct process *p, int result, size_t n, const char *crate, const char *version,
    const char *why)
{
	struct message m = { .result = result, .n = (uint32_t)n };

	snprintf(m.crate, sizeof(m.crate), "%s", crate);
	snprintf(m.version, sizeof(m.version), "%s", version);
	snprintf(m.why, sizeof(m.why), "%s", why != NULL ? why : "");
	(void)!TEMP_FAILURE_RETRY(write(p->messages, &m, sizeof(m)));
}

static void
send_outcome(const struct process *p, const char *crate, const char *version,
    const struct import_outcome *outcome)
{
	send_message(p, (int)outcome->result, 1, crate, version, outcome->why);
	if (outcome->is_untimed)
		send_message(p, IMPORT_UNTIMED, 1, crate, version, outcome->odd_time);
}

/*
 * New files belong to whoever owns the store, and have its mode: the pool must be able to write beside them,
 * and nginx to read them.
 */
static int
become_owner(const char *store, struct err *err)
{
	struct stat st;
	struct passwd *pw;

	if (stat(store, &st) == -1)
		return err_sys(err, "store: %s", store);
	umask(~st.st_mode & (S_IRWXG | S_IRWXO));
	if (geteuid() != 0 || st.st_uid == 0)
		return 0;
	pw = getpwuid(st.st_uid);
	if ((pw == NULL ? setgroups(0, NULL) : initgroups(pw->pw_name, st.st_gid)) == -1 ||
	    setgid(pw == NULL ? st.st_gid : pw->pw_gid) == -1 || setuid(st.st_uid) == -1)
		return err_sys(err, "cannot act as the owner of %s", store);
	return 0;
}

/*
 * Ends the process with the command, even if that has ended already.  Call it after become_owner(), which
 * would undo it.
 */
static int
follow(pid_t command, struct err *err)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1)
		return err_sys(err, "the death of the command");
	return getppid() == command ? 0 : err_internal(err, 500, "the command has ended");
}

/* One crate on its way. */
struct passage {
	const struct importer *importer;
	const struct process *process;
	struct arena *arena;
};

static int
import_versions(const struct passage *p, const struct import_crate *crate, bool *any, struct err *err)
{
	struct arena *a = arena_new();
	struct inventory_version *versions;
	struct import_there there = { .crate = crate };
	int rc = inventory_versions(p->importer->db, p->arena, p->importer->job->project_id,
	    crate_name_normalize(p->arena, slice_str(crate->name)), &versions, &there.n, err);

	there.versions = versions;
	for (size_t i = 0; rc == 0 && i < crate->nversions; i++) {
		struct import_outcome outcome;

		rc = import_version(p->importer, a, &there, &crate->versions[i], &outcome, err);
		if (rc == 0)
			send_outcome(p->process, crate->name, crate->versions[i].version, &outcome);
		else
			err_context(err, "at %s %s", crate->name, crate->versions[i].version);
		*any = *any || (rc == 0 && outcome.result < IMPORT_REFUSED);
		arena_reset(a);
	}
	arena_free(a);
	return rc;
}

static int
import_rest(const struct passage *p, const struct import_crate *crate, struct err *err)
{
	struct import_details details;

	if (import_details(p->importer, p->arena, crate, &details, err) == -1)
		return err_context(err, "at %s", crate->name);
	if (details.owners > 0)
		send_message(p->process, IMPORT_OWNERS, details.owners, crate->name, "", NULL);
	if (details.downloads > 0)
		send_message(p->process, IMPORT_DOWNLOADS, details.downloads, crate->name, "", NULL);
	for (size_t i = 0; i < details.missing.n; i++)
		send_message(p->process, IMPORT_OWNERS_MISSING, 1, crate->name, "",
		    arena_printf(p->arena, "`%s` owns the crate there, but is not an active user here",
		        details.missing.v[i]));
	return 0;
}

/* Reads the lines of a crate, in files or from the other registry. */
static int
read_lines(const struct passage *p, const struct import_crate *listed, struct slice *lines, struct err *err)
{
	bool found;

	if (listed->index != NULL)
		return import_files_read(p->arena, listed->index, CRATE_INDEX_MAX, lines, err);
	if (import_remote_index(p->process->import->source->remote, p->importer->connections, p->arena,
	        listed->name, lines, &found, err) == -1)
		return -1;
	if (!found)
		*lines = slice_str("");
	return 0;
}

/* Reads the versions from the index.  *why: why there are none, with *result; else NULL. */
static int
read_versions(const struct passage *p, const struct import_crate *listed, struct import_crate *crate,
    enum import_result *result, const char **why, struct err *err)
{
	const struct import_source *source = p->process->import->source;
	const char *what = listed->index != NULL ? listed->index : "the index file";
	struct slice lines;

	if (read_lines(p, listed, &lines, err) == -1 ||
	    import_source_lines(p->arena, lines, what, listed, source->files, crate, err) == -1) {
		*result = IMPORT_REFUSED;
		*why = arena_strdup(p->arena, err->pub);
		if (err->status >= 500)
			return err_context(err, "at %s", listed->name);
		err_clear(err);
		return 0;
	}
	*result = IMPORT_MISSING;
	*why = crate->nversions > 0 ? NULL : "the index of the source does not have the crate";
	return 0;
}

/*
 * Refuses a crate whose name is another spelling of the crate before it, if the project has versions of that
 * one, or gets them by this import.
 */
static void
refuse_spelling(const struct passage *p, const struct import_crate *crate, const char *taken)
{
	const char *why = arena_printf(p->arena, "`%s` of the source is the same name in another spelling, and a "
	    "project has one spelling of a name; import this crate into another project, or leave `%s` out", taken,
	    taken);

	for (size_t i = 0; i < crate->nversions; i++)
		send_message(p->process, IMPORT_REFUSED, 1, crate->name, crate->versions[i].version, why);
	if (crate->nversions == 0)
		send_message(p->process, IMPORT_REFUSED, 1, crate->name, "", why);
}

/* *taken: the spelling of the name that the project now has; NULL: none. */
static int
import_crate(const struct passage *p, const struct import_crate *listed, const char **taken, struct err *err)
{
	struct import_crate crate = *listed;
	bool any = false;

	if (*taken != NULL) {
		refuse_spelling(p, listed, *taken);
		return 0;
	}
	if (listed->wrong != NULL) {
		send_message(p->process, IMPORT_REFUSED, 1, listed->name, "", listed->wrong);
		return 0;
	}
	if (listed->index != NULL || p->process->import->source->is_indexed_there) {
		enum import_result result;
		const char *why;

		if (read_versions(p, listed, &crate, &result, &why, err) == -1)
			return -1;
		if (why != NULL) {
			send_message(p->process, (int)result, 1, listed->name, "", why);
			return 0;
		}
	}
	if (import_versions(p, &crate, &any, err) == -1)
		return -1;
	if (any)
		*taken = crate.name;
	return any ? import_rest(p, &crate, err) : 0;
}

/*
 * Imports the crate at i and those behind it that have its name in other spellings, so that their order in
 * the source decides which of them is imported, and not which process is first.
 */
static int
import_name(const struct passage *p, const struct import_source *source, size_t i, struct err *err)
{
	const struct import_crate *first = &source->crates[i];
	const char *taken = NULL;
	int rc = 0;

	if (i > 0 && crate_name_compare(first[-1].name, first->name) == 0)
		return 0;
	for (; rc == 0 && i < source->ncrates && crate_name_compare(first->name, source->crates[i].name) == 0; i++)
		rc = import_crate(p, &source->crates[i], &taken, err);
	return rc;
}

static int
import_crates(struct process *p, struct arena *a, struct err *err)
{
	const struct import *import = p->import;
	const struct import_source *source = import->source;
	struct importer importer = { import->job, p->db, inspector_new(a, import->job->settings->inspector),
		source->remote, https_connections_new(a) };
	struct passage passage = { &importer, p, arena_new() };
	size_t i;
	int rc = 0;

	for (size_t n = 1; rc == 0 && (i = atomic_fetch_add(p->next, 1)) < source->ncrates; n++) {
		rc = import_name(&passage, source, i, err);
		if (rc == 0 && n % REPLAN_CRATES == 0)
			rc = imported_replan(p->db, passage.arena, err);
		arena_reset(passage.arena);
	}
	arena_free(passage.arena);
	inspector_stop(importer.inspector);
	return rc;
}

/* The other side of fork(). */
static int
process_main(struct process *p, pid_t parent)
{
	const struct import *import = p->import;
	const struct blob_store *blobs = import->job->settings->blobs;
	struct arena *a = arena_new();
	struct cache_barrier *barrier;
	/* the wait clears its error whenever it tries again */
	struct err err = { 0 }, waited = { 0 };
	int rc;

	/* or a write would wait for this process to read, once the command is gone */
	close(p->reports);
	p->db = db_new(import->job->conninfo, import->job->timeout_ms);
	db_prepare_late(p->db);
	barrier = cache_barrier_new(p->db, NULL);
	/* a store that no pool has used yet has no directories */
	rc = become_owner(blobs->dir, &err) == -1 || follow(parent, &err) == -1 ||
	    blobs->kind->check(blobs, &err) == -1 ? -1 : import_crates(p, a, &err);
	if (cache_barrier_wait(barrier, a, clock_us() + import->wait_us, &waited) == -1 && rc == 0) {
		err = waited;
		rc = -1;
	}
	if (rc == -1)
		send_message(p, STOPPED, 0, "", "", err.detail[0] != '\0' ? err.detail : err.pub);
	cache_barrier_free(barrier);
	db_free(p->db);
	arena_free(a);
	return rc == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int
start(struct process *p, pid_t *pid, struct err *err)
{
	pid_t parent = getpid();

	/* or each process would print what waits there */
	fflush(NULL);
	*pid = fork();
	if (*pid == -1)
		return err_sys(err, "fork");
	if (*pid == 0)
		_exit(process_main(p, parent));
	return 0;
}

/* Counts what the processes say, until all have ended.  -1: one has stopped. */
static int
listen_to(struct import *import, int messages, struct err *err)
{
	struct message m;
	ssize_t n;
	int rc = 0;

	while ((n = TEMP_FAILURE_RETRY(read(messages, &m, sizeof(m)))) != 0) {
		if (n != (ssize_t)sizeof(m))
			return err_sys(err, "read from a process of the import");
		if (m.result == STOPPED) {
			if (rc == 0)
				rc = err_internal(err, 500, "the import has stopped: %s" GO_ON, m.why);
			continue;
		}
		import->counts[m.result] += m.n;
		if (m.result < IMPORT__VERSIONS && m.version[0] == '\0')
			import->unlisted[m.result]++;
		if (m.why[0] != '\0')
			import->say(import->arg, &(struct import_report) { (enum import_result)m.result,
			    m.crate, m.version, m.why });
	}
	return rc;
}

static int
wait_for(const pid_t *pids, size_t n, int rc, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		int status = 0;

		(void)TEMP_FAILURE_RETRY(waitpid(pids[i], &status, 0));
		if (rc == 0 && status != 0)
			rc = err_internal(err, 500,
			    "a process of the import has ended with wait status %#x" GO_ON, (unsigned)status);
	}
	return rc;
}

int
import_run(struct import *import, struct arena *a, struct err *err)
{
	pid_t *pids = arena_calloc(a, import->processes, sizeof(*pids));
	struct process p = { .import = import };
	int ends[2], rc = 0;
	size_t n = 0;

	p.next = mmap(NULL, sizeof(*p.next), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (p.next == MAP_FAILED)
		return err_sys(err, "memory for the import");
	if (pipe(ends) == -1) {
		munmap(p.next, sizeof(*p.next));
		return err_sys(err, "a pipe for the import");
	}
	p.messages = ends[1];
	p.reports = ends[0];
	while (rc == 0 && n < import->processes) {
		rc = start(&p, &pids[n], err);
		n += rc == 0;
	}
	close(ends[1]);
	if (listen_to(import, ends[0], err) == -1)
		rc = -1;
	close(ends[0]);
	rc = wait_for(pids, n, rc, err);
	munmap(p.next, sizeof(*p.next));
	return rc;
}
