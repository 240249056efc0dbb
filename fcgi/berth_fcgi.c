/* The pool of FastCGI workers: options, log, pid file, socket.  See berth-fcgi(8). */

#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "access/token_key.h"
#include "api/pool_app.h"
#include "api/routes.h"
#include "base/daemon.h"
#include "base/err.h"
#include "base/log.h"
#include "config/nginx_modules.h"
#include "config/program.h"
#include "config/settings.h"
#include "config/unit_paths.h"
#include "pool/listen.h"
#include "pool/pool.h"
#include "store/blob/blob_store.h"
#include "store/blob/store_identity.h"
#include "store/token/token_slot.h"

#ifndef BERTH_SANITIZED

/*
 * Wipes the traces of a request: libfcgi, libpq, json-c and libcurl copy tokens into buffers, which they
 * free without wiping.  So in this program every free() wipes first.  The arena wipes its own memory
 * (base/arena.h).
 */
extern void __libc_free(void *);

void
free(void *p)
{
	if (p == NULL)
		return;
	explicit_bzero(p, malloc_usable_size(p));
	__libc_free(p);
}

/* The C library's own realloc() would free moved memory without wiping it. */
void *
realloc(void *p, size_t n)
{
	size_t old = p == NULL ? 0 : malloc_usable_size(p);
	void *moved;

	if (p != NULL && n > 0 && n <= old && n >= old / 2)
		return p;
	if (p != NULL && n == 0) {
		free(p);
		return NULL;
	}
	moved = malloc(n);
	if (moved == NULL || p == NULL)
		return moved;
	memcpy(moved, p, old < n ? old : n);
	free(p);
	return moved;
}

#endif

enum { WORKERS_SPARE = 3 }; /* so many let one be spared for GitLab, and one for an issuer */

static int
flush(void)
{
	if (fflush(stdout) != 0) {
		fprintf(stderr, "berth-fcgi: standard output: %s\n", strerrordesc_np(errno));
		return 1;
	}
	return 0;
}

/* What -r does: "GET /api/v4/user user", a line for each method of a route. */
static int
print_routes(void)
{
	const struct router *router = &api_router;

	for (size_t i = 0; i < router->nroutes; i++) {
		const struct route *route = &router->routes[i];

		for (unsigned m = METHOD_GET; m < METHOD_OTHER; m <<= 1) {
			/* whoever is asked for GET is asked for HEAD */
			if (route->methods & m && m != METHOD_HEAD)
				printf("%s /%s %s\n", request_method_name(m), route->pattern,
				    route->name);
		}
	}
	return flush();
}

/* What -t does: the effective configuration, secrets masked, and where it is from. */
static int
print_settings(const struct settings *s)
{
	conf_print(stdout, settings_keys, settings_nkeys, s, s->origins, db_print_conninfo);
	return flush();
}

static int
serve(const char *config_path, const struct settings *s)
{
	struct err err = { 0 };
	int pid_fd = -1;
	struct listeners listeners = { .fd = { -1, -1 } };
	int status = 1;

	if ((s->pid_file[0] != '\0' && daemon_pid_file(s->pid_file, &pid_fd, &err) == -1) ||
	    listen_open(s, &listeners, &err) == -1)
		log_error("%s", err.detail);
	else
		status = pool_run(&api_pool_app, config_path, s, &listeners);
	listen_close(s, &listeners);
	daemon_pid_file_remove(s->pid_file, pid_fd);
	return status;
}

static int
check_token_key(const struct settings *s, struct err *err)
{
	struct token_keys keys;
	int rc;

	if (s->token_key[0] == '\0')
		return 0;
	rc = token_keys_read(s->token_key, &keys, err);
	token_keys_wipe(&keys);
	return rc;
}

/* What each key's own check cannot see: the machine.  -1: err. */
static int
check_machine(const struct settings *s, struct err *err)
{
	if (db_check_conninfo(s->database, err) == -1 || db_check_server(s->database, err) == -1 ||
	    listen_check(s, err) == -1)
		return -1;
	if (access(s->inspector, X_OK) == -1)
		return err_sys(err, "inspector: cannot run %s", s->inspector);
	if (blob_store_test(s->store, err) == -1)
		return -1;
	if (s->cache_dir[0] != '\0' && access(s->cache_dir, W_OK | X_OK) == -1)
		return err_sys(err, "cache_dir: cannot write to %s", s->cache_dir);
	return check_token_key(s, err);
}

