#ifndef CRATE_MANIFEST_READER_H
#define CRATE_MANIFEST_READER_H

/*
 * What the files of the manifest reader (manifest*.c) share; nothing else
 * includes it.  The getters follow those of base/json.h: a missing member leaves
 * *out as it is and is no error unless `required`; strings hold no NUL.
 */

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "crate/package.h"
#include "crate/toml.h"

struct manifest {
	struct arena *arena;
	struct err *err;
	const struct toml_table *root;
	struct package *package;
};

/* One table of the manifest and its name there: "package", "dependencies.foo". */
struct section {
	const struct manifest *m;
	const struct toml_table *table;
	const char *name;
};

/* manifest_value.c */

/* Sets 400 "failed to parse `Cargo.toml` manifest file: ...".  Always returns -1. */
int manifest_fail(const struct manifest *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
int manifest_text(const struct section *, const char *key, bool required, const char **out)
    __attribute__((warn_unused_result));
int manifest_bool(const struct section *, const char *key, bool *out)
    __attribute__((warn_unused_result));
int manifest_strings(const struct section *, const char *key, struct strings *out)
    __attribute__((warn_unused_result));
/* The table of that key; out->table is NULL where there is none. */
int manifest_section(const struct section *, const char *key, struct section *out)
    __attribute__((warn_unused_result));
/* The value, named `name` in errors, as a table. */
int manifest_as_section(const struct manifest *, const struct toml_value *, const char *name,
    struct section *out) __attribute__((warn_unused_result));
/* Sets 400 "... `name` must be <wanted>, not <what it is>" with its place.  Always returns -1. */
int manifest_fail_type(const struct manifest *, const struct toml_value *, const char *name,
    const char *wanted);
/* Cargo resolves `x.workspace = true` when it packages: refused in what it has packaged. */
int manifest_refuse_inherited(const struct manifest *, const struct toml_value *)
    __attribute__((warn_unused_result));
/*
 * "parent.key" for errors, each cut to a bounded length: a long name above many
 * keys would otherwise be copied with each of them.
 */
const char *manifest_name(const struct manifest *, const char *parent, const char *key);
/* The text of a key, for names in errors and for what must hold no NUL. */
int manifest_key(const struct manifest *, const struct toml_member *, const char **out)
    __attribute__((warn_unused_result));

/* manifest_deps.c: all tables of dependencies */

int manifest_read_dependencies(const struct manifest *) __attribute__((warn_unused_result));

#endif
