#include "admin/provision/wishes.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/json.h"
#include "config/settings.h"
#include "crate/crate_name.h"
#include "crate/toml/toml.h"

enum { VALUE_MAX = 1 << 20 };

/* Puts "FILE:LINE: " before the sentence of an error in the file, and makes it a 409.  Returns -1. */
static int
blame(struct arena *a, const struct wishes *wishes, uint32_t line, struct err *err)
{
	if (err->status >= 500)
		return -1;
	return err_set(err, 409, "%s:%" PRIu32 ": %s", wishes->file, line, arena_strdup(a, err->pub));
}

/* Without the claims of a trust rule, which are long. */
static const char *
short_names(struct arena *a, const struct provision_thing *thing)
{
	struct provision_thing some = *thing;

	for (size_t i = 0; i < PROVISION_NAMES_MAX; i++) {
		if (provision_name_key(thing->kind, i).type == PROVISION_OBJECT)
			some.names[i] = NULL;
	}
	return provision_names(a, &some);
}

int
wishes_blame_wish(struct arena *a, const struct wishes *wishes, const struct wish *wish, struct err *err)
{
	if (err->status < 500)
		err_set(err, 409, "[[%s]] %s: %s", provision_kind_names[wish->thing.kind],
		    short_names(a, &wish->thing), arena_strdup(a, err->pub));
	return blame(a, wishes, wish->line, err);
}

/* ---- values ---- */

/* A text without NUL. */
static int
read_string(struct arena *a, const struct provision_key *key, const struct toml_value *value,
    const char **out, struct err *err)
{
	struct slice s = value->u.string;

	if (value->type != TOML_STRING && value->type != TOML_DATETIME)
		return err_set(err, 400, "%s must not be %s", key->name, toml_type_names[value->type]);
	if (memchr(s.p, '\0', s.n) != NULL)
		return err_set(err, 400, "%s contains a NUL", key->name);
	*out = arena_slicedup(a, s);
	return 0;
}

static int
read_list(struct arena *a, const struct provision_key *key, const struct toml_value *value,
    const char **out, struct err *err)
{
	const char *separator = key->type == PROVISION_COMMAS ? "," : " ";
	const char *word = "";
	struct buf b;

	buf_init(&b, a, VALUE_MAX);
	for (size_t i = 0; i < toml_array_size(value->u.array); i++) {
		const struct toml_value *element = toml_array_at(value->u.array, i);

		if (element->type != TOML_STRING)
			return err_set(err, 400, "%s must be an array of strings", key->name);
		if (read_string(a, key, element, &word, err) == -1)
			return -1;
		if (word[0] == '\0' || strpbrk(word, ", \t") != NULL)
			return err_set(err, 400, "`%s` in %s must be one word", word, key->name);
		buf_printf(&b, "%s%s", i > 0 ? separator : "", word);
	}
	if (buf_full(&b))
		return err_set(err, 400, "%s is longer than %d bytes", key->name, VALUE_MAX);
	*out = buf_str(&b);
	return 0;
}

static int
by_key(const void *left, const void *right)
{
	const struct toml_member *const *l = left, *const *r = right;
	struct slice a = (*l)->key, b = (*r)->key;
	int order = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);

	return order != 0 ? order : (a.n > b.n) - (a.n < b.n);
}

/* In the order of the keys: tables with the same members have the same text. */
static int
read_object(struct arena *a, const struct provision_key *key, const struct toml_value *value,
    const char **out, struct err *err)
{
	size_t n = toml_table_size(value->u.table);
	const struct toml_member **members = arena_calloc(a, n + 1, sizeof(struct toml_member *));
	const char *text = "";
	struct json_out o;
	struct buf b;

	buf_init(&b, a, VALUE_MAX);
	json_out_init(&o, &b);
	json_out_open(&o, '{');
	for (size_t i = 0; i < n; i++)
		members[i] = toml_table_at(value->u.table, i);
	qsort(members, n, sizeof(struct toml_member *), by_key);
	for (size_t i = 0; i < n; i++) {
		const struct toml_member *m = members[i];

		if (m->value->type != TOML_STRING)
			return err_set(err, 400, "%s must be a table of strings", key->name);
		if (read_string(a, key, m->value, &text, err) == -1)
			return -1;
		json_out_key_str(&o, arena_slicedup(a, m->key), text);
	}
	json_out_close(&o, '}');
	if (buf_full(&b))
		return err_set(err, 400, "%s is longer than %d bytes", key->name, VALUE_MAX);
	*out = buf_str(&b);
	return 0;
}

#define ONE(type) (1U << (unsigned)(type))

