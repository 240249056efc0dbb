#include "crate/registry_config.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/json.h"
#include "crate/crate_name.h"

enum { CONFIG_JSON_MAX = 4096, DOWNLOAD_URL_MAX = 64 * 1024 };

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

const char *
registry_alias(const char *path)
{
	const char *slash = strrchr(path, '/'), *last = slash != NULL ? slash + 1 : path;
	struct err wrong = { 0 };

	if (crate_name_check(slice_str(last), "registry", &wrong) == -1 || strcasecmp(last, "crates-io") == 0)
		return "berth";
	return last;
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
	json_out_key_str(&o, "api", root);
	json_out_key_bool(&o, "auth-required", auth_required);
	json_out_close(&o, '}');
	return buf_slice(&b);
}

int
registry_config_parse(struct arena *a, struct slice text, struct registry_said *said, struct err *err)
{
	static const char what[] = "config.json of the index";
	struct json_object *obj;
	struct json_get get;

	*said = (struct registry_said) { .dl = NULL };
	if (json_parse(a, text, what, &obj, err) == -1)
		return -1;
	if (!json_object_is_type(obj, json_type_object))
		return err_set(err, 400, "%s: is not an object", what);
	get = (struct json_get) { obj, what, err };
	return json_get_str(&get, "dl", true, &said->dl) == -1 ||
	    json_get_str(&get, "api", false, &said->api) == -1 ||
	    json_get_bool(&get, "auth-required", false, &said->auth_required) == -1 ? -1 : 0;
}

const char *
registry_download_url(struct arena *a, const char *dl, const char *name, const char *version,
    const char *cksum)
{
	const struct {
		struct slice marker;
		const char *value;
	} markers[] = {
		{ slice_str("{crate}"), name },
		{ slice_str("{version}"), version },
		{ slice_str("{prefix}"), crate_name_folders(a, slice_str(name)) },
		{ slice_str("{lowerprefix}"), crate_name_folders(a, slice_str(crate_name_lower(a, slice_str(name)))) },
		{ slice_str("{sha256-checksum}"), cksum },
	};
	enum { NMARKERS = sizeof(markers) / sizeof(*markers) };
	bool any = false;
	struct buf b;

	buf_init(&b, a, DOWNLOAD_URL_MAX);
	while (*dl != '\0') {
		size_t i = 0;

		while (i < NMARKERS && strncmp(dl, markers[i].marker.p, markers[i].marker.n) != 0)
			i++;
		if (i == NMARKERS) {
			buf_putc(&b, *dl++);
			continue;
		}
		buf_puts(&b, markers[i].value);
		dl += markers[i].marker.n;
		any = true;
	}
	if (!any)
		buf_printf(&b, "/%s/%s/download", name, version);
	return buf_str(&b);
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
