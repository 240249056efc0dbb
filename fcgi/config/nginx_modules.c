#include "config/nginx_modules.h"

#include <string.h>

#include "config/command.h"

enum { VERSION_MAX = 16384, ANSWER_MAX = 256 };

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

int
nginx_modules_check(int ms, struct err *err)
{
	char version[VERSION_MAX];

	return command_output("nginx -V", ms, version, sizeof(version), err) == -1 ? -1
	    : nginx_modules_judge(version, err);
}

bool
nginx_reload_failed(int ms)
{
	static const char name[] = "ReloadResult=", good[] = "success\n";
	char answer[ANSWER_MAX];
	struct err err = { 0 };
	const char *value;

	if (command_output("systemctl show -p ReloadResult nginx.service", ms, answer, sizeof(answer), &err) == -1)
		return false;
	value = strstr(answer, name);
	return value != NULL && strncmp(value + strlen(name), good, strlen(good)) != 0;
}
