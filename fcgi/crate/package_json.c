#include "crate/package_json.h"

#include <stddef.h>
#include <string.h>

/* A member of struct package and its key. */
struct member {
	const char *key;
	size_t offset;
	bool required;
};

static const struct member texts[] = {
	{ "name", offsetof(struct package, name), true },
	{ "vers", offsetof(struct package, version), true },
	{ "description", offsetof(struct package, description), false },
	{ "documentation", offsetof(struct package, documentation), false },
	{ "homepage", offsetof(struct package, homepage), false },
	{ "readme", offsetof(struct package, readme), false },
	{ "readme_file", offsetof(struct package, readme_file), false },
	{ "license", offsetof(struct package, license), false },
	{ "license_file", offsetof(struct package, license_file), false },
	{ "repository", offsetof(struct package, repository), false },
	{ "links", offsetof(struct package, links), false },
	{ "rust_version", offsetof(struct package, rust_version), false },
};

static const struct member lists[] = {
	{ "authors", offsetof(struct package, authors), false },
	{ "keywords", offsetof(struct package, keywords), false },
	{ "categories", offsetof(struct package, categories), false },
};

enum { NTEXTS = sizeof(texts) / sizeof(*texts), NLISTS = sizeof(lists) / sizeof(*lists) };

static int
read_string_array(struct arena *a, const struct json_get *get, const char *key,
    struct json_object *array, struct strings *out)
{
	size_t n = json_object_array_length(array);

	out->v = arena_calloc(a, n, sizeof(*out->v));
	for (out->n = 0; out->n < n; out->n++) {
		struct json_object *o = json_object_array_get_idx(array, out->n);

		if (!json_object_is_type(o, json_type_string))
			return err_set(get->err, 400, "%s: field `%s` must hold strings only",
			    get->what, key);
		out->v[out->n] = json_object_get_string(o);
	}
	return 0;
}

int
package_json_read_strings(struct arena *a, const struct json_get *get, const char *key,
    struct strings *out)
{
	struct json_object *array = NULL;

	if (json_get_array(get, key, false, &array) == -1)
		return -1;
	return array != NULL ? read_string_array(a, get, key, array, out) : 0;
}

static int
read_features(struct arena *a, const struct json_get *get, struct package *pkg)
{
	struct json_object *features = NULL;
	struct json_object_iterator it, end;

	if (json_get_object(get, "features", false, &features) == -1)
		return -1;
	if (features == NULL)
		return 0;
	pkg->features =
	    arena_calloc(a, (size_t)json_object_object_length(features), sizeof(*pkg->features));
	it = json_object_iter_begin(features);
	end = json_object_iter_end(features);
	for (; !json_object_iter_equal(&it, &end); json_object_iter_next(&it)) {
		struct feature *f = &pkg->features[pkg->nfeatures++];
		struct json_object *values = json_object_iter_peek_value(&it);

		f->name = json_object_iter_peek_name(&it);
		/* RFC 3416: what the feature enables is one of several things that are known of it */
		if (json_object_is_type(values, json_type_object))
			values = json_object_object_get(values, "enables");
		if (!json_object_is_type(values, json_type_array))
			return err_set(get->err, 400, "%s: each of `features` must be an array",
			    get->what);
		if (read_string_array(a, get, "features", values, &f->values) == -1)
			return -1;
	}
	return 0;
}

static int
read_kind(const struct json_get *get, enum dep_kind *out)
{
	const char *kind = NULL;

	if (json_get_str(get, "kind", false, &kind) == -1)
		return -1;
	for (int i = 0; i < DEP__MAX; i++) {
		if (kind == NULL || strcmp(kind, dep_kind_names[i]) == 0) {
			*out = (enum dep_kind)i;
			return 0;
		}
	}
	return err_set(get->err, 400,
	    "%s: field `kind` of a dependency must be \"normal\", \"build\" or \"dev\"", get->what);
}

static int
read_artifact(struct arena *a, const struct json_get *get, struct artifact *artifact)
{
	if (package_json_read_strings(a, get, "artifact", &artifact->kinds) == -1)
		return -1;
	return json_get_str(get, "bindep_target", false, &artifact->target) == -1
	    ? -1
	    : json_get_bool(get, "lib", false, &artifact->lib);
}

static int
read_dependency(struct arena *a, const struct json_get *get, struct dependency *d)
{
	d->default_features = true;
	if (json_get_str(get, "name", true, &d->name) == -1 ||
	    json_get_str(get, "version_req", true, &d->req) == -1 ||
	    json_get_str(get, "explicit_name_in_toml", false, &d->alias) == -1 ||
	    json_get_str(get, "target", false, &d->target) == -1 ||
	    json_get_str(get, "registry", false, &d->registry) == -1 ||
	    json_get_bool(get, "optional", false, &d->optional) == -1 ||
	    json_get_bool(get, "default_features", false, &d->default_features) == -1 ||
	    read_kind(get, &d->kind) == -1 || read_artifact(a, get, &d->artifact) == -1)
		return -1;
	/* some clients send "" for "none" */
	if (d->registry != NULL && *d->registry == '\0')
		d->registry = NULL;
	return package_json_read_strings(a, get, "features", &d->features);
}

