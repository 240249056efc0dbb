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

enum { NAME_SIZE = 65, WHY_SIZE = 800, STOPPED = IMPORT__MAX };

#define GO_ON "; what is imported stays; run the same command again to go on"

/* What a process says of a version, or, with result STOPPED, why it has ended.  Written as a whole. */
struct message {
	int result;
	char crate[NAME_SIZE];
	char version[SEMVER_MAX + 1];
	char why[WHY_SIZE];
};
_Static_assert(sizeof(struct message) <= PIPE_BUF, "messages of several processes do not mix");

/* One process. */
struct process {
	const struct import *import;
	atomic_size_t *next; /* the crate that nobody has taken yet; shared by all processes */
	int messages;
	struct db *db;
};

static void
send_message(const struct process *p, int result, const char *crate, const char *version, const char *why)
{
	struct message m = { .result = result };

	snprintf(m.crate, sizeof(m.crate), "%s", crate);
	snprintf(m.version, sizeof(m.version), "%s", version);
	snprintf(m.why, sizeof(m.why), "%s", why != NULL ? why : "");
	while (write(p->messages, &m, sizeof(m)) == -1 && errno == EINTR)
		continue;
}

/* New files belong to whoever owns the store: the pool must be able to write beside them. */
static int
become_owner(const char *store, struct err *err)
{
	struct stat st;
	struct passwd *pw;

	if (geteuid() != 0)
		return 0;
	if (stat(store, &st) == -1)
		return err_sys(err, "store: %s", store);
	if (st.st_uid == 0)
		return 0;
	pw = getpwuid(st.st_uid);
	if ((pw == NULL ? setgroups(0, NULL) : initgroups(pw->pw_name, st.st_gid)) == -1 ||
	    setgid(pw == NULL ? st.st_gid : pw->pw_gid) == -1 || setuid(st.st_uid) == -1)
		return err_sys(err, "cannot act as the owner of %s", store);
	return 0;
}

static int
import_crate(const struct importer *importer, const struct process *p, const struct import_crate *crate,
    struct err *err)
{
	struct arena *of_crate = arena_new(), *a = arena_new();
	struct inventory_version *versions;
	struct import_there there = { .crate = crate };
	int rc = inventory_versions(importer->db, of_crate, importer->job->project_id,
	    crate_name_normalize(of_crate, slice_str(crate->name)), &versions, &there.n, err);

	there.versions = versions;
	for (size_t i = 0; rc == 0 && i < crate->nversions; i++) {
		enum import_result result;
		const char *why;

		rc = import_version(importer, a, &there, &crate->versions[i], &result, &why, err);
		if (rc == 0)
			send_message(p, (int)result, crate->name, crate->versions[i].version, why);
		else
			err_context(err, "at %s %s", crate->name, crate->versions[i].version);
		arena_reset(a);
	}
	arena_free(a);
	arena_free(of_crate);
	return rc;
}

static int
import_crates(struct process *p, struct arena *a, struct err *err)
{
	const struct import *import = p->import;
	const struct import_source *source = import->source;
	struct importer importer = { import->job, p->db, inspector_new(a, import->job->settings->inspector) };
	size_t i;
	int rc = 0;

	while (rc == 0 && (i = atomic_fetch_add(p->next, 1)) < source->ncrates)
		rc = import_crate(&importer, p, &source->crates[i], err);
	inspector_stop(importer.inspector);
	return rc;
}

/* The other side of fork(). */
static int
process_main(struct process *p, pid_t parent)
{
	const struct import *import = p->import;
	struct arena *a = arena_new();
	struct cache_barrier *barrier;
	struct err err = { 0 };
	int rc;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1 || getppid() != parent)
		return EXIT_FAILURE;
	p->db = db_new(import->job->conninfo, import->job->timeout_ms);
	db_prepare_late(p->db);
	barrier = cache_barrier_new(p->db, NULL);
	/* a store that no pool has used yet has no directories */
	rc = become_owner(import->job->settings->blobs->dir, &err) == -1 ||
	    import->job->settings->blobs->kind->check(import->job->settings->blobs,
	    &err) == -1 ? -1 : import_crates(p, a, &err);
	if (cache_barrier_wait(barrier, a, clock_us() + import->wait_us, &err) == -1)
		rc = -1;
	if (rc == -1)
		send_message(p, STOPPED, "", "", err.detail[0] != '\0' ? err.detail : err.pub);
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

	while ((n = read(messages, &m, sizeof(m))) != 0) {
		if (n == -1 && errno == EINTR)
			continue;
		if (n != (ssize_t)sizeof(m))
			return err_sys(err, "read from a process of the import");
		if (m.result == STOPPED) {
			if (rc == 0)
				rc = err_internal(err, 500, "the import has stopped: %s" GO_ON, m.why);
			continue;
		}
		import->counts[m.result]++;
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

		while (waitpid(pids[i], &status, 0) == -1 && errno == EINTR)
			continue;
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
