#include "transfer/import_line.h"

#include <string.h>

#include "base/json.h"

static const char what[] = "the line of the index";

static int
parse_registries(struct arena *a, struct json_object *deps, struct import_line *line, struct err *err)
{
	size_t n = deps == NULL ? 0 : json_object_array_length(deps);

	line->registries = arena_calloc(a, n, sizeof(*line->registries));
	for (size_t i = 0; i < n; i++) {
		struct json_object *dep = json_object_array_get_idx(deps, i);
		const struct json_get get = { dep, what, err };
		struct import_line_registry *r = &line->registries[line->nregistries];

		if (!json_object_is_type(dep, json_type_object))
			return err_set(err, 400, "%s: a dependency is not an object", what);
		if (json_get_str(&get, "name", true, &r->dependency) == -1 ||
		    json_get_str(&get, "registry", false, &r->url) == -1)
			return -1;
		line->nregistries++;
	}
	return 0;
}

/* Hexadecimal digits of either case say the same. */
static const char *
lower(struct arena *a, const char *digits)
{
	char *text = arena_strdup(a, digits);

	for (char *p = text; *p != '\0'; p++) {
		if (*p >= 'A' && *p <= 'F')
			*p = (char)(*p - 'A' + 'a');
	}
	return text;
}

int
import_line_parse(struct arena *a, struct slice text, struct import_line *line, struct err *err)
{
	struct json_object *obj, *deps = NULL;
	struct json_get get;

	*line = (struct import_line) { .cksum = NULL };
	if (json_parse(a, text, what, &obj, err) == -1)
		return -1;
	get = (struct json_get) { obj, what, err };
	if (json_get_str(&get, "cksum", true, &line->cksum) == -1 ||
	    json_get_bool(&get, "yanked", false, &line->yanked) == -1 ||
	    json_get_array(&get, "deps", false, &deps) == -1)
		return -1;
	line->cksum = lower(a, line->cksum);
	line->published_at = import_time_take(a, obj, "pubtime");
	return parse_registries(a, deps, line, err);
}

void
import_line_apply(const struct import_line *line, struct package *pkg)
{
	for (size_t i = 0; i < pkg->ndeps; i++) {
		struct dependency *d = &pkg->deps[i];
		const char *local = d->alias != NULL ? d->alias : d->name;

		for (size_t k = 0; k < line->nregistries; k++) {
			if (strcmp(line->registries[k].dependency, local) == 0)
				d->registry = line->registries[k].url;
		}
	}
}
