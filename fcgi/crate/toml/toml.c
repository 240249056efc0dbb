#include "crate/toml/toml.h"

#include "base/excerpt.h"
#include "crate/toml/toml_reader.h"

/* The parts of a dotted key. */
struct path {
	struct slice part[TOML_DEPTH_MAX];
	size_t n;
};

static int read_value(struct toml_reader *, struct toml_value *);

/* Notes that what comes is `by` levels further down. */
static int
descend(struct toml_reader *r, const char *at, size_t by)
{
	r->depth += by;
	if (r->depth > TOML_DEPTH_MAX)
		return toml_fail(r, at, "nested more than %d deep", TOML_DEPTH_MAX);
	return 0;
}

/* Counts one key or value, which begins at the place. */
static int
count_item(struct toml_reader *r, const char *at)
{
	if (++r->items > r->items_max)
		return toml_fail(r, at, "more than %zu keys and values", r->items_max);
	return 0;
}

static int
read_path(struct toml_reader *r, struct path *path)
{
	path->n = 0;
	do {
		toml_skip_blanks(r);
		if (path->n == TOML_DEPTH_MAX)
			return toml_fail(r, r->p, "nested more than %d deep", TOML_DEPTH_MAX);
		if (count_item(r, r->p) == -1 || toml_read_key(r, &path->part[path->n++]) == -1)
			return -1;
		toml_skip_blanks(r);
	} while (toml_accept(r, '.'));
	return 0;
}

static int
fail_duplicate(struct toml_reader *r, const char *at, struct slice key)
{
	return toml_fail(r, at, "`%.*s` is defined twice", excerpt(key), key.p);
}

static struct toml_value *
value_new(struct toml_reader *r, const char *at, enum toml_type type)
{
	struct toml_value *v = arena_alloc(r->arena, sizeof(*v));

	v->type = type;
	toml_locate(r, at, &v->line, &v->column);
	return v;
}

/* Adds an empty table to t. */
static struct toml_table *
add_table(struct toml_reader *r, const char *at, struct toml_table *t, struct slice key,
    enum toml_table_kind kind)
{
	struct toml_value *v = value_new(r, at, TOML_TABLE);

	v->u.table = toml_table_new(r->arena, kind);
	toml_table_add(r->arena, t, key, v);
	return v->u.table;
}

/* TOML 1.0 "Keys": a dotted key adds to tables that no header and no braces have defined. */
static int
enter_dotted(struct toml_reader *r, const char *at, struct slice key, struct toml_table **t)
{
	struct toml_value *v = toml_table_find(*t, key);

	if (v == NULL) {
		*t = add_table(r, at, *t, key, TOML_DOTTED);
		return 0;
	}
	if (v->type != TOML_TABLE || v->u.table->kind == TOML_HEADER ||
	    v->u.table->kind == TOML_INLINE)
		return fail_duplicate(r, at, key);
	*t = v->u.table;
	(*t)->kind = TOML_DOTTED;
	return 0;
}

/* key = value, into t or a table below it. */
static int
read_pair(struct toml_reader *r, struct toml_table *t)
{
	const size_t depth = r->depth;
	const char *at = r->p;
	struct path path;
	struct toml_value *v;
	struct slice last;

	if (read_path(r, &path) == -1 || descend(r, at, path.n) == -1)
		return -1;
	for (size_t i = 0; i + 1 < path.n; i++) {
		if (enter_dotted(r, at, path.part[i], &t) == -1)
			return -1;
	}
	last = path.part[path.n - 1];
	if (toml_table_find(t, last) != NULL)
		return fail_duplicate(r, at, last);
	if (!toml_accept(r, '='))
		return toml_fail(r, r->p, "expected `=` after a key");
	toml_skip_blanks(r);
	v = value_new(r, r->p, TOML_TABLE);
	if (read_value(r, v) == -1)
		return -1;
	toml_table_add(r->arena, t, last, v);
	r->depth = depth;
	return 0;
}

static int
read_array(struct toml_reader *r, struct toml_value *v)
{
	const char *open = r->p++;

	v->type = TOML_ARRAY;
	v->u.array = arena_alloc(r->arena, sizeof(*v->u.array));
	if (descend(r, open, 1) == -1)
		return -1;
	for (;;) {
		struct toml_value element = { 0 };

		toml_skip_lines(r);
		if (toml_accept(r, ']'))
			break;
		toml_locate(r, r->p, &element.line, &element.column);
		if (read_value(r, &element) == -1)
			return -1;
		toml_array_add(r->arena, v->u.array, &element);
		toml_skip_lines(r);
		if (toml_accept(r, ']'))
			break;
		if (!toml_accept(r, ','))
			return toml_fail(r, r->p, "expected `,` or `]` in an array");
	}
	r->depth--;
	return 0;
}

