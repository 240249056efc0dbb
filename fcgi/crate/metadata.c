#include "crate/metadata.h"

#include "base/json.h"
#include "crate/package_json.h"

int
metadata_parse(struct arena *a, struct slice json, struct package *out, struct err *err)
{
	static const char what[] = "invalid upload request";
	struct json_object *root;

	*out = (struct package) { 0 };
	if (json_parse(a, json, what, &root, err) == -1)
		return -1;
	if (!json_object_is_type(root, json_type_object))
		return err_set(err, 400, "%s: expected an object", what);
	return package_json_read(a, &(struct json_get) { root, what, err }, out);
}
