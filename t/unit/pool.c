/* The pool, with the application of t/pool_app.h. */

#include "pool/pool.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "fcgi_client.h"
#include "pool/deferred.h"
#include "pool/listen.h"
#include "pool_app.h"
#include "tap.h"

static char sock[64], write_sock[64], conf[64], log_path[64];

/* ---- running it ---- */

static void
conf_write(const char *more)
{
	FILE *f = fopen(conf, "w");

	if (f == NULL || fprintf(f, "external_url = https://berth.example\nsocket = %s\n"
	    "log_file = %s\n%s%s", sock, log_path,
	    strstr(more, "write_workers") == NULL ? "write_workers = 1\n" : "", more) < 0 || fclose(f) != 0)
		abort();
}

static int
pool_main(void)
{
	struct arena *arena = arena_new();
	struct settings s;
	struct err err;
	struct listeners l;
	int status = 70;

	if (settings_load(arena, conf, &s, &err) == 0 && pool_log_open(&s) == 0 &&
	    listen_open(&s, &l, &err) == 0) {
		status = pool_run(&test_app, conf, &s, &l);
		listen_close(&s, &l);
	}
	arena_free(arena);
	return status;
}

/* Does the log say it now? */
static bool
logged_now(const char *text)
{
	static char content[1 << 25]; /* a slow machine logs many requests */
	FILE *f = fopen(log_path, "r");
	size_t n = f == NULL ? 0 : fread(content, 1, sizeof(content) - 1, f);

	if (f != NULL)
		fclose(f);
	content[n] = '\0';
	return strstr(content, text) != NULL;
}

/* Waits until the log says it; no longer than a client would. */
static bool
logged(const char *text)
{
	int64_t end = clock_us() + CLIENT_PATIENCE_S * 1000000LL;

	while (clock_us() < end) {
		if (logged_now(text))
			return true;
		nanosleep(&(struct timespec) { .tv_nsec = 5000000 }, NULL);
	}
	return false;
}

static pid_t
start(const char *more)
{
	pid_t pid;

	unlink(log_path);
	conf_write(more);
	fflush(stdout);
	pid = fork();
	if (pid == 0)
		exit(pool_main());
	return pid;
}

