#include "http/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

static char dir[] = "/tmp/berth-listen-XXXXXX";
static char path[sizeof(dir) + 8];
static struct settings settings = { .socket = path, .socket_mode = 0620, .socket_owner = "" };
static struct err err;

static int
open_it(bool *own)
{
	err_clear(&err);
	return listen_open(&settings, own, &err);
}

static bool
answers(void)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	int rc;

	memcpy(sa.sun_path, path, strlen(path));
	rc = connect(fd, (const struct sockaddr *)&sa, sizeof(sa));
	close(fd);
	return rc == 0;
}

static void
test_own(void)
{
	struct stat st = { 0 };
	bool own = false;
	mode_t mask = umask(022);
	int fd = open_it(&own);

	ok(fd > STDERR_FILENO, "a socket of our own");
	ok(own, "which is ours to remove");
	ok(fcntl(fd, F_GETFL) & O_NONBLOCK, "non-blocking");
	ok(fcntl(fd, F_GETFD) & FD_CLOEXEC, "close-on-exec");
	is_int(stat(path, &st), 0, "its file is there");
	ok(S_ISSOCK(st.st_mode), "a socket");
	is_int(st.st_mode & 07777, 0620, "with the mode that was asked for");
	is_int(umask(mask), 022, "the mask is as before");
	ok(answers(), "it answers");

	is_int(open_it(&own), -1, "a second one is refused");
	ok(!own, "and nothing is to be removed");
	ok(strstr(err.detail, "somebody listens on") != NULL, "the error says why");
	ok(answers(), "the first still answers");
	close(fd);

	fd = open_it(&own);
	ok(fd != -1 && own, "what was left behind is replaced");
	close(fd);
	unlink(path);
}

static void
test_owner(void)
{
	const struct group *gr = getgrgid(getegid());
	char group[64];
	struct stat st = { 0 };
	bool own = false;
	int fd;

	snprintf(group, sizeof(group), "%d:%s", (int)geteuid(), gr == NULL ? "0" : gr->gr_name);
	settings.socket_owner = group;
	fd = open_it(&own);
	ok(fd != -1, "user by number, group by name");
	is_int(stat(path, &st), 0, "its file is there");
	ok(st.st_uid == geteuid() && st.st_gid == getegid(), "and theirs");
	close(fd);
	unlink(path);

	snprintf(group, sizeof(group), ":%d", (int)getegid());
	fd = open_it(&own);
	ok(fd != -1, "a group alone");
	close(fd);
	unlink(path);
	settings.socket_owner = "";
}

static void
test_errors(void)
{
	static const char *const owners[] = { "no such user", "0:no such group", "4294967295", "0x",
		"0:4294967295", "0:" };
	char long_path[sizeof(((struct sockaddr_un *)0)->sun_path) + 1];
	bool own = true;
	int fd;

	for (size_t i = 0; i < sizeof(owners) / sizeof(*owners); i++) {
		settings.socket_owner = owners[i];
		is_int(open_it(&own), -1, owners[i]);
		ok(strstr(err.detail, "socket_owner") != NULL, "  names the key");
		is_int(access(path, F_OK), -1, "  and no file is left");
	}
	settings.socket_owner = "";

	fd = open(path, O_CREAT | O_WRONLY, 0600);
	close(fd);
	is_int(open_it(&own), -1, "a file of another kind is refused");
	ok(!own && strstr(err.detail, "is no socket") != NULL, "  and the error says so");
	is_int(access(path, F_OK), 0, "  and the file is left alone");
	unlink(path);

	settings.socket = "/nonexistent/berth.sock";
	is_int(open_it(&own), -1, "a directory that is not there");
	ok(strstr(err.detail, "No such file") != NULL, "  is an error that says so");

	memset(long_path, 'a', sizeof(long_path) - 1);
	long_path[0] = '/';
	long_path[sizeof(long_path) - 1] = '\0';
	settings.socket = long_path;
	is_int(open_it(&own), -1, "a path that is too long by one");
	ok(strstr(err.detail, "107 bytes") != NULL, "  is an error that says what is possible");
	settings.socket = path;
}

/* In a process of its own, since it changes descriptors: its status is the result. */
static int
in_child(int (*fn)(int))
{
	bool own;
	int fd = open_it(&own);
	int status = -1;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0)
		exit(fn(fd));
	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		continue;
	close(fd);
	unlink(path);
	return status;
}

static int
inherit_stdin(int fd)
{
	struct stat st;
	bool own = true;
	int got;

	dup2(fd, STDIN_FILENO);
	close(fd);
	got = open_it(&own);
	if (got <= STDERR_FILENO || own || !answers())
		return 1;
	/* standard input is what it is for a daemon */
	return fstat(STDIN_FILENO, &st) == 0 && S_ISCHR(st.st_mode) ? 0 : 2;
}

static int
systemd_with(int fd, const char *count, bool right_pid)
{
	char pid[32];
	bool own = true;
	int got;

	if (fd != 3) {
		dup2(fd, 3);
		close(fd);
	}
	snprintf(pid, sizeof(pid), "%d", (int)getpid() + !right_pid);
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", count, 1);
	settings.socket = "/nonexistent/berth.sock";
	got = open_it(&own);
	if (right_pid && getenv("LISTEN_FDS") != NULL)
		return -2;
	return own ? -2 : got;
}

static int
systemd_one(int fd)
{
	return systemd_with(fd, "1", true) == 3 && (fcntl(3, F_GETFD) & FD_CLOEXEC) ? 0 : 1;
}

static int
systemd_two(int fd)
{
	return systemd_with(fd, "2", true) == -1 && strstr(err.detail, "exactly one") ? 0 : 1;
}

static int
systemd_nonsense(int fd)
{
	return systemd_with(fd, "1x", true) == -1 && strstr(err.detail, "exactly one") ? 0 : 1;
}

static int
systemd_for_another(int fd)
{
	return systemd_with(fd, "1", false) == -1 && strstr(err.detail, "/nonexistent") ? 0 : 1;
}

static int
systemd_no_socket(int fd)
{
	int null = open("/dev/null", O_RDONLY);

	close(fd);
	return systemd_with(null, "1", true) == -1 && strstr(err.detail, "not a listening") ? 0 : 1;
}

int
main(void)
{
	if (mkdtemp(dir) == NULL)
		return 1;
	snprintf(path, sizeof(path), "%s/sock", dir);
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	test_own();
	test_owner();
	test_errors();
	is_int(in_child(inherit_stdin), 0, "a socket on standard input is taken");
	is_int(in_child(systemd_one), 0, "a socket from systemd is taken");
	is_int(in_child(systemd_two), 0, "two are refused");
	is_int(in_child(systemd_nonsense), 0, "so is a count that is no number");
	is_int(in_child(systemd_for_another), 0, "what is for another process is not taken");
	is_int(in_child(systemd_no_socket), 0, "what is no listening socket is refused");
	rmdir(dir);
	return tap_done();
}