/* One line, and no comma after the last pair. */
static int
read_inline_table(struct toml_reader *r, struct toml_value *v)
{
	r->p++;
	v->type = TOML_TABLE;
	v->u.table = toml_table_new(r->arena, TOML_INLINE);
	toml_skip_blanks(r);
	if (toml_accept(r, '}'))
		return 0;
	do {
		toml_skip_blanks(r);
		if (read_pair(r, v->u.table) == -1)
			return -1;
		toml_skip_blanks(r);
	} while (toml_accept(r, ','));
	if (!toml_accept(r, '}'))
		return toml_fail(r, r->p, "expected `,` or `}` in an inline table");
	return 0;
}

/* Recursive, as deep as TOML_DEPTH_MAX allows. */
static int
read_value(struct toml_reader *r, struct toml_value *v)
{
	if (count_item(r, r->p) == -1)
		return -1;
	switch (*r->p) {
	case '"':
	case '\'':
		v->type = TOML_STRING;
		return toml_read_string(r, &v->u.string);
	case '[':
		return read_array(r, v);
	case '{':
		return read_inline_table(r, v);
	default:
		return toml_read_scalar(r, v);
	}
}

/* A part of a header before its last: a table, or the newest one of an array of tables. */
static int
enter_header(struct toml_reader *r, const char *at, struct slice key, struct toml_table **t)
{
	struct toml_value *v = toml_table_find(*t, key);

	if (v == NULL) {
		*t = add_table(r, at, *t, key, TOML_IMPLICIT);
		return 0;
	}
	if (v->type == TOML_ARRAY && v->u.array->of_tables) {
		*t = v->u.array->v[v->u.array->n - 1].u.table;
		return descend(r, at, 1);
	}
	if (v->type != TOML_TABLE || v->u.table->kind == TOML_INLINE)
		return fail_duplicate(r, at, key);
	*t = v->u.table;
	return 0;
}

/* [key]: the table that pairs go to from here on. */
static int
open_table(struct toml_reader *r, const char *at, struct slice key, struct toml_table **t)
{
	struct toml_value *v = toml_table_find(*t, key);

	if (v == NULL) {
		*t = add_table(r, at, *t, key, TOML_HEADER);
		return 0;
	}
	if (v->type != TOML_TABLE || v->u.table->kind != TOML_IMPLICIT)
		return fail_duplicate(r, at, key);
	*t = v->u.table;
	(*t)->kind = TOML_HEADER;
	return 0;
}

/* [[key]]: a new table at the end of the array. */
static int
open_element(struct toml_reader *r, const char *at, struct slice key, struct toml_table **t)
{
	struct toml_value *v = toml_table_find(*t, key);
	struct toml_value element = { .type = TOML_TABLE };

	if (v == NULL) {
		v = value_new(r, at, TOML_ARRAY);
		v->u.array = arena_alloc(r->arena, sizeof(*v->u.array));
		v->u.array->of_tables = true;
		toml_table_add(r->arena, *t, key, v);
	}
	if (v->type != TOML_ARRAY || !v->u.array->of_tables)
		return fail_duplicate(r, at, key);
	toml_locate(r, at, &element.line, &element.column);
	element.u.table = toml_table_new(r->arena, TOML_HEADER);
	toml_array_add(r->arena, v->u.array, &element);
	*t = element.u.table;
	return descend(r, at, 1);
}

/* A line [header] or [[header]].  *t becomes the table that it opens. */
static int
read_header(struct toml_reader *r, struct toml_table *root, struct toml_table **t)
{
	const char *at = r->p++;
	const bool element = toml_accept(r, '[');
	struct path path;

	r->depth = 0;
	if (read_path(r, &path) == -1 || descend(r, at, path.n) == -1)
		return -1;
	if (!toml_accept(r, ']') || (element && !toml_accept(r, ']')))
		return toml_fail(r, r->p, "expected `%s` after a table's name",
		    element ? "]]" : "]");
	*t = root;
	for (size_t i = 0; i + 1 < path.n; i++) {
		if (enter_header(r, at, path.part[i], t) == -1)
			return -1;
	}
	return (element ? open_element : open_table)(r, at, path.part[path.n - 1], t);
}

int
toml_parse(struct arena *arena, struct slice text, struct toml_table **root, struct err *err)
{
	return toml_parse_large(arena, text, TOML_ITEMS_MAX, root, err);
}

int
toml_parse_large(struct arena *arena, struct slice text, size_t items_max, struct toml_table **root,
    struct err *err)
{
	struct toml_reader reader;
	struct toml_table *t;

	if (toml_reader_init(&reader, arena, text, err) == -1)
		return -1;
	reader.items_max = items_max;
	*root = t = toml_table_new(arena, TOML_HEADER);
	for (toml_skip_lines(&reader); *reader.p != '\0'; toml_skip_lines(&reader)) {
		int rc = *reader.p == '[' ? read_header(&reader, *root, &t) : read_pair(&reader, t);

		if (rc == -1 || toml_read_line_end(&reader) == -1)
			return -1;
	}
	return 0;
}
