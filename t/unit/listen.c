#include "pool/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

static char dir[] = "/tmp/berth-listen-XXXXXX";
static char path[sizeof(dir) + 8], write_path[sizeof(path) + 8];
static struct settings settings = { .socket = path, .write_socket = write_path, .socket_mode = 0620,
	.socket_owner = "" };
static struct listeners l;
static struct err err;

static int away; /* errno of a directory service that does not answer; 0: it answers */

/* In place of the system's. */
struct passwd *
getpwnam(const char *name)
{
	static char room[4096];
	static struct passwd pw;
	struct passwd *found = NULL;

	errno = away != 0 ? away : getpwnam_r(name, &pw, room, sizeof(room), &found);
	return found;
}

struct group *
getgrnam(const char *name)
{
	static char room[4096];
	static struct group gr;
	struct group *found = NULL;

	errno = away != 0 ? away : getgrnam_r(name, &gr, room, sizeof(room), &found);
	return found;
}

static int
open_it(void)
{
	err_clear(&err);
	return listen_open(&settings, &l, &err);
}

static bool
answers_at(const char *at)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	int rc;

	memcpy(sa.sun_path, at, strlen(at));
	rc = connect(fd, (const struct sockaddr *)&sa, sizeof(sa));
	close(fd);
	return rc == 0;
}

static bool
answers(void)
{
	return answers_at(path);
}

static void
test_own(void)
{
	struct stat st = { 0 };
	struct listeners first;
	mode_t mask = umask(022);

	is_int(open_it(), 0, "sockets of our own");
	ok(l.own, "which are ours to remove");
	is_int(umask(mask), 022, "the mask is as before");
	ok(l.fd[WORKER_READ] != l.fd[WORKER_WRITE], "they are two");
	for (size_t i = 0; i < WORKER__KINDS; i++) {
		ok(l.fd[i] > STDERR_FILENO, "%zu: there", i);
		ok(fcntl(l.fd[i], F_GETFL) & O_NONBLOCK, "%zu: non-blocking", i);
		ok(fcntl(l.fd[i], F_GETFD) & FD_CLOEXEC, "%zu: close-on-exec", i);
		is_int(stat(i == WORKER_READ ? path : write_path, &st), 0, "its file is there");
		ok(S_ISSOCK(st.st_mode), "a socket");
		is_int(st.st_mode & 07777, 0620, "with the mode that was asked for");
	}
	ok(answers() && answers_at(write_path), "both answer");

	first = l;
	is_int(open_it(), -1, "a second time they are refused");
	ok(strstr(err.detail, "another process already listens on") != NULL, "the error says why");
	ok(answers() && answers_at(write_path), "the first still answer");

	close(first.fd[WORKER_WRITE]);
	is_int(open_it(), -1, "one of them is taken");
	ok(strstr(err.detail, path) != NULL, "which the error names");
	is_int(access(write_path, F_OK), -1, "the other was opened before, and is not left behind");
	close(first.fd[WORKER_READ]);

	is_int(open_it(), 0, "what was left behind is replaced");
	listen_close(&settings, &l);
	ok(access(path, F_OK) == -1 && access(write_path, F_OK) == -1, "at the end the files go");
	is_int(l.fd[WORKER_READ], -1, "with the sockets");
}

static void
test_owner(void)
{
	const struct group *gr = getgrgid(getegid());
	char group[64];
	struct stat st = { 0 };

	snprintf(group, sizeof(group), "%d:%s", (int)geteuid(), gr == NULL ? "0" : gr->gr_name);
	settings.socket_owner = group;
	is_int(open_it(), 0, "user by number, group by name");
	is_int(stat(write_path, &st), 0, "its file is there");
	ok(st.st_uid == geteuid() && st.st_gid == getegid(), "and theirs");
	listen_close(&settings, &l);

	snprintf(group, sizeof(group), ":%d", (int)getegid());
	is_int(open_it(), 0, "a group alone");
	listen_close(&settings, &l);
	settings.socket_owner = "";
}

