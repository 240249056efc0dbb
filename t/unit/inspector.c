/*
 * crate/inspect/inspector: whatever the other side does, its output is read with a bound, and an inspector
 * that has failed is followed by another.  This program is the other side too, where its name says so.
 */
#include "crate/inspect/inspector.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "crate/inspect/job.h"
#include "crate/inspect/verdict.h"
#include "tap.h"
#include "tarball.h"

enum { PATIENCE_S = 30 };

static struct arena *arena;
static struct err err;
static char folder[] = "/tmp/inspector.XXXXXX";
static char self[4096];

/* ---- the other side ---- */

struct fake {
	const char *name;
	size_t errors; /* bytes on standard error */
	size_t verdict; /* bytes of 'v' */
	int status; /* that it reports; -1: it reports nothing */
	bool keeps; /* its end of the verdict */
	bool ends; /* after the job */
	bool line; /* the verdict is one */
	bool more; /* a byte behind the line, after some time */
	unsigned reports; /* of the next job */
};

static const struct fake fakes[] = {
	{ .name = "good", .errors = 4 },
	{ .name = "refuses", .status = 0x100 },
	{ .name = "errors", .errors = 1000000 },
	{ .name = "most", .verdict = VERDICT_MAX },
	{ .name = "more", .verdict = VERDICT_MAX + 1 },
	{ .name = "crashes", .status = SIGSEGV },
	{ .name = "trouble", .status = 0x200, .errors = 4 },
	{ .name = "hangs", .status = -1, .errors = 4 },
	{ .name = "keeps", .keeps = true },
	{ .name = "ends", .status = -1, .ends = true },
	{ .name = "last", .ends = true },
	{ .name = "other", .reports = 1 },
	{ .name = "early" },
	{ .name = "line", .line = true, .errors = 4 },
	{ .name = "goes on", .line = true, .more = true },
	{ .name = "dies", .line = true, .status = SIGKILL },
	{ .name = "stays", .line = true, .status = -1 },
};

static void
fill(int fd, char c, size_t n)
{
	char piece[10000];

	memset(piece, c, sizeof(piece));
	while (n > 0) {
		size_t part = n < sizeof(piece) ? n : sizeof(piece);
		ssize_t done = write(fd, piece, part);

		if (done <= 0)
			_exit(1);
		n -= (size_t)done;
	}
}

/*
 * Does one job.  The verdict is the process, the number of the job and the crate, unless it is a number of
 * bytes.
 */
static bool
fake_job(const struct fake *fake, const struct job *job, const struct job_fds *fds)
{
	char crate[100];
	ssize_t n = read(fds->crate, crate, sizeof(crate));
	struct job_report report = { job->number + fake->reports, fake->status };

	fill(STDERR_FILENO, 'e', fake->errors);
	if (fake->verdict > 0)
		fill(fds->verdict, 'v', fake->verdict);
	else
		dprintf(fds->verdict, "%d %d %s %.*s%s", (int)getpid(), (int)job->number, job->limits.folder, (int)n, crate,
		    fake->line ? "\n" : "");
	if (fake->more) {
		/* when the other side has read the line */
		int unread = 1;

		while (ioctl(fds->verdict, FIONREAD, &unread) == 0 && unread > 0)
			(void)poll(NULL, 0, 1);
		fill(fds->verdict, 'v', 1);
	}
	close(fds->crate);
	if (!fake->keeps)
		close(fds->verdict);
	if (fake->status != -1 && job_report_send(STDIN_FILENO, &report, &err) == -1)
		return false;
	if (strcmp(fake->name, "early") == 0) {
		report.number++;
		return job_report_send(STDIN_FILENO, &report, &err) == 0;
	}
	return !fake->ends;
}

static int
fake_main(const struct fake *fake)
{
	char message[JOB_MESSAGE_MAX + 1];
	struct job_fds fds;
	struct job job;

	while (job_receive(STDIN_FILENO, message, &job, &fds, &err) == 1 && fake_job(fake, &job, &fds))
		continue;
	return 0;
}

