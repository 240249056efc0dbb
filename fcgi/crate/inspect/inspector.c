#include "crate/inspect/inspector.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fault.h"
#include "crate/inspect/job.h"

enum {
	PIECE = 16 * 1024,
	END_US = CLOCK_SECOND /* least time for the end of a process that has answered */
};

struct inspector {
	const char *path;
	pid_t pid; /* of the template; 0: there is none, and the other members mean nothing */
	int socket; /* for jobs and reports */
	int errors; /* standard error of the template and its children; -1: closed by all of them */
	uint64_t jobs; /* that this template has got */
	struct run *run; /* the job that has not ended; NULL: there is none */
};

/* One of the two outputs. */
struct stream {
	int *fd; /* -1: the output has ended */
	struct buf buf;
	bool cut; /* true: drops bytes beyond the limit; false: they are an error */
};

/* A job that was handed over. */
struct run {
	struct inspector *inspector;
	struct stream verdict, errors;
	int verdict_fd;
	size_t answered; /* bytes of the verdict that the caller has already */
	char *piece; /* PIECE bytes */
	int64_t deadline_us;
	struct job_report report; /* number 0: there is none */
	bool over; /* the process has ended, or the template */
	bool dry; /* there was nothing to read */
};

struct inspector *
inspector_new(struct arena *a, const char *path)
{
	struct inspector *in = arena_alloc(a, sizeof(*in));

	*in = (struct inspector) { .path = path };
	return in;
}

static void
fd_close(int *fd)
{
	if (*fd != -1)
		close(*fd);
	*fd = -1;
}

static void
pair_close(int pair[2])
{
	fd_close(&pair[0]);
	fd_close(&pair[1]);
}

void
inspector_stop(struct inspector *in)
{
	if (in == NULL || in->pid == 0)
		return;
	/* its child is killed with it */
	kill(in->pid, SIGKILL);
	(void)TEMP_FAILURE_RETRY(waitpid(in->pid, NULL, 0));
	fd_close(&in->socket);
	fd_close(&in->errors);
	in->pid = 0;
}

/* 0 or an error number. */
static int
spawn(const char *path, int socket, int errors, pid_t *pid)
{
	const char *argv[] = { path, "--serve", NULL };
	/* crate/inspect/template.c removes libraries from memory only with it */
	char bind_now[] = "LD_BIND_NOW=1";
	char *const environment[] = { bind_now, NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none;
	int rc;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, socket, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, errors, STDERR_FILENO);
	posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	/* libfcgi and libpq do not promise close-on-exec for what they open */
	posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
	posix_spawnattr_init(&attr);
	sigemptyset(&none);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
	rc = posix_spawn(pid, path, &actions, &attr, (char *const *)(uintptr_t)argv, environment);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);
	return rc;
}

static int
template_start(struct inspector *in, struct err *err)
{
	int jobs[2] = { -1, -1 }, errors[2] = { -1, -1 }, rc;

	if (FAULT_FAILS("inspect", "socket") || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, jobs) == -1)
		return err_sys(err, "a socket for the inspector");
	if (FAULT_FAILS("inspect", "errors") || pipe2(errors, O_CLOEXEC) == -1) {
		err_sys(err, "a pipe for the inspector");
		pair_close(jobs);
		return -1;
	}
	rc = spawn(in->path, jobs[1], errors[1], &in->pid);
	fd_close(&jobs[1]);
	fd_close(&errors[1]);
	in->socket = jobs[0];
	in->errors = errors[0];
	in->jobs = 0;
	if (rc == 0)
		return 0;
	in->pid = 0;
	pair_close(jobs);
	pair_close(errors);
	return err_internal(err, 500, "cannot start %s: %s", in->path, strerrordesc_np(rc));
}

/* Does the template wait for a job, with nothing to say before? */
static bool
template_waits(const struct inspector *in)
{
	struct pollfd p = { .fd = in->socket, .events = POLLIN };
	siginfo_t ended = { .si_pid = 0 };

	/* inspector_stop() waits for it */
	if (waitid(P_PID, (id_t)in->pid, &ended, WEXITED | WNOHANG | WNOWAIT) == -1 || ended.si_pid != 0)
		return false;
	return poll(&p, 1, 0) == 0;
}

