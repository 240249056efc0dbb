#include "config/nginx_modules.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { VERSION_MAX = 16384 };

/* What nginx has only if it was built with, or not without, its option of that name. */
static const struct {
	const char *module;
	bool builtin;
	const char *use;
} modules[] = {
	{ "http_ssl_module", false, "TLS" },
	{ "http_v2_module", false, "HTTP/2" },
	{ "http_realip_module", false, "the address of a client behind a balancer" },
	{ "http_auth_request_module", false, "the question before an upload" },
	{ "http_secure_link_module", false, "the check of tokens" },
	{ "http_gzip_static_module", false, "index files" },
	{ "http_fastcgi_module", true, "the pool" },
	{ "http_map_module", true, "every request" },
	{ "http_rewrite_module", true, "every request" },
};

/* Is the option among the arguments, as a whole word? */
static bool
has_option(const char *text, const char *prefix, const char *module)
{
	size_t np = strlen(prefix), nm = strlen(module);

	for (const char *at = text; (at = strstr(at, prefix)) != NULL; at += np) {
		if ((at == text || at[-1] == ' ') && strncmp(at + np, module, nm) == 0 &&
		    strchr(" \n", at[np + nm]) != NULL)
			return true;
	}
	return false;
}

int
nginx_modules_judge(const char *version, struct err *err)
{
	const char *arguments = strstr(version, "configure arguments:");
	size_t missing = 0;

	if (arguments == NULL)
		return err_internal(err, 500, "`nginx -V` does not say how nginx was built: %.*s",
		    (int)strcspn(version, "\n"), version);
	for (size_t i = 0; i < sizeof(modules) / sizeof(*modules); i++) {
		bool there = modules[i].builtin ? !has_option(arguments, "--without-", modules[i].module)
		    : has_option(arguments, "--with-", modules[i].module);

		if (there)
			continue;
		if (missing++ == 0)
			err_internal(err, 500, "nginx lacks modules that its configuration for Berth needs");
		err_context(err, "%s (%s)", modules[i].module, modules[i].use);
	}
	return missing == 0 ? 0 : -1;
}

/* Starts `nginx -V`, whose standard error is the descriptor.  0 or an error number. */
static int
spawn(int errors, pid_t *pid)
{
	/* a shell, for the directories that PATH of another user than root may lack */
	const char *argv[] = { "sh", "-c", "PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin; exec nginx -V", NULL };
	posix_spawn_file_actions_t actions;
	int rc;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, errors, STDERR_FILENO);
	posix_spawn_file_actions_adddup2(&actions, errors, STDOUT_FILENO);
	rc = posix_spawn(pid, "/bin/sh", &actions, NULL, (char *const *)(uintptr_t)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	return rc;
}

/* Reads to the end, or until the buffer is full. */
static void
read_text(int fd, char *text, size_t size)
{
	size_t n = 0;
	ssize_t got;

	while (n < size - 1 && ((got = read(fd, text + n, size - 1 - n)) > 0 || (got == -1 && errno == EINTR)))
		n += got > 0 ? (size_t)got : 0;
	text[n] = '\0';
}

int
nginx_modules_check(struct err *err)
{
	char version[VERSION_MAX];
	int errors[2], status = 0, rc;
	pid_t pid = 0;

	if (pipe2(errors, O_CLOEXEC) == -1)
		return err_sys(err, "cannot run `nginx -V`");
	rc = spawn(errors[1], &pid);
	close(errors[1]);
	if (rc == 0) {
		read_text(errors[0], version, sizeof(version));
		while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
			continue;
	}
	close(errors[0]);
	if (rc != 0)
		return err_internal(err, 500, "cannot run `nginx -V`: %s", strerrordesc_np(rc));
	if (status != 0)
		return err_internal(err, 500, "cannot run `nginx -V`: %.*s", (int)strcspn(version, "\n"), version);
	return nginx_modules_judge(version, err);
}