/* What a value may be, and how that is said. */
static const struct {
	unsigned types;
	const char *what;
} forms[] = {
	[PROVISION_TEXT] = { ONE(TOML_STRING), "a string" },
	[PROVISION_BOOL] = { ONE(TOML_BOOLEAN), "true or false" },
	[PROVISION_SIZE] = { ONE(TOML_INTEGER) | ONE(TOML_STRING), "a number, or a string such as \"10g\"" },
	[PROVISION_SPACES] = { ONE(TOML_ARRAY), "an array of strings" },
	[PROVISION_COMMAS] = { ONE(TOML_ARRAY), "an array of strings" },
	[PROVISION_DATE] = { ONE(TOML_DATETIME) | ONE(TOML_STRING), "a date, or \"never\"" },
	[PROVISION_OBJECT] = { ONE(TOML_TABLE), "a table of strings" },
	[PROVISION_SETTING] = { ONE(TOML_INTEGER) | ONE(TOML_STRING) | ONE(TOML_ARRAY),
	    "a number, a string or an array of strings" },
};

/* A list in one string, as the commands take it?  What removes the setting is a string everywhere. */
static bool
is_list_in_string(const struct provision_key *key, struct slice value)
{
	return settings_project_key(slice_str(key->name))->type == CONF_STR && value.n > 0 &&
	    !slice_is(value, "default");
}

static int
read_value(struct arena *a, const struct provision_key *key, const struct toml_value *value,
    const char **out, struct err *err)
{
	if ((forms[key->type].types & ONE(value->type)) == 0)
		return err_set(err, 400, "%s must be %s", key->name, forms[key->type].what);
	if (key->type == PROVISION_SETTING && value->type == TOML_STRING && is_list_in_string(key, value->u.string))
		return err_set(err, 400, "%s must be an array of strings, such as [\"a\", \"b\"]; it is a string",
		    key->name);
	switch (value->type) {
	case TOML_BOOLEAN:
		*out = value->u.boolean ? "true" : "false";
		return 0;
	case TOML_INTEGER:
		*out = arena_printf(a, "%" PRId64, value->u.integer);
		return 0;
	case TOML_ARRAY:
		return read_list(a, key, value, out, err);
	case TOML_TABLE:
		return read_object(a, key, value, out, err);
	case TOML_STRING:
	case TOML_DATETIME:
	case TOML_FLOAT:
		break;
	}
	return read_string(a, key, value, out, err);
}

/* ---- objects ---- */

/* "a, b": the keys of the kind. */
static const char *
list_keys(struct arena *a, enum provision_kind kind)
{
	struct provision_key key;
	struct buf b;

	buf_init(&b, a, VALUE_MAX);
	for (size_t i = 0; (key = provision_name_key(kind, i)).name != NULL; i++)
		buf_printf(&b, "%s%s", b.n > 0 ? ", " : "", key.name);
	for (size_t i = 0; (key = provision_value_key(kind, i)).name != NULL; i++)
		buf_printf(&b, ", %s", key.name);
	return buf_str(&b);
}

/* Where the value of that key goes.  NULL: there is no such key. */
static const char **
find_key(struct provision_thing *thing, struct slice name, struct provision_key *key)
{
	for (size_t i = 0; (*key = provision_name_key(thing->kind, i)).name != NULL; i++) {
		if (slice_is(name, key->name))
			return &thing->names[i];
	}
	for (size_t i = 0; (*key = provision_value_key(thing->kind, i)).name != NULL; i++) {
		if (slice_is(name, key->name))
			return &thing->values[i];
	}
	return NULL;
}

static int
read_thing(struct arena *a, const struct wishes *wishes, const struct toml_value *value,
    struct provision_thing *thing, struct err *err)
{
	const char *kind = provision_kind_names[thing->kind];
	struct provision_key key;

	for (size_t i = 0; i < toml_table_size(value->u.table); i++) {
		const struct toml_member *m = toml_table_at(value->u.table, i);
		const char **place = find_key(thing, m->key, &key);

		if (place == NULL)
			err_set(err, 400, "[[%s]] has no key `%.*s`: the keys are %s", kind, (int)m->key.n, m->key.p,
			    list_keys(a, thing->kind));
		if (place == NULL || read_value(a, &key, m->value, place, err) == -1)
			return blame(a, wishes, m->value->line, err);
	}
	for (size_t i = 0; (key = provision_name_key(thing->kind, i)).name != NULL; i++) {
		if (thing->names[i] != NULL)
			continue;
		err_set(err, 400, "[[%s]] needs `%s`", kind, key.name);
		return blame(a, wishes, value->line, err);
	}
	return 0;
}

