#include "transfer/import_finding.h"

#include <inttypes.h>
#include <string.h>

#include "access/naming.h"
#include "base/json.h"
#include "crate/crate_name.h"

/* Of a version.  Pages add up those of all versions in 64 bits. */
static const int64_t downloads_max = 1000000000000;

void
import_finding_add(struct import_finding *f, const struct import_found *found)
{
	f->v = arena_grow(f->arena, f->v, f->n, &f->room, sizeof(*f->v));
	f->v[f->n] = *found;
	f->v[f->n].order = f->n;
	f->n++;
}

static int
take_owners(struct import_finding *f, const struct json_get *get, struct import_found *found)
{
	struct json_object *owners = NULL;
	size_t n;

	if (json_get_array(get, "owners", false, &owners) == -1)
		return -1;
	n = owners == NULL ? 0 : json_object_array_length(owners);
	found->owners.v = arena_calloc(f->arena, n, sizeof(*found->owners.v));
	for (size_t i = 0; i < n; i++) {
		struct json_object *owner = json_object_array_get_idx(owners, i);
		struct err wrong = { 0 };

		if (!json_object_is_type(owner, json_type_string))
			return err_set(get->err, 400, "%s: an owner is not a string", get->what);
		/* reports show it on a terminal */
		if (naming_check_text("an owner", json_object_get_string(owner), &wrong) == -1)
			return err_set(get->err, 400, "%s: %s", get->what, wrong.pub);
		found->owners.v[found->owners.n++] = arena_strdup(f->arena, json_object_get_string(owner));
	}
	return 0;
}

/* Reads the additional members of a list's line. */
static int
take_listed(struct import_finding *f, const struct json_get *get, struct import_found *found)
{
	struct import_version *v = &found->version;

	if (take_owners(f, get, found) == -1 || json_get_int(get, "downloads", false, &v->downloads) == -1)
		return -1;
	v->published_at = import_time_take(f->arena, get->obj, "pubtime");
	return v->downloads >= 0 && v->downloads <= downloads_max ? 0 : err_set(get->err, 400,
	    "%s: field `downloads` must be a number from 0 to %" PRId64, get->what, downloads_max);
}

/* Takes name and version of a line; the rest is read when it is imported. */
static int
take_object(struct import_finding *f, struct arena *parse, struct slice line, const char *what,
    struct err *err)
{
	struct json_object *obj;
	struct json_get get;
	struct import_found found = { .version = { .line = line } };
	const char *name, *version = NULL;
	struct err wrong = { 0 };

	if (json_parse(parse, line, what, &obj, err) == -1)
		return -1;
	if (!json_object_is_type(obj, json_type_object))
		return err_set(err, 400, "%s: the line is not an object", what);
	get = (struct json_get) { obj, what, err };
	if (json_get_str(&get, "name", true, &name) == -1 ||
	    json_get_str(&get, "vers", !f->is_list, &version) == -1 ||
	    (f->is_list && take_listed(f, &get, &found) == -1))
		return -1;
	if (crate_name_check(slice_str(name), "crate", &wrong) == -1 ||
	    (version != NULL && semver_parse(slice_str(version), &found.semver, &wrong) == -1))
		return err_set(err, 400, "%s: %s", what, wrong.pub);
	found.name = arena_strdup(f->arena, name);
	if (version != NULL)
		found.version.version = arena_strdup(f->arena, version);
	import_finding_add(f, &found);
	return 0;
}

static int
take_line(struct import_finding *f, struct arena *parse, struct slice line, const char *what, struct err *err)
{
	struct import_found found = { .order = 0 };
	struct err wrong = { 0 };

	if (!f->is_list || line.p[0] == '{')
		return take_object(f, parse, line, what, err);
	found.name = arena_slicedup(f->arena, line);
	if (crate_name_check(line, "crate", &wrong) == -1)
		return err_set(err, 400, "%s: %s", what, wrong.pub);
	import_finding_add(f, &found);
	return 0;
}

int
import_finding_take(struct import_finding *f, struct slice rest, const char *what, struct err *err)
{
	struct arena *parse = arena_new();
	int rc = 0;

	for (size_t number = 1; rc == 0 && rest.n > 0; number++) {
		const char *end = memchr(rest.p, '\n', rest.n);
		struct slice line = slice_of(rest.p, end == NULL ? rest.n : (size_t)(end - rest.p));
		size_t used = line.n + (end != NULL);

		rest = slice_of(rest.p + used, rest.n - used);
		/* an editor of Windows ends the lines of a list with CR LF */
		if (line.n > 0 && line.p[line.n - 1] == '\r')
			line.n--;
		if (line.n > 0)
			rc = take_line(f, parse, line, arena_printf(parse, "%s:%zu", what, number), err);
		arena_reset(parse);
	}
	arena_free(parse);
	return rc;
}
