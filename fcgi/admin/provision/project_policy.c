#include "admin/provision/project_policy.h"

#include <assert.h>
#include <inttypes.h>

#include "admin/provision/setting_error.h"
#include "base/buf.h"
#include "base/json.h"
#include "config/settings.h"

/* As many words as a command can have, of values that conf_set() takes, with room to spare. */
enum { POLICY_MAX = 1 << 20 };

/*
 * The body of a request is bounded by what the configuration says, in nginx and in the
 * pool, before anybody has looked at the project.
 */
static int
check_crate_size(const struct settings *project, const struct settings *configured, struct err *err)
{
	if (configured != NULL && project->max_crate_size > configured->max_crate_size)
		return err_set(err, 400,
		    "max_crate_size of a project cannot be larger than in the configuration, "
		    "%" PRId64 ", because nginx enforces that limit",
		    configured->max_crate_size);
	return 0;
}

int
project_policy_check(struct arena *a, const struct settings *configured, const char *name,
    const char **value, struct err *err)
{
	const struct conf_key *key = settings_project_key(slice_str(name));
	struct settings scratch = { 0 };
	const char *wrong;

	assert(key != NULL);
	if ((*value)[0] == '\0' || strcmp(*value, "default") == 0) {
		*value = "";
		return 0;
	}
	wrong = conf_set(a, key, *value, &scratch);
	if (wrong != NULL)
		return setting_error(key, *value, wrong, err);
	return check_crate_size(&scratch, configured, err);
}

int
project_policy_change(struct arena *a, const struct settings *configured, const char *const *words,
    size_t nwords, const char **json, struct err *err)
{
	struct json_out o;
	struct buf b;
	bool any = false;

	buf_init(&b, a, POLICY_MAX);
	json_out_init(&o, &b);
	json_out_open(&o, '{');
	for (size_t i = 0; i < nwords; i++) {
		size_t n = strcspn(words[i], "=");
		const struct conf_key *key = settings_project_key(slice_of(words[i], n));
		const char *value = words[i] + n + (words[i][n] == '=');

		if (key == NULL)
			continue;
		if (project_policy_check(a, configured, key->name, &value, err) == -1)
			return -1;
		any = true;
		json_out_key_str(&o, key->name, value[0] != '\0' ? value : NULL);
	}
	json_out_close(&o, '}');
	assert(!buf_full(&b));
	*json = any ? buf_str(&b) : NULL;
	return 0;
}

const char *
project_policy_keys(struct arena *a)
{
	struct buf b;

	buf_init(&b, a, POLICY_MAX);
	for (size_t i = 0; i < settings_nkeys; i++) {
		if (settings_keys[i].project)
			buf_printf(&b, "%s%s", b.n > 0 ? ", " : "", settings_keys[i].name);
	}
	return buf_str(&b);
}
