#include "crate/manifest/manifest_reader.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/excerpt.h"

int
manifest_fail(const struct manifest *m, const char *fmt, ...)
{
	char reason[ERR_PUB_SIZE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(reason, sizeof(reason), fmt, ap);
	va_end(ap);
	return err_set(m->err, 400, "failed to parse `Cargo.toml` manifest file: %s", reason);
}

const char *
manifest_name(const struct section *s, const char *key)
{
	const char *parent = s->parent != NULL ? manifest_name(s->parent, s->key) : "";

	return arena_printf(s->m->arena, "%.*s%s%.*s", excerpt(slice_str(parent)), parent,
	    *parent != '\0' ? "." : "", excerpt(slice_str(key)), key);
}

int
manifest_fail_type(const struct section *s, const char *key, const struct toml_value *v,
    const char *expected)
{
	const char *name = manifest_name(s, key);

	return manifest_fail(s->m, "line %u, column %u: `%.*s` must be %s, not %s", v->line,
	    v->column, excerpt(slice_str(name)), name, expected, toml_type_names[v->type]);
}

static int
take_text(const struct manifest *m, struct slice text, uint32_t line, uint32_t column,
    const char **out)
{
	if (text.n > 0 && memchr(text.p, '\0', text.n) != NULL)
		return manifest_fail(m, "line %u, column %u: a NUL character is not allowed here",
		    line, column);
	*out = arena_slicedup(m->arena, text);
	return 0;
}

int
manifest_key(const struct manifest *m, const struct toml_member *member, const char **out)
{
	return take_text(m, member->key, member->value->line, member->value->column, out);
}

int
manifest_text(const struct section *s, const char *key, bool required, const char **out)
{
	const struct toml_value *v = toml_get(s->table, key);

	if (v == NULL)
		return !required ? 0 : manifest_fail(s->m, "missing field `%s` in `%s`", key,
		    manifest_name(s->parent, s->key));
	if (v->type != TOML_STRING)
		return manifest_fail_type(s, key, v, "a string");
	return take_text(s->m, v->u.string, v->line, v->column, out);
}

int
manifest_bool(const struct section *s, const char *key, bool *out)
{
	const struct toml_value *v = toml_get(s->table, key);

	if (v == NULL)
		return 0;
	if (v->type != TOML_BOOLEAN)
		return manifest_fail_type(s, key, v, "a boolean");
	*out = v->u.boolean;
	return 0;
}

int
manifest_strings(const struct section *s, const char *key, struct strings *out)
{
	const struct toml_value *v = toml_get(s->table, key);
	size_t n;

	if (v == NULL)
		return 0;
	if (v->type != TOML_ARRAY)
		return manifest_fail_type(s, key, v, "an array of strings");
	n = toml_array_size(v->u.array);
	out->v = arena_calloc(s->m->arena, n, sizeof(*out->v));
	for (out->n = 0; out->n < n; out->n++) {
		const struct toml_value *e = toml_array_at(v->u.array, out->n);

		if (e->type != TOML_STRING)
			return manifest_fail_type(s, key, e, "an array of strings");
		if (take_text(s->m, e->u.string, e->line, e->column, &out->v[out->n]) == -1)
			return -1;
	}
	return 0;
}

int
manifest_as_section(const struct section *s, const char *key, const struct toml_value *v,
    struct section *out)
{
	if (v->type != TOML_TABLE)
		return manifest_fail_type(s, key, v, "a table");
	*out = (struct section) { s->m, v->u.table, s, key };
	return 0;
}

int
manifest_section(const struct section *s, const char *key, struct section *out)
{
	const struct toml_value *v = toml_get(s->table, key);

	*out = (struct section) { 0 };
	return v != NULL ? manifest_as_section(s, key, v, out) : 0;
}

int
manifest_refuse_inherited(const struct manifest *m, const struct toml_value *v)
{
	if (v->type == TOML_TABLE && toml_get(v->u.table, "workspace") != NULL)
		return manifest_fail(m, "line %u, column %u: value from workspace hasn't been set",
		    v->line, v->column);
	return 0;
}