/* ---- the tests ---- */

/* Another inspector, which behaves so. */
static struct inspector *
inspector_of(const char *name)
{
	const char *path = arena_printf(arena, "%s/%s", folder, name);

	(void)unlink(path);
	ok(symlink(self, path) == 0, "the inspector that %s", name);
	return inspector_new(arena, path);
}

typedef int ask_fn(struct inspector *, struct arena *, const struct job *, int crate, int64_t deadline_us,
    struct inspector_result *, struct err *);

static int
hand_over(ask_fn *fn, struct inspector *in, struct arena *a, int64_t patience_s, struct inspector_result *out)
{
	const struct job job = { .limits = { 1000, 10, "foo-1.0.0" } };
	int crate = memfd_create("crate", MFD_CLOEXEC);
	int rc;

	ok(write(crate, "bytes", 5) == 5 && lseek(crate, 0, SEEK_SET) == 0, "a crate");
	err_clear(&err);
	rc = fn(in, a, &job, crate, clock_us() + patience_s * 1000000, out, &err);
	close(crate);
	return rc;
}

static int
run_for(struct inspector *in, int64_t patience_s, struct inspector_result *out)
{
	return hand_over(inspector_run, in, arena, patience_s, out);
}

static int
ask(struct inspector *in, struct arena *a, int64_t patience_s, struct inspector_result *out)
{
	return hand_over(inspector_ask, in, a, patience_s, out);
}

static int
run(struct inspector *in, struct inspector_result *out)
{
	return run_for(in, PATIENCE_S, out);
}

/* The template's process, and which of its jobs that was; 0: there is no such verdict. */
static int
verdict_pid(const struct inspector_result *result, int *job)
{
	char text[100] = "", name[100], crate[100];
	int pid = 0;

	if (result->verdict.n < sizeof(text))
		memcpy(text, result->verdict.p, result->verdict.n);
	*job = 0;
	if (sscanf(text, "%d %d %99s %99s", &pid, job, name, crate) != 4 || strcmp(name, "foo-1.0.0") != 0 ||
	    strcmp(crate, "bytes") != 0)
		return 0;
	return pid;
}

static bool
all(struct slice s, char c)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] != c)
			return false;
	}
	return true;
}

static int
open_fds(void)
{
	int n = 0;

	for (int fd = 0; fd < 64; fd++)
		n += fcntl(fd, F_GETFD) != -1;
	return n;
}

/* Waits for the end of a process that inspector_stop() waits for as well. */
static void
wait_for_end(int pid)
{
	siginfo_t info;

	(void)waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT);
}

static void
test_good(void)
{
	struct inspector *in = inspector_of("good");
	struct inspector_result out;
	int first, job, before = open_fds();

	is_int(run(in, &out), 0, "a crate");
	first = verdict_pid(&out, &job);
	ok(first > 0, "its verdict comes from a process that has got crate and folder");
	is_int(job, 1, "as its first job");
	is_int(out.status, 0, "the status is that of the report");
	ok(slice_is(out.errors, "eeee"), "standard error comes apart");
	is_int(run(in, &out), 0, "a second one");
	is_int(verdict_pid(&out, &job), first, "goes to the same template");
	is_int(job, 2, "as the next job");
	ok(slice_is(out.errors, "eeee"), "without the errors of the first");

	kill(first, SIGKILL);
	wait_for_end(first);
	is_int(run(in, &out), 0, "after the template was killed");
	ok(verdict_pid(&out, &job) > 0 && verdict_pid(&out, &job) != first, "there is another one");
	is_int(job, 1, "which begins to count");
	kill(verdict_pid(&out, &job), SIGSTOP);
	is_int(run_for(in, 1, &out), -1, "one that was stopped");
	is_int(err.status, 503, "is waited for until the deadline");
	is_int(run(in, &out), 0, "and followed by another");

	inspector_stop(in);
	inspector_stop(in);
	is_int(open_fds(), before, "no descriptor is left");
	ok(waitpid(-1, NULL, WNOHANG) == -1, "and no process");
}

