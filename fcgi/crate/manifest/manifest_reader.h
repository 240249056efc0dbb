#ifndef CRATE_MANIFEST_MANIFEST_READER_H
#define CRATE_MANIFEST_MANIFEST_READER_H

/*
 * Shared by the files of the manifest reader (manifest*.c) alone; nothing else includes it.  The getters
 * follow those of base/json.h: a missing member leaves *out as it is and is no error unless `required`;
 * strings hold no NUL.
 */

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "crate/package.h"
#include "crate/toml/toml.h"

struct manifest {
	struct arena *arena;
	struct err *err;
	const struct toml_table *root;
	struct package *package;
};

/*
 * One table of the manifest and where it stands there.  The name in full,
 * "dependencies.foo", is only made for errors: a hostile manifest has many
 * tables, and under long names.
 */
struct section {
	const struct manifest *m;
	const struct toml_table *table;
	const struct section *parent; /* must outlive this one; NULL: this is the root */
	const char *key; /* in the parent */
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
/* The value, which stands at or below that key of the section, as a table. */
int manifest_as_section(const struct section *, const char *key, const struct toml_value *,
    struct section *out) __attribute__((warn_unused_result));
/* Sets 400 "... `key` must be <wanted>, not <what it is>" with its place.  Always returns -1. */
int manifest_fail_type(const struct section *, const char *key, const struct toml_value *,
    const char *wanted);
/* Cargo resolves `x.workspace = true` when it packages: refused in what it has packaged. */
int manifest_refuse_inherited(const struct manifest *, const struct toml_value *)
    __attribute__((warn_unused_result));
/* The key with the names of all sections above it, each cut to a bounded length: for errors. */
const char *manifest_name(const struct section *, const char *key);
/* The text of a key, for names in errors and for what must hold no NUL. */
int manifest_key(const struct manifest *, const struct toml_member *, const char **out)
    __attribute__((warn_unused_result));

/* manifest_keys.c: keys that are not read further, but have a type, without which cargo reads nothing */

int manifest_check_package_keys(const struct section *) __attribute__((warn_unused_result));
int manifest_check_target_keys(const struct section *) __attribute__((warn_unused_result));

/* manifest_deps.c: all tables of dependencies */

int manifest_read_dependencies(const struct manifest *) __attribute__((warn_unused_result));

#endif