/* Hands the crate over.  On success *verdict is the end of a pipe to read from. */
static int
job_hand_over(struct inspector *in, const struct job *wanted, int crate, int *verdict, struct err *err)
{
	struct job job = *wanted;
	struct job_fds fds = { .crate = crate };
	int ends[2], rc;

	if (FAULT_FAILS("inspect", "verdict") || pipe2(ends, O_CLOEXEC) == -1)
		return err_sys(err, "a pipe for the verdict");
	fds.verdict = ends[1];
	job.number = ++in->jobs;
	rc = job_send(in->socket, &job, &fds, err);
	if (rc == 0 && FAULT_FAILS("inspect", "twice"))
		rc = job_send(in->socket, &job, &fds, err);
	FAULT_POINT("inspect", "handed");
	close(ends[1]);
	if (rc == -1)
		close(ends[0]);
	else
		*verdict = ends[0];
	return rc;
}

/* Reads the bytes that have arrived.  -1: err. */
static int
stream_read(struct stream *s, char *piece, struct err *err)
{
	ssize_t n = read(*s->fd, piece, PIECE);
	size_t room = s->buf.max - s->buf.n;

	if (n == -1)
		return errno == EINTR || errno == EAGAIN ? 0 : err_sys(err, "read from the inspector");
	if (n == 0)
		fd_close(s->fd);
	else
		buf_put(&s->buf, piece, s->cut && (size_t)n > room ? room : (size_t)n);
	if (buf_full(&s->buf))
		return err_internal(err, 500, "the inspector writes more than %zu bytes", s->buf.max);
	return 0;
}

/* One turn of waiting: reads what has come.  -1: err. */
static int
run_turn(struct run *run, struct err *err)
{
	struct inspector *in = run->inspector;
	struct stream *s[] = { &run->verdict, &run->errors };
	struct pollfd p[] = { { .fd = *s[0]->fd, .events = POLLIN }, { .fd = *s[1]->fd, .events = POLLIN },
		{ .fd = run->over ? -1 : in->socket, .events = POLLIN } };
	int64_t left = run->deadline_us - clock_us();
	int n;

	if (left <= 0)
		return err_internal(err, 503, "the inspector did not finish in time");
	n = poll(p, 3, run->over ? 0 : (int)(left / 1000) + 1);
	run->dry = n == 0;
	for (size_t i = 0; n > 0 && i < 2; i++) {
		if (p[i].revents != 0 && stream_read(s[i], run->piece, err) == -1)
			return -1;
	}
	if (n <= 0 || p[2].revents == 0)
		return 0;
	run->over = true;
	return job_report_receive(in->socket, &run->report, err) == -1 ? -1 : 0;
}

/* Has the process written a line, or can nothing more come? */
static bool
has_answered(const struct run *run)
{
	struct slice text = buf_slice(&run->verdict.buf);

	return *run->verdict.fd == -1 || (run->over && run->dry) || (text.n > 0 && text.p[text.n - 1] == '\n');
}

/* Waits until the process has ended, then reads the rest.  -1: err. */
static int
run_wait(struct run *run, struct err *err)
{
	while (!run->over || !run->dry) {
		if (run_turn(run, err) == -1)
			return -1;
	}
	if (run->report.number != run->inspector->jobs)
		return err_internal(err, 500, run->report.number == 0 ? "the inspector ended without a report"
		    : "the inspector reports on another crate");
	if (*run->verdict.fd != -1 || (run->answered > 0 && run->verdict.buf.n > run->answered))
		return err_internal(err, 500, "the inspector's verdict does not end");
	return 0;
}

/* Ends a template that cannot go on.  What it has said before its end is told with the next crate. */
static void
run_replace(struct run *run)
{
	struct pollfd p = { .fd = *run->errors.fd, .events = POLLIN };
	struct err ignored = { 0 };

	if (poll(&p, 1, 0) == 1)
		(void)stream_read(&run->errors, run->piece, &ignored);
	inspector_stop(run->inspector);
}