static void
test_output(void)
{
	struct inspector *in = inspector_of("errors");
	struct inspector_result out;
	int job;

	is_int(run(in, &out), 0, "much on standard error, more than a pipe holds");
	ok(out.errors.n == INSPECTOR_ERRORS_MAX && all(out.errors, 'e'), "is cut");
	ok(verdict_pid(&out, &job) > 0, "and holds nobody up");
	is_int(run(in, &out), 0, "twice");
	is_int(job, 1, "nothing of it is left for the next");
	inspector_stop(in);

	in = inspector_of("most");
	is_int(run(in, &out), 0, "as much as may be written");
	ok(out.verdict.n == VERDICT_MAX && all(out.verdict, 'v'), "comes whole");
	ok(out.errors.n == 0, "with no errors");
	inspector_stop(in);
	in = inspector_of("more");
	is_int(run(in, &out), -1, "a byte more");
	is_int(err.status, 500, "is an error");
	inspector_stop(in);

	in = inspector_of("refuses");
	is_int(run(in, &out), 0, "a crate that is refused");
	is_int(WEXITSTATUS(out.status), JOB_REFUSED, "is a verdict as well");
	is_int(run(in, &out), 0, "a second one");
	(void)verdict_pid(&out, &job);
	is_int(job, 2, "goes to the same template");
	inspector_stop(in);
}

/* What is done once with an inspector that fails; each job goes to a new template. */
static void
test_failures(void)
{
	const struct {
		const char *name;
		int rc, status, http;
	} cases[] = {
		{ "crashes", 0, SIGSEGV, 0 },
		{ "trouble", 0, 0x200, 0 },
		{ "hangs", -1, 0, 503 },
		{ "keeps", -1, 0, 500 },
		{ "ends", -1, 0, 500 },
		{ "other", -1, 0, 500 },
		{ "last", 0, 0, 0 },
		{ "early", 0, 0, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct inspector *in = inspector_of(cases[i].name);
		struct inspector_result out;
		int first, job;

		is_int(run_for(in, cases[i].http == 503 ? 1 : PATIENCE_S, &out), cases[i].rc, "how it goes");
		is_int(err.status, cases[i].http, "the error");
		if (cases[i].rc == 0)
			is_int(out.status, cases[i].status, "the status");
		if (cases[i].http == 503)
			ok(slice_is(out.errors, "eeee"), "what it said is there all the same");
		first = verdict_pid(&out, &job);
		if (strcmp(cases[i].name, "last") == 0)
			wait_for_end(first);
		/* how long it takes to say something else nobody knows */
		if (strcmp(cases[i].name, "early") == 0)
			(void)poll(NULL, 0, 2000);
		is_int(run_for(in, cases[i].http == 503 ? 1 : PATIENCE_S, &out), cases[i].rc, "and once more");
		ok(verdict_pid(&out, &job) != first, "by another template");
		is_int(job, 1, "which has got one job");
		inspector_stop(in);
	}
}

/* In two steps: what comes first counts for nothing until the second. */
static void
test_ask(void)
{
	const struct {
		const char *name;
		int rc, status, http;
	} cases[] = {
		{ "good", 0, 0, 0 }, /* writes no line: its output ends */
		{ "line", 0, 0, 0 },
		{ "dies", 0, SIGKILL, 0 },
		{ "goes on", -1, 0, 500 },
		{ "stays", -1, 0, 503 },
	};
	struct arena *request = arena_new();

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct inspector *in = inspector_of(cases[i].name);
		struct inspector_result out;
		int first, job, before = open_fds();

		for (int n = 1; n <= 2; n++) {
			is_int(ask(in, request, cases[i].http == 503 ? 1 : PATIENCE_S, &out), 0, "is asked");
			first = verdict_pid(&out, &job);
			ok(first > 0, "and answers");
			is_int(job, cases[i].rc == 0 && cases[i].status == 0 ? n : 1, "as the right job");
			is_int(inspector_end(in, &out, &err), cases[i].rc, "how it ends");
			is_int(err.status, cases[i].http, "the error");
			if (cases[i].rc == -1)
				continue;
			is_int(out.status, cases[i].status, "the status");
			is_int(inspector_check_status(&out, &err), cases[i].status == 0 ? 0 : -1, "its judgement");
			is_int(err.status, cases[i].status == 0 ? 0 : 500, "the error");
		}
		is_int(inspector_end(in, &out, &err), -1, "it cannot end twice");
		ok(strstr(err.detail, "report this") != NULL, "the error asks for a report");
		inspector_stop(in);
		is_int(open_fds(), before, "no descriptor is left");
	}
	arena_free(request);
}