/* A dependency on the toolchain; what tells where a package is from cannot be said of it. */
static int
read_builtin(struct arena *a, const struct json_get *get, struct dependency *d)
{
	static const char *const others[] = { "version_req", "req", "registry", "package",
		"explicit_name_in_toml", "artifact" };

	*d = (struct dependency) { .req = "*", .default_features = true };
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		if (json_object_object_get(get->obj, others[i]) != NULL)
			return err_set(get->err, 400, "%s: a builtin dependency has no `%s`",
			    get->what, others[i]);
	}
	if (json_get_str(get, "name", true, &d->name) == -1 ||
	    json_get_str(get, "target", false, &d->target) == -1 ||
	    json_get_bool(get, "optional", false, &d->optional) == -1 ||
	    json_get_bool(get, "default_features", false, &d->default_features) == -1 ||
	    read_kind(get, &d->kind) == -1)
		return -1;
	return package_json_read_strings(a, get, "features", &d->features);
}

/* The dependencies below that key, each by `read`. */
static int
read_dependencies(struct arena *a, const struct json_get *get, const char *key,
    int (*read)(struct arena *, const struct json_get *, struct dependency *),
    struct dependency **out, size_t *n)
{
	struct json_object *deps = NULL;
	size_t size;

	if (json_get_array(get, key, false, &deps) == -1)
		return -1;
	size = deps != NULL ? json_object_array_length(deps) : 0;
	*out = arena_calloc(a, size, sizeof(**out));
	for (*n = 0; *n < size; ++*n) {
		struct json_get dep = { json_object_array_get_idx(deps, *n), get->what, get->err };

		if (!json_object_is_type(dep.obj, json_type_object))
			return err_set(get->err, 400, "%s: each of `%s` must be an object",
			    get->what, key);
		if (read(a, &dep, &(*out)[*n]) == -1)
			return -1;
	}
	return 0;
}

int
package_json_read(struct arena *a, const struct json_get *get, struct package *pkg)
{
	for (size_t i = 0; i < NTEXTS; i++) {
		const char **text = (void *)((char *)pkg + texts[i].offset);

		if (json_get_str(get, texts[i].key, texts[i].required, text) == -1)
			return -1;
	}
	for (size_t i = 0; i < NLISTS; i++) {
		struct strings *list = (void *)((char *)pkg + lists[i].offset);

		if (package_json_read_strings(a, get, lists[i].key, list) == -1)
			return -1;
	}
	if (read_features(a, get, pkg) == -1 ||
	    read_dependencies(a, get, "deps", read_dependency, &pkg->deps, &pkg->ndeps) == -1)
		return -1;
	return read_dependencies(a, get, "builtin_deps", read_builtin, &pkg->builtins,
	    &pkg->nbuiltins);
}

void
package_json_write_strings(struct json_out *o, const char *key, const struct strings *s)
{
	json_out_key(o, key);
	json_out_open(o, '[');
	for (size_t i = 0; i < s->n; i++)
		json_out_str(o, s->v[i]);
	json_out_close(o, ']');
}

void
package_json_write_artifact(struct json_out *o, const struct artifact *artifact)
{
	if (artifact->kinds.n == 0)
		return;
	package_json_write_strings(o, "artifact", &artifact->kinds);
	json_out_key_str(o, "bindep_target", artifact->target);
	json_out_key_bool(o, "lib", artifact->lib);
}

static void
write_dependency(struct json_out *o, const struct dependency *d)
{
	json_out_open(o, '{');
	json_out_key_str(o, "name", d->name);
	json_out_key_str(o, "version_req", d->req);
	json_out_key_str(o, "explicit_name_in_toml", d->alias);
	json_out_key_str(o, "target", d->target);
	json_out_key_str(o, "registry", d->registry);
	json_out_key_str(o, "kind", dep_kind_names[d->kind]);
	json_out_key_bool(o, "optional", d->optional);
	json_out_key_bool(o, "default_features", d->default_features);
	package_json_write_strings(o, "features", &d->features);
	package_json_write_artifact(o, &d->artifact);
	json_out_close(o, '}');
}

void
package_json_write_builtins(struct json_out *o, const struct package *pkg)
{
	json_out_key(o, "builtin_deps");
	json_out_open(o, '[');
	for (size_t i = 0; i < pkg->nbuiltins; i++) {
		const struct dependency *d = &pkg->builtins[i];

		json_out_open(o, '{');
		json_out_key_str(o, "name", d->name);
		package_json_write_strings(o, "features", &d->features);
		json_out_key_bool(o, "optional", d->optional);
		json_out_key_bool(o, "default_features", d->default_features);
		json_out_key_str(o, "target", d->target);
		json_out_key_str(o, "kind", dep_kind_names[d->kind]);
		json_out_close(o, '}');
	}
	json_out_close(o, ']');
}

void
package_json_write(struct json_out *o, const struct package *pkg)
{
	for (size_t i = 0; i < NTEXTS; i++) {
		const char *const *text = (const void *)((const char *)pkg + texts[i].offset);

		json_out_key_str(o, texts[i].key, *text);
	}
	for (size_t i = 0; i < NLISTS; i++) {
		const struct strings *list = (const void *)((const char *)pkg + lists[i].offset);

		package_json_write_strings(o, lists[i].key, list);
	}
	json_out_key(o, "features");
	json_out_open(o, '{');
	for (size_t i = 0; i < pkg->nfeatures; i++)
		package_json_write_strings(o, pkg->features[i].name, &pkg->features[i].values);
	json_out_close(o, '}');
	json_out_key(o, "deps");
	json_out_open(o, '[');
	for (size_t i = 0; i < pkg->ndeps; i++)
		write_dependency(o, &pkg->deps[i]);
	json_out_close(o, ']');
	package_json_write_builtins(o, pkg);
}