static int
ended(pid_t pid)
{
	int status = -1;

	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		continue;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static int
stop(pid_t pid)
{
	kill(pid, SIGTERM);
	return ended(pid);
}

static const char *
fetch(const char *method, const char *uri, const char *body, size_t n)
{
	return client_fetch(sock, method, uri, body, n);
}

/* The number in the body of the answer; -1: no whole answer, -status: an error. */
static long
number(const char *text)
{
	const char *body = text == NULL ? NULL : strstr(text, "\r\n\r\n");

	if (body == NULL)
		return -1;
	if (strncmp(text, "Status: 200 ", 12) != 0)
		return -strtol(text + 8, NULL, 10);
	return strtol(body, NULL, 10);
}

static long
get(const char *uri)
{
	return number(fetch("GET", uri, "", 0));
}

/* ---- the tests ---- */

static void
test_serve(void)
{
	static char body[100000];
	pid_t pool = start("workers = 2\n");
	int fd;
	long first;

	ok(logged("ready: 2 workers"), "the workers become ready");
	ok(get("/pid") > 0, "a request is served");
	is_int(get("/nowhere"), -404, "another is not found");
	is_int(number(fetch("PUT", "/pid", "", 0)), -405, "or has a wrong method");
	ok(strstr(fetch("PUT", "/pid", "", 0), "Allow: GET, HEAD\r\n") != NULL,
	    "  which tells others");
	is_int(number(fetch("PUT", "/body", body, sizeof(body))), sizeof(body), "a body that the handler reads");
	ok(number(fetch("PUT", "/none", body, 65536)) > 0, "a body that nobody wants");
	is_int(number(fetch("PUT", "/none", body, 65537)), -413, "too much of it");
	fd = client_connect(sock);
	client_send(fd, "GET", "/pid", "", 0, true);
	first = number(client_answer(fd));
	client_send(fd, "GET", "/pid", "", 0, true);
	ok(first > 0 && number(client_answer(fd)) == first, "a connection that is kept");
	is_int(stop(pool), 0, "SIGTERM ends the pool, also while one is");
	close(fd);
	ok(logged("method=GET route=pid status=200 ms="), "a line a request");
	ok(logged("actor=user:7 path=/pid\n"), "with the actor and the path");
}

static void
test_crash(void)
{
	pid_t pool = start("workers = 1\n");
	long before;

	ok(logged("ready"), "ready");
	before = get("/pid");
	ok(before > 0, "a request is served");
	is_int(get("/crash"), -1, "the next one costs the worker");
	ok(get("/pid") > 0 && get("/pid") != before, "another worker serves");
	ok(logged("ended by signal 9"), "the crash is logged");
	is_int(stop(pool), 0, "the pool has not noticed otherwise");
}

static void
test_crash_loop(void)
{
	pid_t pool = start("workers = 2\nstore = /broken\n");

	is_int(ended(pool), 1, "workers that never start end the pool");
	ok(logged("the store is broken"), "the reason is logged");
	ok(logged("crash in a loop"), "so is the decision");
}

static void
test_retire(void)
{
	pid_t pool = start("workers = 1\nmax_requests = 3\n");
	long pids[7];

	ok(logged("ready"), "ready");
	for (size_t i = 0; i < 7; i++)
		pids[i] = get("/pid");
	ok(pids[0] > 0 && pids[0] == pids[1] && pids[1] == pids[2], "three requests by one worker");
	ok(pids[3] != pids[2] && pids[3] == pids[4] && pids[4] == pids[5], "three by the next");
	ok(pids[6] > 0 && pids[6] != pids[5], "and so on");
	is_int(stop(pool), 0, "the end");
}

static void
forget_wait(void)
{
	char begun[64], end[64];

	snprintf(begun, sizeof(begun), "%s/begun", test_dir);
	snprintf(end, sizeof(end), "%s/end", test_dir);
	unlink(begun);
	unlink(end);
}

static void
await_begun(void)
{
	char begun[64];

	snprintf(begun, sizeof(begun), "%s/begun", test_dir);
	while (access(begun, F_OK) == -1)
		nanosleep(&(struct timespec) { .tv_nsec = 5000000 }, NULL);
	unlink(begun);
}

/* A request that has begun, and is not answered before `end` is there. */
static int
begin_wait(void)
{
	int fd;

	forget_wait();
	fd = client_connect(sock);
	client_send(fd, "GET", "/wait", "", 0, false);
	await_begun();
	return fd;
}

static void
end_wait(void)
{
	char end[64];
	FILE *f;

	snprintf(end, sizeof(end), "%s/end", test_dir);
	f = fopen(end, "w");
	if (f != NULL)
		fclose(f);
}

static void
test_drain(void)
{
	pid_t pool = start("workers = 2\ndrain_timeout = 60\n");
	int fd;

	ok(logged("ready"), "ready");
	fd = begin_wait();
	kill(pool, SIGTERM);
	ok(logged("stopping"), "it is told to stop");
	end_wait();
	is_int(number(client_answer(fd)), 1, "the request that runs is answered");
	is_int(ended(pool), 0, "then all ends");
	close(fd);

	pool = start("workers = 2\ndrain_timeout = 0\n");
	ok(logged("ready"), "ready");
	fd = begin_wait();
	is_int(stop(pool), 0, "one that does not end in time");
	ok(client_answer(fd) == NULL, "is not answered");
	ok(logged("within drain_timeout"), "which is logged");
	close(fd);
}

static void
test_watchdog(void)
{
	pid_t pool = start("workers = 2\nrequest_timeout = 1\n");
	int fd;

	ok(logged("ready"), "ready");
	fd = begin_wait();
	ok(get("/pid") > 0, "the other worker serves");
	ok(client_answer(fd) == NULL, "a request that does not end costs its worker");
	ok(logged("past request_timeout"), "which is logged");
	close(fd);
	fd = client_connect(sock);
	(void)!send(fd, "\1\1", 2, MSG_NOSIGNAL);
	ok(client_answer(fd) == NULL, "a peer that stops halfway is cut off");
	close(fd);
	is_int(stop(pool), 0, "the pool goes on until its end");
}

static void
test_reload(void)
{
	pid_t pool = start("workers = 2\nmax_features = 11\n");
	int waiting;
	long n = 11, failed = 0, rounds = 0;

	ok(logged("ready"), "ready");
	is_int(get("/setting"), 11, "the first configuration");
	waiting = begin_wait();
	conf_write("workers = 3\nmax_features = 22\n");
	kill(pool, SIGHUP);
	for (; n != 22 && rounds < 100000; rounds++) {
		n = get("/setting");
		failed += n != 11 && n != 22;
	}
	is_int(n, 22, "the second one");
	is_int(failed, 0, "and no request failed");
	ok(logged("reloaded: generation 2"), "which is logged");
	end_wait();
	is_int(number(client_answer(waiting)), 1, "a request of the first ends well");
	close(waiting);

	conf_write("workers = 2\nnonsense = 1\n");
	kill(pool, SIGHUP);
	ok(logged("reload refused"), "a bad file is refused");
	is_int(get("/setting"), 22, "and changes nothing");
	conf_write("workers = 2\nstore = /broken\nmax_features = 33\n");
	kill(pool, SIGHUP);
	ok(logged("reload failed: a new worker crashed"), "workers that do not start are given up");
	is_int(get("/setting"), 22, "and change nothing");
	is_int(stop(pool), 0, "the end");
}

/* Waits for this answer; no longer than a client would. */
static bool
answers(const char *uri, long want)
{
	int64_t end = clock_us() + CLIENT_PATIENCE_S * 1000000LL;

	while (get(uri) != want) {
		if (clock_us() > end)
			return false;
		nanosleep(&(struct timespec) { .tv_nsec = 5000000 }, NULL);
	}
	return true;
}

/* A reload while the workers of another one are still starting. */
static void
test_reload_twice(void)
{
	pid_t pool = start("workers = 1\nmax_features = 11\nlog_level = error\n");

	ok(answers("/setting", 11), "the first configuration");
	forget_wait();
	conf_write("workers = 1\nstore = /slow\nlog_level = error\n");
	kill(pool, SIGHUP);
	await_begun();
	conf_write("workers = 1\nmax_features = 33\nlog_level = info\n");
	kill(pool, SIGHUP);
	ok(logged("reloaded: generation 3"), "the last reload counts, and so does its log");
	/* a worker of before may have taken one more request */
	ok(answers("/setting", 33), "its workers serve");
	end_wait();
	is_int(stop(pool), 0, "the end");
}

/* A reload is refused while the workers of an earlier one still start: those do not have the last file. */
static void
test_reload_refused_meanwhile(void)
{
	pid_t pool = start("workers = 1\nmax_features = 11\n");

	ok(answers("/setting", 11), "the first configuration");
	is_int(get("/reload"), 1, "is in force");
	forget_wait();
	conf_write("workers = 1\nmax_features = 22\nstore = /slow\n");
	kill(pool, SIGHUP);
	await_begun();
	conf_write("workers = 1\nnonsense = 1\n");
	kill(pool, SIGHUP);
	ok(logged("reload refused"), "a file is refused while another one starts");
	is_int(get("/reload"), 0, "it is not in force");
	end_wait();
	ok(logged("reloaded: generation 2"), "the other one is done");
	ok(answers("/setting", 22), "its workers serve");
	is_int(get("/reload"), 0, "but the last file is not in force");
	conf_write("workers = 1\nmax_features = 33\n");
	kill(pool, SIGHUP);
	ok(answers("/setting", 33), "a file without errors");
	/* a new worker serves before the master hears that it is ready */
	ok(answers("/reload", 1), "is");
	is_int(stop(pool), 0, "the end");
}

static void
test_orphans(void)
{
	struct pollfd p = { .events = POLLIN };
	int fds[2];
	pid_t pool;

	/* nobody writes, all hold the end for writing: it ends with the last of them */
	if (pipe(fds) == -1)
		abort();
	p.fd = fds[0];
	pool = start("workers = 2\n");
	close(fds[1]);
	ok(logged("ready"), "ready");
	is_int(poll(&p, 1, 0), 0, "the workers live");
	kill(pool, SIGKILL);
	ended(pool);
	is_int(poll(&p, 1, CLIENT_PATIENCE_S * 1000), 1, "and do not outlive their master");
	close(fds[0]);
	unlink(sock);
	unlink(write_sock);
}

static void
set_free(bool is)
{
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "%s/free", test_dir);
	unlink(path);
	f = is ? fopen(path, "w") : NULL;
	if (f != NULL)
		fclose(f);
}