static void
test_errors(void)
{
	static const char *const owners[] = { "no such user", "0:no such group", "4294967295", "0x",
		"0:4294967295", "0:" };
	char long_path[sizeof(((struct sockaddr_un *)0)->sun_path) + 1];
	const char **paths[] = { &settings.socket, &settings.write_socket };
	int fd;

	for (size_t i = 0; i < sizeof(owners) / sizeof(*owners); i++) {
		settings.socket_owner = owners[i];
		is_int(open_it(), -1, owners[i]);
		ok(strstr(err.detail, "socket_owner") != NULL, "  names the key");
		is_int(access(path, F_OK), -1, "  and no file is left");
	}
	away = EIO;
	for (size_t i = 0; i < 2; i++) {
		settings.socket_owner = owners[i];
		is_int(open_it(), -1, "nobody can look the name up");
		ok(strstr(err.detail, "cannot look up") != NULL && strstr(err.detail, "Input/output error") != NULL,
		    "  %s", err.detail);
	}
	settings.socket_owner = ":0";
	is_int(listen_check(&settings, &err), 0, "a number needs no directory service");
	away = 0;
	settings.socket_owner = "";

	memset(long_path, 'a', sizeof(long_path) - 1);
	long_path[0] = '/';
	long_path[sizeof(long_path) - 1] = '\0';
	for (size_t i = 0; i < WORKER__KINDS; i++) {
		const char *right = *paths[i];

		fd = open(right, O_CREAT | O_WRONLY, 0600);
		close(fd);
		is_int(open_it(), -1, "a file of another kind is refused");
		ok(strstr(err.detail, "is not a socket") != NULL, "  and the error says so");
		is_int(access(right, F_OK), 0, "  and the file is left alone");
		unlink(right);
		*paths[i] = "/nonexistent/berth.sock";
		is_int(open_it(), -1, "a directory that is not there");
		ok(strstr(err.detail, "No such file") != NULL, "  is an error that says so");
		*paths[i] = long_path;
		is_int(open_it(), -1, "a path that is too long by one");
		ok(strstr(err.detail, "107 bytes") != NULL, "  is an error that says what is possible");
		*paths[i] = right;
	}
	settings.write_socket = path;
	is_int(listen_check(&settings, &err), -1, "one path for both");
	ok(strstr(err.detail, "write_socket") != NULL, "  is an error that names the key");
	settings.write_socket = write_path;
	ok(access(path, F_OK) == -1 && access(write_path, F_OK) == -1, "nothing is left of all that");
}

/* In a process of its own, since it changes descriptors: its status is the result. */
static int
in_child(int (*fn)(int, int))
{
	struct listeners mine;
	int status = -1;
	pid_t pid;

	if (open_it() == -1)
		return -1;
	mine = l;
	fflush(stdout);
	pid = fork();
	if (pid == 0)
		exit(fn(mine.fd[WORKER_READ], mine.fd[WORKER_WRITE]));
	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		continue;
	listen_close(&settings, &mine);
	return status;
}

static int
inherit_stdin(int fd, int other)
{
	struct stat st;

	dup2(fd, STDIN_FILENO);
	close(fd);
	close(other);
	if (open_it() == -1 || l.own || l.fd[WORKER_WRITE] != -1 || !answers())
		return 1;
	/* standard input is what it is for a daemon */
	return fstat(STDIN_FILENO, &st) == 0 && S_ISCHR(st.st_mode) ? 0 : 2;
}

/* Descriptors 3 and 4 are what systemd passes. */
static int
systemd_with(int three, int four, const char *count, const char *names, bool right_pid)
{
	int a = fcntl(three, F_DUPFD, 20);
	int b = fcntl(four, F_DUPFD, 20);
	char pid[32];

	dup2(a, 3);
	dup2(b, 4);
	snprintf(pid, sizeof(pid), "%d", (int)getpid() + !right_pid);
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", count, 1);
	setenv("LISTEN_FDNAMES", names, 1);
	settings.socket = settings.write_socket = "/nonexistent/berth.sock";
	if (!right_pid)
		settings.write_socket = "/nonexistent/other";
	if (open_it() == -1)
		return right_pid && getenv("LISTEN_FDS") != NULL ? 3 : -1;
	return l.own || !(fcntl(3, F_GETFD) & FD_CLOEXEC) ? 2 : 0;
}

static int
systemd_one(int fd, int other)
{
	return systemd_with(fd, other, "1", "berth-fcgi.socket", true) == 0 && l.fd[WORKER_READ] == 3 &&
	        l.fd[WORKER_WRITE] == -1
	    ? 0
	    : 1;
}

static int
systemd_two(int fd, int other)
{
	return systemd_with(fd, other, "2", "berth-fcgi.socket:write", true) == 0 &&
	        l.fd[WORKER_READ] == 3 && l.fd[WORKER_WRITE] == 4 && (fcntl(4, F_GETFD) & FD_CLOEXEC)
	    ? 0
	    : 1;
}

static int
systemd_write_first(int fd, int other)
{
	return systemd_with(other, fd, "2", "write:berth-fcgi.socket", true) == 0 &&
	        l.fd[WORKER_READ] == 4 && l.fd[WORKER_WRITE] == 3
	    ? 0
	    : 1;
}

static int
systemd_unnamed(int fd, int other)
{
	return systemd_with(fd, other, "2", "a:b", true) == -1 &&
	        strstr(err.detail, "FileDescriptorName=write")
	    ? 0
	    : 1;
}

static int
systemd_both_named(int fd, int other)
{
	return systemd_with(fd, other, "2", "write:write", true) == -1 &&
	        strstr(err.detail, "FileDescriptorName=write")
	    ? 0
	    : 1;
}

