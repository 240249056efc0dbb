/* The pool of FastCGI workers: options, log, pid file, socket.  See berth-fcgi(8). */

#include <malloc.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/pool_app.h"
#include "api/routes.h"
#include "base/daemon.h"
#include "base/err.h"
#include "base/log.h"
#include "check/check.h"
#include "config/command.h"
#include "config/nginx_modules.h"
#include "config/program.h"
#include "config/settings.h"
#include "pool/listen.h"
#include "pool/pool.h"
#include "store/db/db.h"

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
	return 0;
}

/* What -t does: the effective configuration, secrets masked, and where it is from. */
static int
print_settings(const struct settings *s)
{
	conf_print(stdout, settings_keys, settings_nkeys, s, s->origins, db_print_conninfo);
	return 0;
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
check(const struct settings *s)
{
	int status = check_start("berth-fcgi", CHECK_POOL, s);

	return status != 0 ? status : print_settings(s);
}

static int
has_nginx_modules(void)
{
	struct err err = { 0 };

	if (nginx_modules_check(COMMAND_MS, &err) == 0)
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
		.check_nginx = has_nginx_modules,
		.log_open = pool_log_open,
		.serve = serve,
		.log_file = offsetof(struct settings, log_file),
	};

	if (pool_is_child(argc, argv))
		return pool_child_main(&api_pool_app, argc, argv);
	return program_main(&program, argc, argv);
}