/* A request that the only worker, which is idle, defers. */
static int
begin_deferred(const char *uri)
{
	int fd = client_connect(sock);

	set_free(false);
	client_send(fd, "GET", uri, "", 0, false);
	/* the worker takes requests in order */
	ok(get("/pid") > 0, "a request is deferred: the next one is served");
	return fd;
}

static void
test_defer(void)
{
	pid_t pool = start("workers = 1\nrequest_timeout = 3600\n");
	int64_t latest, due;
	int fd, kept;

	ok(logged("ready"), "ready");
	fd = begin_deferred("/defer");
	latest = clock_us() + 3600 * 1000000LL;
	kept = client_connect(sock);
	client_send(kept, "GET", "/pid", "", 0, true);
	ok(number(client_answer(kept)) > 0, "a connection is kept, and silent");
	ok(get("/pid") > 0, "  which does not hold the worker while another request waits");
	close(kept);
	set_free(true);
	due = number(client_answer(fd));
	ok(due > 0 && due <= latest, "the deadline of the deferred request does not move");
	close(fd);
	is_int(stop(pool), 0, "the end");
}

/* Clients that have gone leave room for others. */
static void
test_defer_many(void)
{
	pid_t pool = start("workers = 1\nrequest_timeout = 3600\n");
	int fds[DEFERRED_MAX], fd;

	ok(logged("ready"), "ready");
	set_free(false);
	for (size_t i = 0; i < DEFERRED_MAX; i++) {
		fds[i] = client_connect(sock);
		client_send(fds[i], "GET", "/defer", "", 0, false);
	}
	ok(get("/pid") > 0, "a worker has deferred as many requests as it may");
	is_int(get("/defer"), -503, "and refuses the next one");
	for (size_t i = 0; i < DEFERRED_MAX; i++)
		close(fds[i]);
	fd = begin_deferred("/defer");
	set_free(true);
	ok(number(client_answer(fd)) > 0, "when the clients have gone, it has room");
	close(fd);
	is_int(stop(pool), 0, "the end");
}

