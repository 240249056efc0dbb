/* Background tasks: options, log, pid file.  See berth-worker(8). */

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/daemon.h"
#include "base/err.h"
#include "base/log.h"
#include "config/settings.h"
#include "store/blob/blob.h"
#include "store/blob/store_identity.h"
#include "store/db/db.h"
#include "tasks/loop.h"

enum { EXIT_USAGE = 2 };

static void
usage(FILE *f)
{
	fputs("usage: berth-worker [-c file]\n"
	    "       berth-worker -t [-c file]\n"
	    "       berth-worker -h | -V\n"
	    "  -c file  configuration, instead of " SETTINGS_DEFAULT_PATH "\n"
	    "  -h       this text\n"
	    "  -t       check the configuration\n"
	    "  -V       the version\n", f);
}

static int
work(const char *config_path, const struct settings *s)
{
	struct err err = { 0 };
	int pid_fd = -1;
	int status = 1;

	/* a store that cannot be written fails the tasks that need it, and no others */
	if (blob_store_check(s->store, &err) == -1)
		log_error("%s", err.detail);
	if (s->worker_pid_file[0] != '\0' &&
	    daemon_pid_file(s->worker_pid_file, &pid_fd, &err) == -1)
		log_error("%s", err.detail);
	else
		status = task_loop_run(config_path, s);
	daemon_pid_file_remove(s->worker_pid_file, pid_fd);
	return status;
}

/* The checks of -t besides the configuration. */
static int
check_store(const struct settings *s)
{
	char warning[ERR_DETAIL_SIZE];
	struct err err = { 0 };

	if (store_identity_test(s->database, s->store, warning, sizeof(warning), &err) == -1) {
		fprintf(stderr, "berth-worker: %s\n", err.detail);
		return 1;
	}
	if (warning[0] != '\0')
		fprintf(stderr, "berth-worker: warning: %s\n", warning);
	return 0;
}

static int
run(const char *config_path, bool check_only)
{
	struct arena *arena = arena_new();
	struct settings settings;
	struct err err = { 0 };
	int status = 1;

	if (settings_load(arena, config_path, &settings, &err) == -1 ||
	    db_check_conninfo(settings.database, &err) == -1 ||
	    (check_only && db_check_pooler(settings.database, &err) == -1)) {
		fprintf(stderr, "berth-worker: %s\n", err.detail);
	} else if (check_only) {
		status = check_store(&settings);
	} else if (daemon_protect(settings.traceable) == -1) {
		fprintf(stderr, "berth-worker: cannot protect its memory: %s\n", strerrordesc_np(errno));
	} else if (daemon_standard_fds() == -1 || task_loop_log_open(&settings) == -1) {
		fprintf(stderr, "berth-worker: cannot open the log: %s\n", strerrordesc_np(errno));
	} else {
		status = work(config_path, &settings);
		if (settings.worker_log_file[0] != '\0' && status != 0)
			fprintf(stderr, "berth-worker: failed, see %s\n", settings.worker_log_file);
	}
	arena_free(arena);
	return status;
}

int
main(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	const char *config_path = SETTINGS_DEFAULT_PATH;
	bool check_only = false;
	int c;

	while ((c = getopt_long(argc, argv, "c:htV", longs, NULL)) != -1) {
		switch (c) {
		case 'c':
			config_path = optarg;
			break;
		case 'h':
			usage(stdout);
			return 0;
		case 't':
			check_only = true;
			break;
		case 'V':
			puts("berth-worker " BERTH_VERSION);
			return 0;
		default:
			usage(stderr);
			return EXIT_USAGE;
		}
	}
	if (optind != argc) {
		usage(stderr);
		return EXIT_USAGE;
	}
	return run(config_path, check_only);
}
