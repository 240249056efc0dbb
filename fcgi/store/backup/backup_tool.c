#include "store/backup/backup_tool.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/db/db.h"

enum { CANNOT_RUN = 127 };

/* In the child.  False: errno. */
static bool
become(uid_t uid)
{
	const struct passwd *user = uid == (uid_t)-1 ? NULL : getpwuid(uid);

	if (uid == (uid_t)-1)
		return true;
	return user != NULL && initgroups(user->pw_name, user->pw_gid) == 0 && setgid(user->pw_gid) == 0 &&
	       setuid(uid) == 0 && setenv("HOME", user->pw_dir, 1) == 0 && chdir("/") == 0;
}

/* Ends the program with the command.  Call it after become(), which would undo it. */
static bool
follow(pid_t command)
{
	return prctl(PR_SET_PDEATHSIG, SIGTERM) == 0 && getppid() == command;
}

static void __attribute__((noreturn))
run(const char *const *argv, const char *password, uid_t uid, int fd, bool write, pid_t command)
{
	if (dup2(fd, write ? STDOUT_FILENO : STDIN_FILENO) == -1 || !become(uid) || !follow(command) ||
	    (password != NULL && setenv("PGPASSWORD", password, 1) == -1))
		_exit(CANNOT_RUN);
	execvp(argv[0], (char *const *)(uintptr_t)argv);
	_exit(CANNOT_RUN);
}

int
backup_tool_run(
    struct arena *a, const char *const *words, const char *conninfo, int fd, bool write, const char *advice,
    struct err *err)
{
	const char *argv[BACKUP_TOOL_ARGS_MAX + 1] = { words[0] };
	const char *password = NULL;
	pid_t command = getpid(), pid;
	size_t n = 1;
	int status;

	if (conninfo != NULL) {
		argv[n++] = "--dbname";
		argv[n++] = db_conninfo_split(a, conninfo, &password);
	}
	for (size_t i = 1; words[i] != NULL && n < BACKUP_TOOL_ARGS_MAX; i++)
		argv[n++] = words[i];
	pid = fork();
	if (pid == -1)
		return err_sys(err, "fork");
	if (pid == 0)
		run(argv, password, conninfo == NULL ? (uid_t)-1 : db_peer_user(conninfo), fd, write, command);
	while (waitpid(pid, &status, 0) == -1) {
		if (errno != EINTR)
			return err_sys(err, "wait for %s", words[0]);
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == CANNOT_RUN)
		return err_internal(err, 500, "cannot run %s: install %s", words[0], conninfo == NULL
		    ? "the package sqlite3" : "the client programs of PostgreSQL, of the server's version");
	if (status != 0)
		return err_internal(err, 500, "%s has failed, for the reason above; %s", words[0], advice);
	return 0;
}
