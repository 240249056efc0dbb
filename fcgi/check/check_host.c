#include "check/check.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "access/token_key.h"
#include "base/disk.h"
#include "config/command.h"
#include "config/unit_limits.h"
#include "pool/listen.h"
#include "store/blob/blob_store.h"

enum {
	UNITS_MS = 100,
	WORKERS_SPARE = 3 /* so many let one be spared for GitLab, and one for an issuer */
};

void
check_sockets(struct checking *c)
{
	struct err err = { 0 };

	if (listen_check(c->settings, &err) == -1)
		check_say_error(c, CHECK_CRITICAL, &err);
	else
		check_say(c, CHECK_OK, "can be bound");
}

void
check_inspector(struct checking *c)
{
	struct err err = { 0 };

	if (access(c->settings->inspector, X_OK) == 0) {
		check_say(c, CHECK_OK, "is there");
		return;
	}
	err_sys(&err, "inspector: cannot run %s", c->settings->inspector);
	check_say_error(c, CHECK_CRITICAL, &err);
}

int
check_store_is_there(const struct blob_store *store, struct err *err)
{
	if (access(store->dir, F_OK) == 0)
		return 0;
	if (errno != ENOENT)
		return err_sys(err, "%s: cannot look at %s", store->kind->dir_key, store->dir);
	return err_internal(err, 500, "%s: the directory %s does not exist; mount its file system, or correct the "
	    "path", store->kind->dir_key, store->dir);
}

void
check_directories(struct checking *c)
{
	const struct settings *s = c->settings;
	struct err err = { 0 };

	if (blob_store_test(s->blobs, &err) == -1 ||
	    (c->who == CHECK_SERVICE && check_store_is_there(s->blobs, &err) == -1))
		check_say_error(c, CHECK_CRITICAL, &err);
	else if (c->who != CHECK_WORKER && s->cache_dir[0] != '\0' &&
		 access(s->cache_dir, W_OK | X_OK) == -1) {
		err_sys(&err, "cache_dir: cannot write to %s", s->cache_dir);
		check_say_error(c, CHECK_CRITICAL, &err);
	} else
		check_say(c, CHECK_OK, "can be written");
}

void
check_token_key(struct checking *c)
{
	const char *path = c->settings->token_key;
	struct token_keys keys;
	struct err err = { 0 };

	if (path[0] == '\0') {
		check_say(c, CHECK_NONE, "there is no token_key");
		return;
	}
	if (token_keys_read(path, &keys, &err) == -1)
		check_say_error(c, CHECK_CRITICAL, &err);
	else
		check_say(c, CHECK_OK, "can be read");
	token_keys_wipe(&keys);
}

/* Can other users reach the path at all? */
static bool
is_reachable(const char *path)
{
	char above[PATH_MAX];
	struct stat st;

	for (const char *slash = path; (slash = strchr(slash, '/')) != NULL; slash++) {
		snprintf(above, sizeof(above), "%.*s/", (int)(slash - path), path);
		if (stat(above, &st) == -1 || (st.st_mode & S_IXOTH) == 0)
			return false;
	}
	return true;
}

/* Files that more users can read than necessary. */
void
check_readers(struct checking *c)
{
	const struct settings *s = c->settings;
	const struct {
		const char *key, *path;
	} files[] = { { s->blobs->kind->dir_key, s->blobs->dir }, { "cache_dir", s->cache_dir },
		{ "token_key", s->token_key }, { "store_credentials", s->store_credentials },
		{ "backup_credentials", s->backup_credentials } };
	struct stat st, store;

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		if (files[i].path[0] != '\0' && stat(files[i].path, &st) == 0 &&
		    (st.st_mode & S_IRWXO) != 0 && is_reachable(files[i].path))
			check_say(c, CHECK_WARNING,
			    "%s: every user of this host can reach %s, mode %04o: remove that "
			    "permission (chmod o= %s)",
			    files[i].key, files[i].path, (unsigned)(st.st_mode & ALLPERMS), files[i].path);
	}
	if (s->token_key[0] != '\0' && stat(s->token_key, &st) == 0 && stat(s->blobs->dir, &store) == 0 &&
	    st.st_gid == store.st_gid && (st.st_mode & S_IRWXG) != 0)
		check_say(c, CHECK_WARNING,
		    "token_key: all who read the store through its group, such as nginx's "
		    "workers, can also read %s; give it a group that only the pool's user is in",
		    s->token_key);
	check_say(c, CHECK_OK, "store, cache_dir and files with secrets");
}