/* Hands the crate to a template, a new one if need be. */
static int
run_begin(struct run *run, const struct job *job, int crate, struct err *err)
{
	struct inspector *in = run->inspector;

	if (in->pid != 0 && !template_waits(in))
		run_replace(run);
	if (in->pid == 0 && template_start(in, err) == -1)
		return -1;
	return job_hand_over(in, job, crate, run->verdict.fd, err);
}

static struct inspector_result
run_result(const struct run *run)
{
	return (struct inspector_result) { buf_slice(&run->verdict.buf), buf_slice(&run->errors.buf),
		run->report.status };
}

/* The job is over, with rc. */
static int
run_end(struct run *run, int rc)
{
	run->inspector->run = NULL;
	fd_close(&run->verdict_fd);
	if (rc == -1 || !job_is_judged(run->report.status))
		inspector_stop(run->inspector);
	return rc;
}

/* Waits for the end of the job.  What the caller has done since the verdict is not the process's time. */
static int
run_finish(struct run *run, struct err *err)
{
	int64_t least_us = clock_us() + END_US;

	if (run->answered > 0 && run->deadline_us < least_us)
		run->deadline_us = least_us;
	return run_end(run, run_wait(run, err));
}

/* Ends the job if its caller has not. */
static void
run_drop(void *arg)
{
	struct run *run = arg;
	struct err ignored = { 0 };

	if (run->inspector->run == run)
		(void)run_finish(run, &ignored);
}

/* A job that is handed over; NULL: err, and *result has what was said before. */
static struct run *
run_new(struct inspector *in, struct arena *a, const struct job *job, int crate, int64_t deadline_us,
    struct inspector_result *result, struct err *err)
{
	struct run *run = arena_calloc(a, 1, sizeof(*run));

	assert(in->run == NULL);
	*run = (struct run) {
		.inspector = in,
		.verdict_fd = -1,
		.verdict = { .fd = &run->verdict_fd },
		.errors = { .fd = &in->errors, .cut = true },
		.piece = arena_alloc(a, PIECE),
		.deadline_us = deadline_us,
	};
	buf_init(&run->verdict.buf, a, VERDICT_MAX);
	buf_init(&run->errors.buf, a, INSPECTOR_ERRORS_MAX);
	in->run = run;
	arena_defer(a, run_drop, run);
	if (run_begin(run, job, crate, err) == 0)
		return run;
	(void)run_end(run, -1);
	*result = run_result(run);
	return NULL;
}

int
inspector_ask(struct inspector *in, struct arena *a, const struct job *job, int crate, int64_t deadline_us,
    struct inspector_result *result, struct err *err)
{
	struct run *run = run_new(in, a, job, crate, deadline_us, result, err);
	int rc = 0;

	if (run == NULL)
		return -1;
	while (rc == 0 && !has_answered(run))
		rc = run_turn(run, err);
	run->answered = run->verdict.buf.n;
	if (rc == -1)
		(void)run_end(run, -1);
	*result = run_result(run);
	return rc;
}

int
inspector_end(struct inspector *in, struct inspector_result *result, struct err *err)
{
	struct run *run = in->run;
	int rc;

	if (run == NULL)
		return err_internal(err, 500, "a fault of Berth: it waits for an inspection that has not begun; please "
		    "report this");
	rc = run_finish(run, err);
	*result = run_result(run);
	return rc;
}

int
inspector_run(struct inspector *in, struct arena *a, const struct job *job, int crate, int64_t deadline_us,
    struct inspector_result *result, struct err *err)
{
	return run_new(in, a, job, crate, deadline_us, result, err) == NULL ? -1
	    : inspector_end(in, result, err);
}

int
inspector_check_status(const struct inspector_result *result, struct err *err)
{
	return job_is_judged(result->status) ? 0
	    : err_internal(err, 500, "the inspector ended with wait status %#x", (unsigned)result->status);
}
