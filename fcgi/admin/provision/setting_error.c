#include "admin/provision/setting_error.h"

int
setting_error(const struct conf_key *key, const char *value, const char *wrong, struct err *err)
{
	return err_set(err, 400, "%s %s: `%s`", key->name, wrong, value);
}