/* A request that ends with an error leaves the second step out. */
static void
test_drop(void)
{
	struct inspector *in = inspector_of("line");
	struct arena *request = arena_new();
	struct inspector_result out;
	int first, job;

	is_int(ask(in, request, PATIENCE_S, &out), 0, "a crate");
	first = verdict_pid(&out, &job);
	arena_reset(request);
	is_int(ask(in, request, PATIENCE_S, &out), 0, "the next one");
	is_int(verdict_pid(&out, &job), first, "goes to the same template");
	is_int(job, 2, "as the next job");
	is_int(inspector_end(in, &out, &err), 0, "and ends");
	ok(slice_is(out.errors, "eeee"), "with its own errors");
	inspector_stop(in);
	arena_free(request);
}

static void
test_start(void)
{
	const struct job nowhere = { .limits = { 1000, 10, "" } };
	struct inspector_result out;
	struct inspector *in = inspector_new(arena, "/nonexistent/inspector");
	int before = open_fds();

	is_int(run(in, &out), -1, "a program that is not there");
	is_int(err.status, 500, "is an error");
	in = inspector_new(arena, "/bin/true");
	is_int(run(in, &out), -1, "one that ends at once");
	is_int(err.status, 500, "is an error");
	in = inspector_of("good");
	is_int(run(in, &out), 0, "a crate");
	is_int(inspector_run(in, arena, &nowhere, 0, clock_us() + 1000000, &out, &err), -1,
	    "a job that cannot be sent");
	is_int(err.status, 500, "is an error");
	is_int(run(in, &out), 0, "and no job behind it suffers");
	inspector_stop(in);
	is_int(open_fds(), before, "no descriptor is left");
	inspector_stop(NULL);
}

/* ---- the real program ---- */

/* What a worker would start; on its socket the tests say what no worker says. */
static pid_t
program_start(const char *path, int *worker)
{
	int ends[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == -1)
		return -1;
	pid = fork();
	if (pid == 0) {
		(void)dup2(ends[1], STDIN_FILENO);
		execl(path, path, "--serve", (char *)NULL);
		_exit(127);
	}
	close(ends[1]);
	*worker = ends[0];
	return pid;
}

/* Sends a job of no bytes; returns the end of the verdict's pipe. */
static int
job_give(int worker, uint64_t number)
{
	const struct job job = { .number = number, .limits = { 1000, 10, "foo-1.0.0" } };
	struct job_fds fds = { .crate = open("/dev/null", O_RDONLY | O_CLOEXEC) };
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) == -1)
		return -1;
	fds.verdict = ends[1];
	is_int(job_send(worker, &job, &fds, &err), 0, "a job is sent");
	close(fds.crate);
	close(fds.verdict);
	return ends[0];
}

static void
is_report(int worker, uint64_t number, int status, const char *name)
{
	struct job_report report = { 0 };

	is_int(job_report_receive(worker, &report, &err), 1, name);
	is_int(report.number, number, "the report has its number");
	is_int(report.status, status, "and its status");
}

