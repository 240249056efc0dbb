#ifndef CONFIG_CONF_H
#define CONFIG_CONF_H

/*
 * `key = value` files, driven by one const table.  Lines are UTF-8; `#` starts
 * a comment line; white space around key and value is dropped; a value may
 * stand in double quotes.  Unknown keys, keys that are twice in one file, bad values, NUL bytes and
 * lines without `=` are errors that name file and line.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"

enum conf_type {
	CONF_STR, /* const char * */
	CONF_INT, /* int64_t; decimal */
	CONF_SIZE, /* int64_t bytes; suffixes k, m, g (powers of 1024) */
	CONF_SECONDS, /* int64_t seconds; suffixes s, min, h, d */
	CONF_MODE, /* int64_t; octal file mode */
	CONF_BOOL, /* bool; on, off */
};

/* Prints what is shown of a value that has a secret in it. */
typedef void conf_mask(FILE *, const char *value);

struct conf_key {
	const char *name;
	enum conf_type type;
	size_t offset; /* of the member in the settings struct */
	bool secret; /* of a STR: a conf_mask of the program prints the value */
	conf_mask *mask; /* of a STR: prints the value; NULL: all of it is shown */
	bool project; /* a project may have a value of its own */
	/* NULL, or the new name of a key that is gone: it has no other fields, and using it is an error */
	const char *renamed;
	const char *def; /* default in file syntax; NULL: must be given */
	int64_t min, max; /* of INT, SIZE, SECONDS */
	/* NULL, or a further check of a STR: returns NULL, or what is wrong ("must be ...") */
	const char *(*check)(const char *value);
};

/* Where values come from, besides the defaults. */
struct conf_source {
	const char *path; /* of the file */
	const char *prefix; /* of variables of the environment, before the key in upper case */
};

/*
 * Fills `settings` from the defaults, the file, the files of the directory conf.d beside it whose names end
 * in .conf (and do not begin with a dot), in the order of strcmp(), and the environment; what is read later
 * replaces what was read before.  origins, one for each key: where its value is from, "FILE:LINE" or the
 * variable; NULL: it is the default.  Strings live in the arena.  -1: err with status 500 and `detail`
 * "FILE:LINE: what is wrong", without the value; `settings` is then undefined.
 */
int conf_load(struct arena *, const struct conf_key *keys, size_t nkeys, const struct conf_source *,
    void *settings, const char **origins, struct err *) __attribute__((warn_unused_result));

/* The key of that name, or NULL. */
const struct conf_key *conf_find(const struct conf_key *keys, size_t nkeys, struct slice name);

/*
 * Sets one member from what may stand after the `=`: blanks around it and quotes are
 * dropped.  Strings live in the arena.  NULL, or what is wrong ("must be ..."); the
 * member is then undefined.
 */
const char *conf_set(struct arena *, const struct conf_key *, const char *text, void *settings)
    __attribute__((warn_unused_result));

/*
 * Writes all values in the order of the keys, each ended by a NUL; and fills `settings`
 * from n such bytes.  Strings then live in the arena.  -1: other keys have written these bytes.
 */
void conf_save(FILE *, const struct conf_key *keys, size_t nkeys, const void *settings);
int conf_restore(struct arena *, const struct conf_key *keys, size_t nkeys, const char *saved, size_t n,
    void *settings) __attribute__((warn_unused_result));

/*
 * Prints `key = value` lines: what -t shows.  Its output is a valid file.
 * origins NULL: none; else before each line a comment that says where the value is from.
 */
void conf_print(FILE *, const struct conf_key *keys, size_t nkeys, const void *settings,
    const char *const *origins, conf_mask *);

/* Prints one value as there. */
void conf_print_value(FILE *, const struct conf_key *, const void *settings, conf_mask *);

#endif
