/* Background tasks: options, log, pid file.  See berth-worker(8). */

#include <stddef.h>
#include <stdio.h>

#include "base/daemon.h"
#include "base/err.h"
#include "base/log.h"
#include "check/check.h"
#include "config/program.h"
#include "config/settings.h"
#include "store/blob/blob_kind.h"
#include "store/db/db.h"
#include "tasks/loop.h"

static int
work(const char *config_path, const struct settings *s)
{
	struct err err = { 0 };
	int pid_fd = -1;
	int status = 1;

	if (db_check_conninfo(s->database_direct, &err) == -1) {
		log_error("%s", err.detail);
		return 1;
	}
	/* a store that cannot be written fails the tasks that need it, and no others */
	if (s->blobs->kind->check(s->blobs, &err) == -1)
		log_error("%s", err.detail);
	if (s->worker_pid_file[0] != '\0' &&
	    daemon_pid_file(s->worker_pid_file, &pid_fd, &err) == -1)
		log_error("%s", err.detail);
	else
		status = task_loop_run(config_path, s);
	daemon_pid_file_remove(s->worker_pid_file, pid_fd);
	return status;
}

static int
check(const struct settings *s)
{
	return check_start("berth-worker", CHECK_WORKER, s);
}

int
main(int argc, char **argv)
{
	static const struct program program = {
		.name = "berth-worker",
		.usage = "berth-worker [-c file]\n"
		    "       berth-worker -t [-c file]\n"
		    "       berth-worker -h | -V\n"
		    "  -c file  configuration; default $BERTH_CONF, else " SETTINGS_DEFAULT_PATH "\n"
		    "  -h       this text\n"
		    "  -t       check the configuration\n"
		    "  -V       the version\n",
		.check = check,
		.log_open = task_loop_log_open,
		.serve = work,
		.log_file = offsetof(struct settings, worker_log_file),
	};

	return program_main(&program, argc, argv);
}
