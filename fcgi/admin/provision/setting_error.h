#ifndef ADMIN_PROVISION_SETTING_ERROR_H
#define ADMIN_PROVISION_SETTING_ERROR_H

/* The error for a value that a setting of a project or group cannot have. */

#include "base/err.h"
#include "config/conf.h"

/* `wrong` is what conf_set() says of the value.  Returns -1, with 400. */
int setting_error(const struct conf_key *, const char *value, const char *wrong, struct err *);

#endif
