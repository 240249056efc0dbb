#include "config/nginx_modules.h"

#include <string.h>

#include "tap.h"

#define BEFORE "nginx version: nginx/1.22.1\nbuilt with OpenSSL 3.0.17\nconfigure arguments: --prefix=/usr "
#define ALL "--with-http_ssl_module --with-http_v2_module --with-http_realip_module " \
	"--with-http_auth_request_module --with-http_secure_link_module --with-http_gzip_static_module"

int
main(void)
{
	static const struct {
		const char *name, *version;
		const char *wants; /* in the error; NULL: none */
	} cases[] = {
		{ "all", BEFORE ALL "\n", NULL },
		{ "at the very end", BEFORE ALL, NULL },
		{ "others besides", BEFORE "--with-stream=dynamic " ALL " --without-http_ssi_module\n", NULL },
		{ "none", BEFORE "--with-debug\n", "http_ssl_module (TLS); http_v2_module (HTTP/2); http_realip_module" },
		{ "one of another name", BEFORE "--with-http_ssl_module --with-http_v2_module_next "
		    "--with-http_realip_module --with-http_auth_request_module --with-http_secure_link_module "
		    "--with-http_gzip_static_module\n", "; http_v2_module (HTTP/2)" },
		{ "without what it has by itself", BEFORE ALL " --without-http_map_module\n",
		    "; http_map_module (every request)" },
		{ "no nginx", "sh: 1: nginx: not found\n", "does not say how nginx was built: sh: 1: nginx: not found" },
		{ "nothing", "", "does not say how nginx was built" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct err err = { 0 };
		int rc = nginx_modules_judge(cases[i].version, &err);

		is_int(rc, cases[i].wants == NULL ? 0 : -1, cases[i].name);
		ok(cases[i].wants == NULL ? err.status == 0 : strstr(err.detail, cases[i].wants) != NULL,
		    "  what is missing");
	}
	return tap_done();
}
