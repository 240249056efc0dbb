#ifndef CRATE_TOML_TOML_H
#define CRATE_TOML_TOML_H

/*
 * A complete reader of TOML 1.0 (toml.io), bounded in depth and in number of
 * values; of 1.1 it takes times without seconds, which cargo writes as they were.  No
 * library for C in Debian 12 reads TOML.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"

enum { TOML_DEPTH_MAX = 64 };

/*
 * Keys, or parts of dotted ones and of headers, and values in one document.  A
 * value of two bytes becomes more than a hundred bytes of tree: it is by this
 * that memory is bounded.
 */
enum { TOML_ITEMS_MAX = 100000 };

enum toml_type {
	TOML_TABLE,
	TOML_ARRAY,
	TOML_STRING,
	TOML_INTEGER,
	TOML_FLOAT,
	TOML_BOOLEAN,
	TOML_DATETIME, /* checked, kept as text */
};

/* "a table", "an array", ...: for sentences. */
extern const char *const toml_type_names[];

struct toml_value {
	enum toml_type type;
	union {
		struct toml_table *table;
		struct toml_array *array;
		struct slice string; /* STRING (may hold any character, also NUL) and DATETIME */
		int64_t integer;
		double number;
		bool boolean;
	} u;
	uint32_t line, column; /* where it begins, from 1 */
};

struct toml_member {
	struct slice key;
	struct toml_value *value;
};

/*
 * Reads a document.  The tree lives in the arena.  -1: 400 "line L, column C:
 * what is wrong".
 */
int toml_parse(struct arena *, struct slice text, struct toml_table **root, struct err *)
    __attribute__((warn_unused_result));

/* The same, of a document of a person whom we trust, with more items than TOML_ITEMS_MAX. */
int toml_parse_large(struct arena *, struct slice text, size_t items_max, struct toml_table **root,
    struct err *) __attribute__((warn_unused_result));

/* The member of that name, or NULL.  O(log n) or better: a hostile table cannot be quadratic. */
const struct toml_value *toml_get(const struct toml_table *, const char *key);

/* Members in order of appearance, and elements. */
size_t toml_table_size(const struct toml_table *);
const struct toml_member *toml_table_at(const struct toml_table *, size_t i);
size_t toml_array_size(const struct toml_array *);
const struct toml_value *toml_array_at(const struct toml_array *, size_t i);

#endif
