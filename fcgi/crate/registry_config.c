#include "crate/registry_config.h"

#include <inttypes.h>

#include "base/buf.h"
#include "base/json.h"

enum { CONFIG_JSON_MAX = 4096 };

char *
registry_url(struct arena *a, const char *external_url, int64_t project_id)
{
	return arena_printf(a, "%s/api/v4/projects/%" PRId64 "/packages/cargo", external_url,
	    project_id);
}

char *
registry_group_url(struct arena *a, const char *external_url, int64_t group_id)
{
	return arena_printf(a, "%s/api/v4/groups/%" PRId64 "/-/packages/cargo", external_url, group_id);
}

struct slice
registry_config(struct arena *a, const char *root, bool auth_required)
{
	struct json_out o;
	struct buf b;

	buf_init(&b, a, CONFIG_JSON_MAX);
	json_out_init(&o, &b);
	json_out_open(&o, '{');
	json_out_key(&o, "dl");
	/* without a marker cargo appends the path of a download by itself */
	json_out_str(&o, root);
	json_out_key(&o, "api");
	json_out_str(&o, root);
	json_out_key(&o, "auth-required");
	json_out_bool(&o, auth_required);
	json_out_close(&o, '}');
	return buf_slice(&b);
}

/* FNV-1a. */
int64_t
registry_config_time(struct slice config)
{
	uint32_t h = 2166136261;

	for (size_t i = 0; i < config.n; i++)
		h = (h ^ (unsigned char)config.p[i]) * 16777619;
	return (int64_t)(h & INT32_MAX);
}
