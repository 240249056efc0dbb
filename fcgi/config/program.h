#ifndef CONFIG_PROGRAM_H
#define CONFIG_PROGRAM_H

/* How a daemon starts: options, configuration, protection of its memory, log. */

#include "base/err.h"
#include "config/settings.h"

struct program {
	const char *name;
	const char *usage; /* behind "usage: " */
	int (*list)(void); /* what -r prints; NULL: there is no such option */
	int (*check)(const struct settings *); /* -t: the exit status */
	int (*check_nginx)(void); /* -t --nginx, before that: 0 to go on; NULL: there is no such option */
	int (*log_open)(const struct settings *); /* -1 with errno */
	int (*serve)(const char *config_path, const struct settings *); /* the exit status */
	size_t log_file; /* offset of the log file's name in struct settings */
};

/*
 * The path of the configuration: the one of -c, if it is given, else that of BERTH_CONF, if it is set and not
 * empty, else, with `fall_back`, the default, else NULL.
 */
const char *program_config_path(const char *given, bool fall_back);

/* Flushes standard output.  -1: 500, it is not all written: with the reason, if that is still known. */
int program_flush(struct err *) __attribute__((warn_unused_result));

/*
 * Runs the program: -c file, -h, -r, -t, --nginx, -V.  Errors before the log is open go to standard error.
 * Returns the exit status; 2: the options are wrong.
 */
int program_main(const struct program *, int argc, char **argv);

#endif
