#include "crate/toml/toml.h"

#include <string.h>

#include "crate/toml/toml_reader.h"

/*
 * The members of a table stand in an array in order of appearance; an AA tree
 * (Andersson 1993) over their keys makes look-ups logarithmic.  A tree rather
 * than a hash: no choice of keys makes it slow, and it needs no secret seed.
 */
struct toml_entry {
	struct toml_member member;
	uint32_t left, right; /* 0: none */
	uint32_t level; /* 0 for the leaf alone */
};

const char *const toml_type_names[] = {
	[TOML_TABLE] = "a table",
	[TOML_ARRAY] = "an array",
	[TOML_STRING] = "a string",
	[TOML_INTEGER] = "an integer",
	[TOML_FLOAT] = "a float",
	[TOML_BOOLEAN] = "a boolean",
	[TOML_DATETIME] = "a date or time",
};

struct toml_table *
toml_table_new(struct arena *arena, enum toml_table_kind kind)
{
	struct toml_table *t = arena_alloc(arena, sizeof(*t));

	t->kind = kind;
	return t;
}

static int
key_compare(struct slice a, struct slice b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int order = n > 0 ? memcmp(a.p, b.p, n) : 0;

	return order != 0 ? order : (a.n > b.n) - (a.n < b.n);
}

struct toml_value *
toml_table_find(const struct toml_table *t, struct slice key)
{
	for (uint32_t at = t->root; at != 0;) {
		const struct toml_entry *e = &t->entries[at];
		int order = key_compare(key, e->member.key);

		if (order == 0)
			return e->member.value;
		at = order < 0 ? e->left : e->right;
	}
	return NULL;
}

/* A left child on the same level becomes the parent. */
static uint32_t
tree_skew(struct toml_entry *e, uint32_t at)
{
	uint32_t left = e[at].left;

	if (e[left].level != e[at].level)
		return at;
	e[at].left = e[left].right;
	e[left].right = at;
	return left;
}

/* Of two right children in a row on the same level the first becomes the parent, one level up. */
static uint32_t
tree_split(struct toml_entry *e, uint32_t at)
{
	uint32_t right = e[at].right;

	if (e[e[right].right].level != e[at].level)
		return at;
	e[at].right = e[right].left;
	e[right].left = at;
	e[right].level++;
	return right;
}

/* Inserts the entry `new` below `at`; returns what is then in its place.  As deep as the tree. */
static uint32_t
tree_insert(struct toml_entry *e, uint32_t at, uint32_t new)
{
	if (at == 0)
		return new;
	if (key_compare(e[new].member.key, e[at].member.key) < 0)
		e[at].left = tree_insert(e, e[at].left, new);
	else
		e[at].right = tree_insert(e, e[at].right, new);
	at = tree_skew(e, at);
	return tree_split(e, at);
}

void
toml_table_add(struct arena *arena, struct toml_table *t, struct slice key,
    struct toml_value *value)
{
	t->n++;
	t->entries = arena_grow(arena, t->entries, t->n, &t->room, sizeof(*t->entries));
	t->entries[t->n] = (struct toml_entry) { .member = { key, value }, .level = 1 };
	t->root = tree_insert(t->entries, t->root, t->n);
}

void
toml_array_add(struct arena *arena, struct toml_array *a, const struct toml_value *value)
{
	a->v = arena_grow(arena, a->v, a->n, &a->room, sizeof(*a->v));
	a->v[a->n++] = *value;
}

const struct toml_value *
toml_get(const struct toml_table *t, const char *key)
{
	return toml_table_find(t, slice_str(key));
}

size_t
toml_table_size(const struct toml_table *t)
{
	return t->n;
}

const struct toml_member *
toml_table_at(const struct toml_table *t, size_t i)
{
	return &t->entries[i + 1].member;
}

size_t
toml_array_size(const struct toml_array *a)
{
	return a->n;
}

const struct toml_value *
toml_array_at(const struct toml_array *a, size_t i)
{
	return &a->v[i];
}
