#include "admin/project_policy.h"

#include <assert.h>
#include <inttypes.h>

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

static int
check_value(const struct invocation *in, const struct conf_key *key, const char *value,
    struct err *err)
{
	struct settings scratch = { 0 };
	const char *wrong = conf_set(in->arena, key, value, &scratch);

	if (wrong != NULL)
		return err_set(err, 400, "%s %s", key->name, wrong);
	return check_crate_size(&scratch, in->settings, err);
}

int
project_policy_change(const struct invocation *in, const char **json, struct err *err)
{
	struct json_out o;
	struct buf b;
	bool any = false;

	buf_init(&b, in->arena, POLICY_MAX);
	json_out_init(&o, &b);
	json_out_open(&o, '{');
	for (size_t i = 1; i < in->nargs; i++) {
		const char *word = in->args[i];
		size_t n = strcspn(word, "=");
		const struct conf_key *key = settings_project_key(slice_of(word, n));
		const char *value = word + n + (word[n] == '=');
		bool back = value[0] == '\0' || strcmp(value, "default") == 0;

		if (key == NULL)
			continue;
		if (!back && check_value(in, key, value, err) == -1)
			return -1;
		any = true;
		json_out_key(&o, key->name);
		json_out_str(&o, back ? NULL : value);
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