/* Jobs that are handed over by mistake. */
static void
test_mistakes(const char *path)
{
	char bytes[1000];
	int worker = -1, status, first, second;
	struct job_report report;
	pid_t pid = program_start(path, &worker);

	first = job_give(worker, 1);
	is_report(worker, 1, 0x100, "a crate of no bytes is refused");
	second = job_give(worker, 1);
	is_report(worker, 2, 0x200, "the same job again");
	ok(read(first, bytes, sizeof(bytes)) > 0, "the first got a verdict");
	ok(read(first, bytes, sizeof(bytes)) == 0, "one");
	ok(read(second, bytes, sizeof(bytes)) == 0, "the second got none");
	close(first);
	close(second);
	is_int(job_report_receive(worker, &report, &err), 0, "and the template ends");
	ok(waitpid(pid, &status, 0) == pid && status == 0, "by itself");
	close(worker);

	pid = program_start(path, &worker);
	ok(send(worker, "nonsense", 8, 0) == 8, "no job at all");
	is_report(worker, 1, 0x200, "nonsense");
	ok(waitpid(pid, &status, 0) == pid && status == 0, "the template ends");
	close(worker);

	pid = program_start(path, &worker);
	close(worker);
	ok(waitpid(pid, &status, 0) == pid && status == 0, "a worker that has gone: the template ends");
}

/* The first number behind a word of a file below /proc; -1: there is none. */
static long
proc_number(pid_t pid, const char *file, const char *word)
{
	char text[8192] = "";
	int fd = open(arena_printf(arena, "/proc/%d/%s", (int)pid, file), O_RDONLY | O_CLOEXEC);
	const char *at;

	if (fd == -1)
		return -1;
	(void)!read(fd, text, sizeof(text) - 1);
	close(fd);
	at = strstr(text, word);
	return at == NULL ? -1 : strtol(at + strlen(word), NULL, 10);
}

static pid_t
child_of(pid_t pid)
{
	return (pid_t)proc_number(pid, arena_printf(arena, "task/%d/children", (int)pid), "");
}

/* While it reads a crate that does not come: what may it do? */
static void
test_sandbox(const char *path)
{
	struct inspector *in = inspector_new(arena, path);
	const struct job job = { .limits = { UINT64_C(64) << 20, 10, "foo-1.0.0" } };
	struct inspector_result out;
	int crate[2], fds = 0, status = 0;
	pid_t worker, child = 0;

	if (pipe2(crate, O_CLOEXEC) == -1)
		return;
	worker = fork();
	if (worker == 0) {
		close(crate[1]);
		if (inspector_run(in, arena, &job, crate[0], clock_us() + PATIENCE_S * 1000000, &out, &err) == -1)
			_exit(99);
		inspector_stop(in);
		_exit(WEXITSTATUS(out.status));
	}
	close(crate[0]);
	for (int i = 0; i < PATIENCE_S * 100 && proc_number(child, "status", "\nSeccomp:") != 2; i++) {
		(void)poll(NULL, 0, 10);
		child = child_of(child_of(worker));
	}
	is_int(proc_number(child, "status", "\nSeccomp:"), 2, "a filter of system calls is on");
	is_int(proc_number(child, "status", "\nNoNewPrivs:"), 1, "it cannot gain privileges");
	for (int fd = 0; fd < 64; fd++)
		fds += faccessat(AT_FDCWD, arena_printf(arena, "/proc/%d/fd/%d", (int)child, fd), F_OK,
		    AT_SYMLINK_NOFOLLOW) == 0;
	is_int(fds, 3, "it has no descriptors but the standard ones");
	is_int(proc_number(child, "limits", "Max open files"), 0, "it can open none");
	is_int(proc_number(child, "limits", "Max address space"), 256 << 20, "memory is limited");
	is_int(proc_number(child, "limits", "Max cpu time"), 12, "time is limited by the size of this job");
	is_int(getpriority(PRIO_PROCESS, (id_t)child), 10, "everything else goes before it");
	is_int(proc_number(child_of(worker), "status", "\nSeccomp:"), 0, "the template is in no sandbox");
	close(crate[1]);
	ok(waitpid(worker, &status, 0) == worker && WEXITSTATUS(status) == JOB_REFUSED, "the end of the crate");
}

