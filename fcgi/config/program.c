#include "config/program.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/daemon.h"
#include "base/err.h"

enum { EXIT_USAGE = 2, OPTION_NGINX = 256 };

static int
fail(const struct program *p, const char *what)
{
	fprintf(stderr, "%s: %s: %s\n", p->name, what, strerrordesc_np(errno));
	return 1;
}

static int
serve(const struct program *p, const char *config_path, const struct settings *s)
{
	const char *log_file = *(const char *const *)((const char *)s + p->log_file);
	int status;

	if (daemon_protect(s->traceable) == -1)
		return fail(p, "cannot protect its memory");
	if (p->log_open(s) == -1) {
		fprintf(stderr, "%s: cannot open the log file %s: %s; the user of the program must be able to write to "
		    "it\n", p->name, log_file, strerrordesc_np(errno));
		return 1;
	}
	status = p->serve(config_path, s);
	if (log_file[0] != '\0' && status != 0)
		fprintf(stderr, "%s: failed, see %s\n", p->name, log_file);
	return status;
}

/* What the options choose. */
enum work { SERVE, CHECK, CHECK_WITH_NGINX };

int
program_flush(struct err *err)
{
	if (fflush(stdout) == EOF)
		return err_sys(err, "standard output");
	/* an earlier write may have failed, and taken its bytes and its errno along */
	return ferror(stdout) ? err_internal(err, 500, "standard output: not all of it could be written") : 0;
}

/* What was printed must be there, or the exit status says that it is not. */
static int
end(const struct program *p, int status)
{
	struct err err = { 0 };

	if (status != 0 || program_flush(&err) == 0)
		return status;
	fprintf(stderr, "%s: %s\n", p->name, err.detail);
	return 1;
}

/* What a check prints to standard output is a configuration, so its last line is a comment of one. */
static int
check(const struct program *p, const char *config_path, const struct settings *s, enum work work)
{
	int status = work == CHECK_WITH_NGINX ? p->check_nginx() : 0;

	if (status == 0)
		status = p->check(s);
	if (status == 0)
		printf("# %s: the configuration %s is ok\n", p->name, config_path);
	return status;
}

static int
run(const struct program *p, const char *config_path, enum work work)
{
	struct arena *arena = arena_new();
	struct settings settings;
	struct err err = { 0 };
	int status = 1;

	if (settings_load(arena, config_path, &settings, &err) == -1)
		fprintf(stderr, "%s: %s\n", p->name, err.detail);
	else
		status = work == SERVE ? serve(p, config_path, &settings) : end(p, check(p, config_path, &settings, work));
	arena_free(arena);
	return status;
}

static int
usage(const struct program *p, FILE *f, int status)
{
	fprintf(f, "usage: %s", p->usage);
	return status;
}

const char *
program_config_path(const char *given, bool fall_back)
{
	const char *path = given != NULL ? given : getenv("BERTH_CONF");

	if (path != NULL && path[0] != '\0')
		return path;
	return fall_back ? SETTINGS_DEFAULT_PATH : NULL;
}

int
program_main(const struct program *p, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "nginx", no_argument, NULL, OPTION_NGINX },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	const char *config_path = NULL;
	bool check_only = false, with_nginx = false;
	int c;

	if (daemon_prepare() == -1)
		return fail(p, "cannot open /dev/null");
	while ((c = getopt_long(argc, argv, p->list != NULL ? "c:hrtV" : "c:htV", longs, NULL)) != -1) {
		switch (c) {
		case 'c':
			config_path = optarg;
			break;
		case 'h':
			return end(p, usage(p, stdout, 0));
		case 'r':
			assert(p->list != NULL);
			return end(p, p->list());
		case 't':
			check_only = true;
			break;
		case OPTION_NGINX:
			with_nginx = true;
			break;
		case 'V':
			printf("%s " BERTH_VERSION "\n", p->name);
			return end(p, 0);
		default:
			return usage(p, stderr, EXIT_USAGE);
		}
	}
	if (optind != argc || (with_nginx && (!check_only || p->check_nginx == NULL)))
		return usage(p, stderr, EXIT_USAGE);
	config_path = program_config_path(config_path, true);
	return run(p, config_path, with_nginx ? CHECK_WITH_NGINX : check_only ? CHECK : SERVE);
}