static void
test_defer_and_retire(void)
{
	pid_t pool = start("workers = 1\nmax_requests = 2\nrequest_timeout = 3600\n");
	long pid;
	int fd;

	ok(logged("ready"), "ready");
	fd = begin_deferred("/defer");
	pid = get("/pid");
	is_int(get("/pid"), pid, "a worker that is to retire serves while one of its requests waits");
	set_free(true);
	ok(number(client_answer(fd)) > 0, "and answers that one");
	close(fd);
	ok(get("/pid") != pid, "then it retires");
	is_int(stop(pool), 0, "the end");
}

/* Two requests that are due, one after the other. */
static void
test_defer_and_rotate(void)
{
	pid_t pool = start("workers = 1\nrequest_timeout = 3600\n");
	char old[80];
	pid_t worker;
	int fds[2];

	ok(logged("ready"), "ready");
	fds[0] = begin_deferred("/defer_wait");
	fds[1] = begin_deferred("/defer_wait");
	worker = (pid_t)get("/pid");
	forget_wait();
	set_free(true);
	await_begun();
	snprintf(old, sizeof(old), "%s.1", log_path);
	rename(log_path, old);
	kill(worker, SIGUSR1);
	/* so the second one is due when the first one is answered */
	nanosleep(&(struct timespec) { .tv_nsec = 100000000 }, NULL);
	end_wait();
	for (size_t i = 0; i < 2; i++) {
		is_int(number(client_answer(fds[i])), 1, "a deferred request is answered");
		close(fds[i]);
	}
	ok(logged("route=defer_wait"), "the worker opens a new log between them");
	unlink(old);
	is_int(stop(pool), 0, "the end");
}

static void
test_defer_and_drain(void)
{
	pid_t pool = start("workers = 1\ndrain_timeout = 4\n");
	int fd;

	ok(logged("ready"), "ready");
	fd = begin_deferred("/defer");
	kill(pool, SIGTERM);
	is_int(number(client_answer(fd)), -503, "a pool that stops answers a request that waits in vain");
	close(fd);
	is_int(ended(pool), 0, "then all ends");
	ok(!logged_now("within drain_timeout"), "in time");

	pool = start("workers = 1\ndrain_timeout = 3600\nrequest_timeout = 8\n");
	ok(logged("ready"), "ready");
	fd = begin_deferred("/defer_wait");
	kill(pool, SIGTERM);
	ok(logged("stopping"), "the pool stops");
	forget_wait();
	set_free(true);
	ok(client_answer(fd) == NULL, "a deferred request that does not end costs its worker");
	close(fd);
	ok(logged("past request_timeout"), "which is logged");
	is_int(ended(pool), 0, "and all ends");
}

int
main(int argc, char **argv)
{
	char leftover[2][64];

	if (pool_is_child(argc, argv)) {
		snprintf(test_dir, sizeof(test_dir), "%s", getenv("BERTH_TEST_DIR"));
		return pool_child_main(&test_app, argc, argv);
	}
	if (mkdtemp(test_dir) == NULL)
		return 1;
	setenv("BERTH_TEST_DIR", test_dir, 1);
	snprintf(sock, sizeof(sock), "%s/sock", test_dir);
	snprintf(write_sock, sizeof(write_sock), "%s/sock-write", test_dir);
	snprintf(conf, sizeof(conf), "%s/conf", test_dir);
	snprintf(log_path, sizeof(log_path), "%s/log", test_dir);
	test_serve();
	test_crash();
	test_crash_loop();
	test_retire();
	test_drain();
	test_watchdog();
	test_reload();
	test_reload_twice();
	test_reload_refused_meanwhile();
	test_defer();
	test_defer_many();
	test_defer_and_retire();
	test_defer_and_rotate();
	test_defer_and_drain();
	test_orphans();
	set_free(false);
	snprintf(leftover[0], sizeof(leftover[0]), "%s/end", test_dir);
	snprintf(leftover[1], sizeof(leftover[1]), "%s/begun", test_dir);
	unlink(leftover[0]);
	unlink(leftover[1]);
	unlink(sock);
	unlink(write_sock);
	unlink(conf);
	unlink(log_path);
	rmdir(test_dir);
	return tap_done();
}
