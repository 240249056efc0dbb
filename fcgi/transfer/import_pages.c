#include "transfer/import_pages.h"

#include <string.h>

#include "base/json.h"
#include "crate/crate_name.h"

static const char what[] = "the registry's list of crates";

void
import_pages_begin(struct import_pages *pages)
{
	*pages = (struct import_pages) { .arena = pages->arena, .names.v = pages->names.v, .room = pages->room,
		.total = -1 };
}

static int
take_name(struct import_pages *pages, struct json_object *crate, struct err *err)
{
	struct json_get in = { crate, what, err };
	struct strings *names = &pages->names;
	const char *name;

	if (!json_object_is_type(crate, json_type_object))
		return err_set(err, 400, "%s: a crate is not an object", what);
	if (json_get_str(&in, "name", true, &name) == -1 || crate_name_check(slice_str(name), "crate", err) == -1)
		return -1;
	names->v = arena_grow(pages->arena, names->v, names->n, &pages->room, sizeof(*names->v));
	names->v[names->n++] = arena_strdup(pages->arena, name);
	return 0;
}

int
import_pages_take(struct import_pages *pages, struct arena *piece, struct slice page, bool *more,
    struct err *err)
{
	struct strings *names = &pages->names;
	struct json_object *obj, *crates, *meta = NULL;
	int64_t total_before = pages->total;
	size_t first = names->n, n;

	if (json_parse(piece, page, what, &obj, err) == -1)
		return -1;
	if (!json_object_is_type(obj, json_type_object))
		return err_set(err, 400, "%s: is not an object", what);
	if (json_get_array(&(struct json_get) { obj, what, err }, "crates", true, &crates) == -1 ||
	    json_get_object(&(struct json_get) { obj, what, err }, "meta", true, &meta) == -1 ||
	    json_get_int(&(struct json_get) { meta, what, err }, "total", true, &pages->total) == -1)
		return -1;
	pages->moved = pages->moved || (total_before != -1 && pages->total != total_before);
	n = json_object_array_length(crates);
	for (size_t i = 0; i < n && names->n < IMPORT_PAGES_CRATES_MAX; i++)
		if (take_name(pages, json_object_array_get_idx(crates, i), err) == -1)
			return -1;
	/* a server that knows no pages sends the first one again */
	if (first > 0 && names->n > first && strcmp(names->v[pages->first], names->v[first]) == 0)
		names->n = first;
	*more = names->n > first && (int64_t)names->n < pages->total;
	pages->first = first;
	return 0;
}