/* A crate of a text and of a file that is too large to be compared by lines, in memory. */
static int
crate_new(const char *below, char text)
{
	enum { LARGE = 300 << 10 };
	char *large = arena_alloc(arena, LARGE);
	int fd = memfd_create("crate", MFD_CLOEXEC);
	struct buf tar;
	struct slice crate;

	memset(large, text, LARGE);
	buf_init(&tar, arena, TARBALL_MAX);
	tarball_entry(&tar, '0', arena_printf(arena, "%s/a", below), arena_printf(arena, "same\n%c\n", text));
	tarball_header(&tar, '0', arena_printf(arena, "%s/b", below), LARGE);
	tarball_data(&tar, large, LARGE);
	tarball_end(&tar);
	crate = tarball_gzip(arena, buf_slice(&tar), 1);
	if (write(fd, crate.p, crate.n) != (ssize_t)crate.n || lseek(fd, 0, SEEK_SET) != 0)
		exit(EXIT_FAILURE);
	return fd;
}

/* Two crates are compared within the sandbox, where there is one. */
static void
test_compares(const char *path)
{
	struct inspector *in = inspector_new(arena, path);
	struct job job = { .kind = JOB_DIFF, .limits = { UINT64_C(64) << 20, 10, "foo-1.0.0" }, .path = "foo-1.1.0",
		.other = crate_new("foo-1.1.0", 'y') };
	int crate = crate_new("foo-1.0.0", 'x');
	struct inspector_result out = { .status = -1 };

	if (inspector_run(in, arena, &job, crate, clock_us() + PATIENCE_S * 1000000, &out, &err) == -1)
		printf("# %s\n", err.detail);
	is_int(out.status, 0, "two crates are compared");
	is_str(arena_slicedup(arena, out.verdict), "F M - 7 7 a\n@ 1 1\n same\n-x\n+y\n"
	    "F M f 307200 307200 b\nE 0\n", "by lines and by checksums");
	close(crate);
	close(job.other);
	inspector_stop(in);
}

static void
test_program(void)
{
	const char *folder_end = strrchr(self, '/');
	const char *here = arena_printf(arena, "%.*s", (int)(folder_end - self), self);
	/* under sanitizers there is no sandbox */
	const char *plain = arena_printf(arena, "%s/../../berth-inspect", here);

	test_mistakes(arena_printf(arena, "%s/../berth-inspect", here));
	test_compares(arena_printf(arena, "%s/../berth-inspect", here));
	if (access(plain, X_OK) == 0) {
		test_sandbox(plain);
		test_compares(plain);
	} else {
		printf("# no build/berth-inspect, and so no sandbox\n");
	}
}

static void
folder_remove(void)
{
	for (size_t i = 0; i < sizeof(fakes) / sizeof(*fakes); i++)
		(void)unlink(arena_printf(arena, "%s/%s", folder, fakes[i].name));
	(void)rmdir(folder);
}

int
main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/'), *name = slash == NULL ? argv[0] : slash + 1;

	for (size_t i = 0; i < sizeof(fakes) / sizeof(*fakes); i++) {
		if (argc == 2 && strcmp(name, fakes[i].name) == 0)
			return fake_main(&fakes[i]);
	}
	signal(SIGPIPE, SIG_IGN);
	arena = arena_new();
	if (readlink("/proc/self/exe", self, sizeof(self) - 1) <= 0 || mkdtemp(folder) == NULL)
		return 1;
	test_good();
	test_output();
	test_failures();
	test_ask();
	test_drop();
	test_start();
	test_program();
	folder_remove();
	arena_free(arena);
	return tap_done();
}