static void
tell_unit(void *arg, const char *text)
{
	check_say(arg, CHECK_WARNING, "%s", text);
}

void
check_units(struct checking *c)
{
	int ms = c->who == CHECK_SERVICE ? UNITS_MS * CHECK_SLOWNESS : COMMAND_MS;

	if (unit_limits_look(c->settings, ms, tell_unit, c))
		check_say(c, CHECK_OK, "systemd's units");
	else
		check_say(c, CHECK_NONE, "systemd has no unit of Berth here that is enabled");
}

/* Settings that work, but are slow. */
void
check_workers(struct checking *c)
{
	const struct settings *s = c->settings;

	if (s->gitlab_url[0] != '\0' && s->workers < WORKERS_SPARE)
		check_say(c, CHECK_WARNING,
		    "workers: with fewer than %d, a slow GitLab or issuer can keep all of them "
		    "busy",
		    WORKERS_SPARE);
	else
		check_say(c, CHECK_OK, "%" PRId64 " for reads, %" PRId64 " for writes", s->workers,
		    s->write_workers);
}

/*
 * What is free at a path, where one of so many parts of the limits is enough; a path that cannot be
 * looked at is another check's.
 */
static bool
check_path(struct checking *c, const char *name, const char *path, uint64_t parts, const char *note)
{
	static const int mib = 20;
	enum check_state state;
	int64_t bytes;

	if (path == NULL || path[0] == '\0' || disk_free(path, &bytes) == -1)
		return false;
	state = check_below(c, disk_bytes((uint64_t)bytes, parts));
	check_say(c, state, "%s: %" PRId64 " MiB free at %s%s%s", name, bytes >> mib, path, note,
	    state == CHECK_OK ? "" : ": enlarge the file system, or free space");
	return true;
}

/* directory: NULL where the role may not know it. */
static bool
check_database_path(struct checking *c, const char *directory)
{
	return directory != NULL
		   ? check_path(c, "database", directory, 1, "")
		   : check_path(c, "database", "/var/lib/postgresql", 1,
			 " (assumed, since the role does not have pg_read_all_settings)");
}

/* Logs, each file system once.  A partition of their own can be small. */
static void
check_logs(struct checking *c)
{
	enum { PART = 10 }; /* of the limits */
	const struct settings *s = c->settings;
	const struct {
		const char *key, *path;
	} logs[] = { { "cache_log", s->cache_log }, { "download_log", s->download_log }, { "log_file", s->log_file },
		{ "worker_log_file", s->worker_log_file } };
	dev_t seen[sizeof(logs) / sizeof(*logs)] = { 0 };
	size_t n = 0, i, k;
	struct stat st;

	for (i = 0; i < sizeof(logs) / sizeof(*logs); i++) {
		if (logs[i].path[0] == '\0' || stat(logs[i].path, &st) == -1)
			continue;
		for (k = 0; k < n && seen[k] != st.st_dev; k++)
			;
		if (k < n)
			continue;
		seen[n++] = st.st_dev;
		check_path(c, logs[i].key, logs[i].path, PART, "");
	}
}

void
check_disk(struct checking *c)
{
	struct health_server server = { .local = false };
	struct err err = { 0 };
	bool any = check_path(c, c->settings->blobs->kind->dir_key, c->settings->blobs->dir, 1, "");

	any = check_path(c, "cache_dir", c->settings->cache_dir, 1, "") || any;
	if (c->database.status == 0 && health_server(c->db, c->arena, &server, &err) == 0 && server.local)
		any = check_database_path(c, server.directory) || any;
	check_logs(c);
	if (!any)
		check_say(
		    c, CHECK_CRITICAL, "neither store nor cache_dir exists: make them, or mount their file systems");
}