static bool
has_same_names(const struct provision_thing *one, const struct provision_thing *other)
{
	for (size_t i = 0; i < PROVISION_NAMES_MAX && one->names[i] != NULL; i++) {
		struct provision_key key = provision_name_key(one->kind, i);
		const char *a = one->names[i], *b = other->names[i];

		if (key.is_crate ? !crate_name_equal(slice_str(a), slice_str(b))
		    : (key.exact ? strcmp : strcasecmp)(a, b) != 0)
			return false;
	}
	return true;
}

/* Of two tables for one object each would undo the other. */
static int
check_once(struct arena *a, const struct wishes *wishes, size_t from, const struct wish *wish,
    struct err *err)
{
	for (size_t i = from; i < wishes->n; i++) {
		if (!has_same_names(&wishes->all[i].thing, &wish->thing))
			continue;
		err_set(err, 400, "%s `%s` is also in line %" PRIu32, provision_kind_names[wish->thing.kind],
		    provision_names(a, &wish->thing), wishes->all[i].line);
		return blame(a, wishes, wish->line, err);
	}
	return 0;
}

static int
read_kind(struct arena *a, struct wishes *wishes, enum provision_kind kind,
    const struct toml_value *value, struct err *err)
{
	const char *name = provision_kind_names[kind];
	size_t from = wishes->n;

	for (size_t i = 0; value->type == TOML_ARRAY && i < toml_array_size(value->u.array); i++) {
		const struct toml_value *table = toml_array_at(value->u.array, i);
		struct wish *wish = &wishes->all[wishes->n];

		*wish = (struct wish) { .thing = { .kind = kind }, .line = table->line };
		if (table->type != TOML_TABLE)
			break;
		if (read_thing(a, wishes, table, &wish->thing, err) == -1 ||
		    check_once(a, wishes, from, wish, err) == -1)
			return -1;
		wishes->n++;
	}
	if (value->type == TOML_ARRAY && wishes->n - from == toml_array_size(value->u.array))
		return 0;
	err_set(err, 400, "%s must be tables, [[%s]]", name, name);
	return blame(a, wishes, value->line, err);
}

/* "user, group and project", of all kinds. */
static const char *
table_names(struct arena *a)
{
	const char *names = provision_kind_names[0];

	for (size_t i = 1; i < PROVISION__MAX; i++)
		names = arena_printf(a, "%s%s%s", names, i + 1 < PROVISION__MAX ? ", " : " and ",
		    provision_kind_names[i]);
	return names;
}

/* How many tables there can be; kinds that do not exist are refused. */
static int
count(struct arena *a, const struct wishes *wishes, const struct toml_table *root, size_t *n,
    struct err *err)
{
	*n = 0;
	for (size_t i = 0; i < toml_table_size(root); i++) {
		const struct toml_member *m = toml_table_at(root, i);
		size_t kind = 0;

		while (kind < PROVISION__MAX && !slice_is(m->key, provision_kind_names[kind]))
			kind++;
		if (kind == PROVISION__MAX) {
			err_set(err, 400, "unknown table `%.*s`: the tables are %s", (int)m->key.n, m->key.p,
			    table_names(a));
			return blame(a, wishes, m->value->line, err);
		}
		if (m->value->type == TOML_ARRAY)
			*n += toml_array_size(m->value->u.array);
	}
	return 0;
}

/* "line 3, column 7: what is wrong" */
static int
blame_syntax(struct arena *a, const struct wishes *wishes, struct err *err)
{
	static const char before[] = "line ";
	char *end;
	uint32_t line;

	if (strncmp(err->pub, before, strlen(before)) != 0)
		return blame(a, wishes, 1, err);
	line = (uint32_t)strtoul(err->pub + strlen(before), &end, 10);
	/* ", " */
	err_set(err, 400, "%s", arena_strdup(a, end + strspn(end, ", ")));
	return blame(a, wishes, line, err);
}

int
wishes_read(struct arena *a, struct slice text, struct wishes *wishes, struct err *err)
{
	struct toml_table *root;
	size_t n;

	wishes->n = 0;
	if (toml_parse(a, text, &root, err) == -1)
		return blame_syntax(a, wishes, err);
	if (count(a, wishes, root, &n, err) == -1)
		return -1;
	wishes->all = arena_calloc(a, n + 1, sizeof(*wishes->all));
	for (int kind = 0; kind < PROVISION__MAX; kind++) {
		const struct toml_value *value = toml_get(root, provision_kind_names[kind]);

		if (value != NULL && read_kind(a, wishes, (enum provision_kind)kind, value, err) == -1)
			return -1;
	}
	return 0;
}