/* Is the store the database's?  Warns, and passes, without a database. */
static int
check_store(const struct settings *s, struct err *err)
{
	char warning[ERR_DETAIL_SIZE];

	if (store_identity_test(s->database, s->store, warning, sizeof(warning), err) == -1)
		return -1;
	if (warning[0] != '\0')
		fprintf(stderr, "berth-fcgi: warning: %s\n", warning);
	return 0;
}

/* Does nginx of this host know the keys that the database knows?  Passes without a database. */
static int
check_token_slots(const struct settings *s, struct err *err)
{
	char warning[ERR_DETAIL_SIZE];

	/* without both nginx proves no token, and is not meant to */
	if (s->token_key[0] == '\0' && s->cache_dir[0] == '\0')
		return 0;
	if (token_slot_test(s->database, s->token_key, warning, sizeof(warning), err) == -1)
		return -1;
	if (warning[0] != '\0')
		fprintf(stderr, "berth-fcgi: warning: %s\n", warning);
	return 0;
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

/* Warns of files that more users can read than necessary. */
static void
warn_of_readers(const struct settings *s)
{
	const struct {
		const char *key, *path;
	} files[] = { { "store", s->store }, { "cache_dir", s->cache_dir },
		{ "token_key", s->token_key } };
	struct stat st, store;

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		if (files[i].path[0] != '\0' && stat(files[i].path, &st) == 0 &&
		    (st.st_mode & S_IRWXO) != 0 && is_reachable(files[i].path))
			fprintf(stderr, "berth-fcgi: warning: %s: every user of this host can reach %s, mode "
			    "%04o: remove that permission (chmod o= %s)\n", files[i].key, files[i].path,
			    (unsigned)(st.st_mode & ALLPERMS), files[i].path);
	}
	if (s->token_key[0] != '\0' && stat(s->token_key, &st) == 0 &&
	    stat(s->store, &store) == 0 && st.st_gid == store.st_gid && (st.st_mode & S_IRWXG) != 0)
		fprintf(stderr, "berth-fcgi: warning: token_key: all who read the store through its group, such "
		    "as nginx's workers, can also read %s; give it a group that only the pool's user is "
		    "in\n", s->token_key);
}

/* Warns of settings that work, but are slow or unsafe. */
static void
warn_of(const struct settings *s)
{
	warn_of_readers(s);
	unit_paths_warn("berth-fcgi", s);
	if (s->gitlab_url[0] != '\0' && s->workers < WORKERS_SPARE)
		fprintf(stderr, "berth-fcgi: warning: workers: with fewer than %d, a slow GitLab or "
		    "issuer can keep all of them busy\n", WORKERS_SPARE);
}

static int
check(const struct settings *s)
{
	struct err err = { 0 };

	if (check_machine(s, &err) == 0 && check_store(s, &err) == 0 &&
	    check_token_slots(s, &err) == 0) {
		warn_of(s);
		return print_settings(s);
	}
	fprintf(stderr, "berth-fcgi: %s\n", err.detail);
	return 1;
}

static int
check_nginx(void)
{
	struct err err = { 0 };

	if (nginx_modules_check(&err) == 0)
		return 0;
	fprintf(stderr, "berth-fcgi: %s\n", err.detail);
	return 1;
}

int
main(int argc, char **argv)
{
	static const struct program program = {
		.name = "berth-fcgi",
		.usage = "berth-fcgi [-c file]\n"
		    "       berth-fcgi -t [--nginx] [-c file]\n"
		    "       berth-fcgi -h | -r | -V\n"
		    "  -c file  configuration; default $BERTH_CONF, else " SETTINGS_DEFAULT_PATH "\n"
		    "  -h       this text\n"
		    "  -r       the routes, each with its method, pattern and name\n"
		    "  -t       check the configuration and print what is in effect\n"
		    "  --nginx  with -t: first check that nginx has the modules that Berth needs\n"
		    "  -V       the version\n",
		.list = print_routes,
		.check = check,
		.check_nginx = check_nginx,
		.log_open = pool_log_open,
		.serve = serve,
		.log_file = offsetof(struct settings, log_file),
	};

	if (pool_is_child(argc, argv))
		return pool_child_main(&api_pool_app, argc, argv);
	return program_main(&program, argc, argv);
}
