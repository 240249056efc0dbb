#ifndef ADMIN_OUTPUT_H
#define ADMIN_OUTPUT_H

/*
 * Prints rows of cells; each cell has a key.  As JSON one object, or an array of them; for people a table,
 * or lines of `key: value`; for scripts the first cell alone.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

enum cell_type {
	CELL_INT,
	CELL_ID, /* 0: there is none */
	CELL_STR, /* NULL: nothing is known */
	CELL_BOOL,
	CELL_TIME, /* seconds since 1970; 0: never */
	CELL_WORDS, /* comma-separated; a JSON array */
	CELL_JSON /* JSON already */
};

struct cell {
	enum cell_type type;
	const char *str;
	int64_t num;
};

struct output {
	struct arena *arena;
	bool json;
	const char *const *keys;
	size_t nkeys;
};

static inline struct cell
cell_int(int64_t v)
{
	return (struct cell) { .type = CELL_INT, .num = v };
}

static inline struct cell
cell_id(int64_t v)
{
	return (struct cell) { .type = CELL_ID, .num = v };
}

static inline struct cell
cell_bool(bool v)
{
	return (struct cell) { .type = CELL_BOOL, .num = v };
}

static inline struct cell
cell_time(int64_t v)
{
	return (struct cell) { .type = CELL_TIME, .num = v };
}

static inline struct cell
cell_str(const char *v)
{
	return (struct cell) { .type = CELL_STR, .str = v };
}

static inline struct cell
cell_words(const char *v)
{
	return (struct cell) { .type = CELL_WORDS, .str = v };
}

static inline struct cell
cell_json(const char *v)
{
	return (struct cell) { .type = CELL_JSON, .str = v };
}

/* Rows that are printed part by part. */
struct output_rows {
	struct output out;
	size_t *widths; /* of the columns, one for each key; all 0 before the first part */
};

/* The first cell alone, for scripts; all of them as JSON or to a person at a terminal. */
void output_id(const struct output *, const struct cell *row);

/* All cells of one row, each on its line. */
void output_row(const struct output *, const struct cell *row);

/* n rows, one after the other in `cells`. */
void output_table(const struct output *, const struct cell *cells, size_t n);

/*
 * Prints one part of a long list of rows, which does not fit into memory or grows while the command runs.
 * As JSON each row is an object on its own line.  For people it is a part of a table, whose columns get
 * wider from part to part if a cell needs it.
 */
void output_part(const struct output_rows *, const struct cell *cells, size_t n);

/*
 * Fills the cells of the next rows, one after the other; *n is 0 at the end.  They live in `page`, which the
 * next call gets empty.  -1: err.
 */
typedef int output_next_fn(void *arg, struct arena *page, struct cell **cells, size_t *n);

/*
 * Prints all rows of a list that may be too long for memory, those of one call of next() after the other: as
 * JSON an array, and for people the parts of a table, as output_part().  It stops when nobody reads standard
 * output any more.  -1: next() has failed; then JSON ends without its last bracket.
 */
int output_list(const struct output *, output_next_fn *next, void *arg) __attribute__((warn_unused_result));

/* The same for a log: JSON is an object on each line, and a log without rows prints nothing. */
int output_log(const struct output *, output_next_fn *next, void *arg) __attribute__((warn_unused_result));

/*
 * Says a sentence to a person on standard error: "berth: ...".  It stands after what was printed before it,
 * also if both go into one file.
 */
void output_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
