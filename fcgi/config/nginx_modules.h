#ifndef CONFIG_NGINX_MODULES_H
#define CONFIG_NGINX_MODULES_H

#include <stdbool.h>

#include "base/err.h"

/*
 * Has nginx of this host (`nginx -V`, found by PATH or in a directory for administrators) the modules that
 * conf/nginx/ needs?  -1: 500, and `detail` names those that are missing and what needs them, or says that
 * nginx cannot be run within `ms` milliseconds.
 */
int nginx_modules_check(int ms, struct err *) __attribute__((warn_unused_result));

/* The same, of what `nginx -V` has printed. */
int nginx_modules_judge(const char *version, struct err *) __attribute__((warn_unused_result));

/* Does systemd say, within `ms` milliseconds, that the last `systemctl reload nginx` of this host failed? */
bool nginx_reload_failed(int ms);

#endif
