#include "config/unit_paths.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/words.h"
#include "config/command.h"
#include "store/blob/blob_kind.h"

enum { ANSWER_MAX = 8192 };

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

bool
unit_paths_look(const struct settings *s, int ms, void (*tell)(void *, const char *), void *arg)
{
	const struct path paths[] = {
		{ s->blobs->kind->dir_key, s->blobs->dir, false },
		{ "cache_dir", s->cache_dir, false },
		{ "log_file", s->log_file, true },
		{ "worker_log_file", s->worker_log_file, true },
		{ "pid_file", s->pid_file, true },
		{ "worker_pid_file", s->worker_pid_file, true },
	};
	char answer[ANSWER_MAX], text[ERR_DETAIL_SIZE];
	const char *allowed;
	struct err err = { 0 };

	if (command_output("systemctl is-enabled -q berth-fcgi.service && "
	        "systemctl show -p ProtectSystem -p ReadWritePaths berth-fcgi.service | sort",
	        ms, answer, sizeof(answer), &err) == -1)
		return false;
	if (strstr(answer, "ProtectSystem=strict\n") == NULL)
		return true;
	allowed = property(answer, "ReadWritePaths");
	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
		int n = (int)directory_length(&paths[i]);

		if (paths[i].value[0] == '\0' || is_below(own, &paths[i]) || is_below(allowed, &paths[i]))
			continue;
		snprintf(text, sizeof(text), "%s: under systemd the pool and the worker may not write to %.*s; run "
		    "`systemctl edit berth-fcgi berth-worker`, and add [Service] and ReadWritePaths=%.*s",
		    paths[i].key, n, paths[i].value, n, paths[i].value);
		tell(arg, text);
	}
	return true;
}
