#include "config/program.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/daemon.h"
#include "base/err.h"

enum { EXIT_USAGE = 2 };

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
	if (daemon_standard_fds() == -1 || p->log_open(s) == -1)
		return fail(p, "cannot open the log");
	status = p->serve(config_path, s);
	if (log_file[0] != '\0' && status != 0)
		fprintf(stderr, "%s: failed, see %s\n", p->name, log_file);
	return status;
}

static int
run(const struct program *p, const char *config_path, bool check_only)
{
	struct arena *arena = arena_new();
	struct settings settings;
	struct err err = { 0 };
	int status = 1;

	if (settings_load(arena, config_path, &settings, &err) == -1)
		fprintf(stderr, "%s: %s\n", p->name, err.detail);
	else
		status = check_only ? p->check(&settings) : serve(p, config_path, &settings);
	arena_free(arena);
	return status;
}

static int
usage(const struct program *p, FILE *f, int status)
{
	fprintf(f, "usage: %s", p->usage);
	return status;
}

int
program_main(const struct program *p, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	const char *config_path = SETTINGS_DEFAULT_PATH;
	bool check_only = false;
	int c;

	while ((c = getopt_long(argc, argv, p->list != NULL ? "c:hrtV" : "c:htV", longs, NULL)) != -1) {
		switch (c) {
		case 'c':
			config_path = optarg;
			break;
		case 'h':
			return usage(p, stdout, 0);
		case 'r':
			assert(p->list != NULL);
			return p->list();
		case 't':
			check_only = true;
			break;
		case 'V':
			printf("%s " BERTH_VERSION "\n", p->name);
			return 0;
		default:
			return usage(p, stderr, EXIT_USAGE);
		}
	}
	return optind == argc ? run(p, config_path, check_only) : usage(p, stderr, EXIT_USAGE);
}
