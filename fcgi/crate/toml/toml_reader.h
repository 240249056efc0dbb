#ifndef CRATE_TOML_TOML_READER_H
#define CRATE_TOML_TOML_READER_H

/*
 * Shared by the files of the TOML reader (toml*.c) alone; nothing else includes it.
 *
 * The reader works on its own copy of the text, which toml_reader_init() has
 * checked as a whole: valid UTF-8, no control characters, a CR only before an
 * LF, and a NUL where it ends.  So a scanner may always look at *r->p, and one
 * step past any character that is not NUL.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"
#include "crate/toml/toml.h"

struct toml_reader {
	struct arena *arena;
	struct err *err;
	const char *text;
	const char *p; /* what comes next */
	size_t depth; /* of the table or array that is being filled */
	size_t items, items_max; /* so far, and see TOML_ITEMS_MAX */
	/* a place whose line and column are known, so that finding the next one is a short walk */
	const char *known;
	uint32_t line, column;
};

/* How a table came to be, which decides what may still be added to it. */
enum toml_table_kind {
	TOML_IMPLICIT, /* named on the way to a [header]: may get its own header */
	TOML_HEADER, /* defined by its own header, once */
	TOML_DOTTED, /* made by a dotted key: a header may only name what is below it */
	TOML_INLINE, /* { ... }: complete */
};

struct toml_table {
	enum toml_table_kind kind;
	uint32_t n;
	uint32_t root; /* of the search tree over `entries` */
	size_t room;
	struct toml_entry *entries; /* from 1; 0 is the leaf of the tree */
};

struct toml_array {
	struct toml_value *v;
	size_t n, room;
	bool of_tables; /* made by [[header]]s, which may add to it */
};

/* toml_scan.c: white space, keys, strings, places */

int toml_reader_init(struct toml_reader *, struct arena *, struct slice text, struct err *)
    __attribute__((warn_unused_result));
/* Sets 400 "line L, column C: ..." for the place `at`.  Always returns -1. */
int toml_fail(struct toml_reader *, const char *at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Line and column of a place; cheap where the places asked for go forward. */
void toml_locate(struct toml_reader *, const char *at, uint32_t *line, uint32_t *column);
void toml_skip_blanks(struct toml_reader *);
/* Blanks, newlines and comments. */
void toml_skip_lines(struct toml_reader *);
/* Blanks, a comment, and then the end of the line or of the text. */
int toml_read_line_end(struct toml_reader *) __attribute__((warn_unused_result));
/* Takes the character if it comes next. */
bool toml_accept(struct toml_reader *, char);
/* A bare or quoted key. */
int toml_read_key(struct toml_reader *, struct slice *out) __attribute__((warn_unused_result));
/* A string of any of the four kinds; *r->p is its first quote. */
int toml_read_string(struct toml_reader *, struct slice *out) __attribute__((warn_unused_result));

/* toml_scalar.c: a number, a boolean or a date and time */

int toml_read_scalar(struct toml_reader *, struct toml_value *)
    __attribute__((warn_unused_result));

/* toml_table.c: containers */

struct toml_table *toml_table_new(struct arena *, enum toml_table_kind);
struct toml_value *toml_table_find(const struct toml_table *, struct slice key);
/* The key must not be there yet. */
void toml_table_add(struct arena *, struct toml_table *, struct slice key, struct toml_value *);
void toml_array_add(struct arena *, struct toml_array *, const struct toml_value *);

#endif
