#include "config/unit_limits.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/scan.h"
#include "base/words.h"
#include "config/command.h"
#include "store/blob/blob_kind.h"

enum {
	ANSWER_MAX = 8192,
	SPAN_MAX = 1000000000, /* seconds */
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

/* "1", "1.5"; false: there is no number. */
static bool
take_number(struct slice *in, double *n)
{
	const char *start = in->p;
	double unit = 1;

	for (*n = 0; in->n > 0 && scan_is_digit(in->p[0]); scan_skip(in, 1))
		*n = *n * 10 + (in->p[0] - '0');
	if (in->p == start || !scan_char(in, '.'))
		return in->p != start;
	for (; in->n > 0 && scan_is_digit(in->p[0]); scan_skip(in, 1))
		*n += (in->p[0] - '0') * (unit /= 10);
	return true;
}

/* The seconds of a unit of systemd.time(7), which `in` begins with; 0: there is no such unit. */
static double
take_unit(struct slice *in)
{
	static const struct {
		double seconds;
		const char *names;
	} units[] = { { 1, "s sec second seconds" }, { 60, "min m minute minutes" }, { 3600, "h hr hour hours" },
		{ 86400, "d day days" }, { 7 * 86400, "w week weeks" }, { 30.44 * 86400, "month M months" },
		{ 365.25 * 86400, "y year years" }, { 1e-3, "ms msec" }, { 1e-6, "us usec \xc2\xb5s \xce\xbcs" } };
	struct slice name = slice_of(in->p, 0);

	while (name.n < in->n && in->p[name.n] != ' ' && !scan_is_digit(in->p[name.n]))
		name.n++;
	scan_skip(in, name.n);
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		const char *names = units[i].names;
		struct slice w;

		/* a number without a unit has seconds, which come first */
		while (words_next(&names, &w)) {
			if (name.n == 0 || slice_equal(w, name))
				return units[i].seconds;
		}
	}
	return 0;
}

/*
 * A time span of systemd.time(7), such as "1min 30s", in seconds.  -1: it has no end ("infinity"), or another
 * form, or ends later than any drain_timeout.  systemd takes 0 for no end.
 */
static int64_t
span_seconds(const char *text)
{
	struct slice in = slice_str(text);
	double sum = 0;

	scan_blanks(&in);
	if (in.n == 0)
		return -1;
	while (in.n > 0) {
		double n, unit;

		if (!take_number(&in, &n))
			return -1;
		scan_blanks(&in);
		unit = take_unit(&in);
		if (unit == 0)
			return -1;
		sum += n * unit;
		scan_blanks(&in);
	}
	return sum > 0 && sum < SPAN_MAX ? (int64_t)sum : -1;
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

void
unit_limits_judge(const struct settings *s, char *answer, void (*tell)(void *, const char *), void *arg)
{
	/* property() cuts what comes after it */
	look_at_stop(s, property(answer, "TimeoutStopUSec"), tell, arg);
	if (strstr(answer, "ProtectSystem=strict\n") != NULL)
		look_at_paths(s, property(answer, "ReadWritePaths"), tell, arg);
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
	unit_limits_judge(s, answer, tell, arg);
	return true;
}
