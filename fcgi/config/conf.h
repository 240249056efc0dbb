#ifndef CONFIG_CONF_H
#define CONFIG_CONF_H

/*
 * `key = value` files, driven by one const table.  Lines are UTF-8; `#` starts
 * a comment line; white space around key and value is dropped; a value may
 * stand in double quotes.  Unknown and repeated keys, bad values and lines
 * without `=` are errors that name file and line.
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

struct conf_key {
	const char *name;
	enum conf_type type;
	size_t offset; /* of the member in the settings struct */
	bool secret; /* a STR that is not shown as it is */
	bool project; /* a project may have a value of its own */
	/* NULL, or the new name of a key that is gone: it has no other fields, and using it is an error */
	const char *renamed;
	const char *def; /* default in file syntax; NULL: must be given */
	int64_t min, max; /* of INT, SIZE, SECONDS */
	/* NULL, or a further check of a STR: returns NULL, or what is wrong ("must be ...") */
	const char *(*check)(const char *value);
};

/*
 * Fills `settings` from the defaults and the file.  Strings live in the arena.
 * path NULL: defaults only.  -1: err with status 500 and `detail`
 * "FILE:LINE: what is wrong"; `settings` is then undefined.
 */
int conf_load(struct arena *, const struct conf_key *keys, size_t nkeys, const char *path,
    void *settings, struct err *) __attribute__((warn_unused_result));

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

/* Prints what is shown of the value of a secret key. */
typedef void conf_mask(FILE *, const char *value);

/* Prints `key = value` lines: what -t shows.  Its output is a valid file. */
void conf_print(FILE *, const struct conf_key *keys, size_t nkeys, const void *settings, conf_mask *);

#endif
