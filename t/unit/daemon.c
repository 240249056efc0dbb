/* base/daemon: the pid file, whose lock lets only one process of a configuration start. */
#include "base/daemon.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "remove_tree.h"
#include "tap.h"

enum { LOOK_MS = 5, LOOKS = 2000 };

static char dir[] = "/tmp/berth-daemon-XXXXXX";
static char path[64], fault[64], taken[80];

/* The number in the file; 0: there is none.  A process that has the lock would lose it by this. */
static int
pid_of_file(void)
{
	FILE *f = fopen(path, "r");
	int pid = 0;

	if (f != NULL && fscanf(f, "%d", &pid) != 1)
		pid = 0;
	if (f != NULL)
		fclose(f);
	return pid;
}

static void
arm(const char *line)
{
	FILE *f = fopen(fault, "w");

	if (f == NULL || fputs(line, f) == EOF || fclose(f) == EOF)
		abort();
}

/* A process that takes the file and then holds it until its input ends.  Its status: 0, it has the file. */
static pid_t
spawn(const int hold[2])
{
	pid_t pid = fork();
	struct err err = { 0 };
	int fd, rc;
	char c;

	if (pid != 0)
		return pid;
	close(hold[1]);
	rc = daemon_pid_file(path, &fd, &err);
	if (rc == 0)
		(void)!read(hold[0], &c, 1);
	_exit(rc == 0 ? 0 : 1);
}

static int
status_of(pid_t pid)
{
	int status = -1;

	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* The first process ends while the second one is between opening and locking the file. */
static void
test_handover(void)
{
	struct err err = { 0 };
	char holder[128];
	int fd, hold[2];
	pid_t pid;

	if (pipe(hold) == -1)
		abort();
	is_int(daemon_pid_file(path, &fd, &err), 0, "the first has the file");
	is_int(status_of(spawn(hold)), 1, "a second one does not start");
	arm("pid_file:opened wait\n");
	pid = spawn(hold);
	while (access(taken, F_OK) == -1)
		(void)poll(NULL, 0, LOOK_MS);
	daemon_pid_file_remove(path, fd);
	ok(unlink(taken) == 0, "the first ends while the second one starts");
	for (int i = 0; i < LOOKS && pid_of_file() != (int)pid; i++)
		(void)poll(NULL, 0, LOOK_MS);
	is_int(pid_of_file(), (int)pid, "which has the file under its name");
	is_int(daemon_pid_file(path, &fd, &err), -1, "so that no third one starts");
	snprintf(holder, sizeof(holder), "process %d has locked %s;", (int)pid, path);
	ok(strstr(err.detail, holder) != NULL, "which learns who has it: %s", err.detail);
	close(hold[1]);
	is_int(status_of(pid), 0, "until it ends");
	close(hold[0]);
}

int
main(void)
{
	if (mkdtemp(dir) == NULL)
		abort();
	snprintf(path, sizeof(path), "%s/pid", dir);
	snprintf(fault, sizeof(fault), "%s/fault", dir);
	snprintf(taken, sizeof(taken), "%s.taken", fault);
	setenv("BERTH_FAULT", fault, 1);
	test_handover();
	remove_tree(dir);
	return tap_done();
}
