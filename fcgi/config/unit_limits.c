#include "config/unit_limits.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/words.h"
#include "config/command.h"
#include "store/blob/blob_kind.h"

enum {
	ANSWER_MAX = 8192,
	SPAN_MAX = 1000000, /* of one unit; a longer span counts as no limit */
	STOP_MORE_S = 15 /* the units of Berth have so much more than the default of drain_timeout */
};

/* What the units may write by themselves: StateDirectory, CacheDirectory, LogsDirectory. */
static const char own[] = "/var/lib/berth /var/cache/berth /var/log/berth";

/* A path that is configured.  Of a file its directory counts. */
struct path {
	const char *key, *value;
	bool is_file;
};

static size_t
directory_length(const struct path *path)
{
	const char *slash = path->is_file ? strrchr(path->value, '/') : NULL;

	return slash == NULL || slash == path->value ? strlen(path->value) : (size_t)(slash - path->value);
}

/* Is the directory one of the list, or below one?  An entry of ReadWritePaths may begin with `-` or `+`. */
static bool
is_below(const char *list, const struct path *path)
{
	size_t n = directory_length(path);
	struct slice w;

	while (words_next(&list, &w)) {
		while (w.n > 0 && (w.p[0] == '-' || w.p[0] == '+'))
			w = slice_of(w.p + 1, w.n - 1);
		if (w.n > 0 && w.n <= n && memcmp(w.p, path->value, w.n) == 0 &&
		    (w.n == n || w.n == 1 || path->value[w.n] == '/'))
			return true;
	}
	return false;
}

/* The value of NAME= in what systemctl has printed, cut off the rest; "" where there is none. */
static char *
property(char *answer, const char *name)
{
	size_t n = strlen(name);

	for (char *line = answer; line != NULL; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, n) == 0 && line[n] == '=') {
			line[n + 1 + strcspn(line + n + 1, "\n")] = '\0';
			return line + n + 1;
		}
	}
	return answer + strlen(answer);
}

/*
 * A time span as systemctl prints it, such as "1min 30s", in seconds.  -1: it has no end ("infinity"), or
 * another form.
 */
static int64_t
span_seconds(const char *text)
{
	static const struct {
		const char *name;
		int64_t us;
	} units[] = { { "us", 1 }, { "ms", 1000 }, { "s", CLOCK_SECOND }, { "min", INT64_C(60) * CLOCK_SECOND },
		{ "h", INT64_C(3600) * CLOCK_SECOND }, { "d", INT64_C(86400) * CLOCK_SECOND },
		{ "w", INT64_C(7 * 86400) * CLOCK_SECOND } };
	int64_t us = 0;
	struct slice word;

	if (*text == '\0')
		return -1;
	while (words_next(&text, &word)) {
		char *unit;
		/* a number that is too large becomes LLONG_MAX, which is above SPAN_MAX */
		long long n = strtoll(word.p, &unit, 10);
		struct slice name = slice_of(unit, word.n - (size_t)(unit - word.p));
		size_t i = 0;

		while (i < sizeof(units) / sizeof(*units) && !slice_is(name, units[i].name))
			i++;
		if (unit == word.p || n < 0 || n > SPAN_MAX || i == sizeof(units) / sizeof(*units))
			return -1;
		us += n * units[i].us;
	}
	return us / CLOCK_SECOND;
}

/* systemd kills what is left of the pool after this time, so requests lose what drain_timeout grants them. */
static void
look_at_stop(const struct settings *s, const char *span, void (*tell)(void *, const char *), void *arg)
{
	int64_t stop_s = span_seconds(span);
	char text[ERR_DETAIL_SIZE];

	if (stop_s == -1 || stop_s > s->drain_timeout)
		return;
	snprintf(text, sizeof(text), "drain_timeout: running requests may take %" PRId64 " s to finish, but systemd "
	    "kills the pool %" PRId64 " s after it begins to stop; run `systemctl edit berth-fcgi`, and add "
	    "[Service] and TimeoutStopSec=%" PRId64, s->drain_timeout, stop_s, s->drain_timeout + STOP_MORE_S);
	tell(arg, text);
}

/* The paths to which the unit does not let the pool write. */
static void
look_at_paths(const struct settings *s, const char *allowed, void (*tell)(void *, const char *), void *arg)
{
	const struct path paths[] = {
		{ s->blobs->kind->dir_key, s->blobs->dir, false },
		{ "cache_dir", s->cache_dir, false },
		{ "log_file", s->log_file, true },
		{ "worker_log_file", s->worker_log_file, true },
		{ "pid_file", s->pid_file, true },
		{ "worker_pid_file", s->worker_pid_file, true },
	};
	char text[ERR_DETAIL_SIZE];

	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
		int n = (int)directory_length(&paths[i]);

		if (paths[i].value[0] == '\0' || is_below(own, &paths[i]) || is_below(allowed, &paths[i]))
			continue;
		snprintf(text, sizeof(text), "%s: under systemd the pool and the worker may not write to %.*s; run "
		    "`systemctl edit berth-fcgi berth-worker`, and add [Service] and ReadWritePaths=%.*s",
		    paths[i].key, n, paths[i].value, n, paths[i].value);
		tell(arg, text);
	}
}

bool
unit_limits_look(const struct settings *s, int ms, void (*tell)(void *, const char *), void *arg)
{
	char answer[ANSWER_MAX];
	struct err err = { 0 };

	if (command_output("systemctl is-enabled -q berth-fcgi.service && "
	        "systemctl show -p ProtectSystem -p ReadWritePaths -p TimeoutStopUSec berth-fcgi.service | sort",
	        ms, answer, sizeof(answer), &err) == -1)
		return false;
	/* property() cuts what comes after it */
	look_at_stop(s, property(answer, "TimeoutStopUSec"), tell, arg);
	if (strstr(answer, "ProtectSystem=strict\n") != NULL)
		look_at_paths(s, property(answer, "ReadWritePaths"), tell, arg);
	return true;
}