static int
systemd_three(int fd, int other)
{
	return systemd_with(fd, other, "3", "a:write:c", true) == -1 && strstr(err.detail, "one socket or two")
	    ? 0
	    : 1;
}

static int
systemd_nonsense(int fd, int other)
{
	return systemd_with(fd, other, "1x", "a", true) == -1 && strstr(err.detail, "one socket or two")
	    ? 0
	    : 1;
}

static int
systemd_for_another(int fd, int other)
{
	return systemd_with(fd, other, "1", "a", false) == -1 && strstr(err.detail, "/nonexistent") ? 0 : 1;
}

static int
systemd_no_socket(int fd, int other)
{
	int null = open("/dev/null", O_RDONLY);

	close(other);
	return systemd_with(fd, null, "2", "a:write", true) == -1 && strstr(err.detail, "must pass listening")
	    ? 0
	    : 1;
}

enum outcome { GOT, TAKEN, FAILED, OUTCOMES };

/* Opens the sockets when `start` ends, and tells what came of it.  What it gets it leaves behind. */
static void
compete(int start, int finish, int result)
{
	char byte, outcome = GOT;

	(void)!read(start, &byte, 1);
	if (open_it() == -1)
		outcome = strstr(err.detail, "another process already listens on") != NULL ? TAKEN : FAILED;
	(void)!write(result, &outcome, 1);
	close(result);
	/* the others have to find it listening */
	(void)!read(finish, &byte, 1);
}

/* Of pools that start at once, after one that has left its sockets, one gets them, and the others say so. */
static void
test_race(void)
{
	enum { ROUNDS = 30, POOLS = 6 };
	int count[OUTCOMES] = { 0 };

	for (int round = 0; round < ROUNDS; round++) {
		int start[2], finish[2], result[2];
		char outcome;

		if (!ok(pipe(start) == 0 && pipe(finish) == 0 && pipe(result) == 0, "pipes"))
			return;
		for (int i = 0; i < POOLS; i++) {
			if (fork() == 0) {
				close(start[1]);
				close(finish[1]);
				close(result[0]);
				compete(start[0], finish[0], result[1]);
				_exit(0);
			}
		}
		close(start[1]);
		close(result[1]);
		/* all have told, or ended */
		while (read(result[0], &outcome, 1) == 1)
			count[(int)outcome]++;
		close(finish[1]);
		while (wait(NULL) > 0)
			continue;
		close(start[0]);
		close(finish[0]);
		close(result[0]);
	}
	is_int(count[GOT], ROUNDS, "of pools that start at once one gets the sockets");
	is_int(count[TAKEN], ROUNDS * (POOLS - 1), "and the others say so");
	unlink(path);
	unlink(write_path);
}

/* A pool has bound its socket, and does not listen yet: another one waits, and leaves the socket alone. */
static void
test_waits(void)
{
	enum { PAUSE_US = 200000 };
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int lock = open(dir, O_RDONLY | O_DIRECTORY), fd = socket(AF_UNIX, SOCK_STREAM, 0), status = -1;
	pid_t pid;

	memcpy(sa.sun_path, write_path, strlen(write_path));
	ok(flock(lock, LOCK_EX) == 0 && bind(fd, (const struct sockaddr *)&sa, sizeof(sa)) == 0, "bound");
	pid = fork();
	if (pid == 0)
		_exit(open_it() == -1 && strstr(err.detail, "another process already listens on") != NULL ? 0 : 1);
	usleep(PAUSE_US);
	ok(listen(fd, 1) == 0 && flock(lock, LOCK_UN) == 0, "and listens later");
	ok(waitpid(pid, &status, 0) == pid && status == 0, "another one has waited for that, and is refused");
	ok(answers_at(write_path), "the socket is there");
	close(fd);
	close(lock);
	unlink(write_path);
}

int
main(void)
{
	if (mkdtemp(dir) == NULL)
		return 1;
	snprintf(path, sizeof(path), "%s/sock", dir);
	snprintf(write_path, sizeof(write_path), "%s/sock-write", dir);
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	test_own();
	test_owner();
	test_errors();
	test_race();
	test_waits();
	is_int(in_child(inherit_stdin), 0, "a socket on standard input is taken");
	is_int(in_child(systemd_one), 0, "a socket from systemd is taken");
	is_int(in_child(systemd_two), 0, "so are two");
	is_int(in_child(systemd_write_first), 0, "in whatever order");
	is_int(in_child(systemd_unnamed), 0, "two without the name are refused");
	is_int(in_child(systemd_both_named), 0, "and two with it");
	is_int(in_child(systemd_three), 0, "and three");
	is_int(in_child(systemd_nonsense), 0, "so is a count that is not a number");
	is_int(in_child(systemd_for_another), 0, "what is for another process is not taken");
	is_int(in_child(systemd_no_socket), 0, "what is no listening socket is refused");
	rmdir(dir);
	return tap_done();
}
