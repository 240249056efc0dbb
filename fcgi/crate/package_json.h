#ifndef CRATE_PACKAGE_JSON_H
#define CRATE_PACKAGE_JSON_H

/*
 * A package as a JSON object with the keys of cargo's publish metadata.  A client sends such an object, and
 * a verdict holds one with some more keys.
 */

#include "base/arena.h"
#include "base/json.h"
#include "crate/package.h"

/*
 * Fills the members of a package that publish metadata has; the rest stays as it is.  Strings are borrowed
 * from the tree.  -1: 400, starting with get->what.
 */
int package_json_read(struct arena *, const struct json_get *, struct package *)
    __attribute__((warn_unused_result));

/* Writes the same members into the object that is open. */
void package_json_write(struct json_out *, const struct package *);

/* The members of a dependency that say what is to be built of it, which are the same in an index line. */
void package_json_write_artifact(struct json_out *, const struct artifact *);

/* The member builtin_deps, which is the same in an index line. */
void package_json_write_builtins(struct json_out *, const struct package *);

/* An array of strings; absent: none. */
int package_json_read_strings(struct arena *, const struct json_get *, const char *key,
    struct strings *) __attribute__((warn_unused_result));
void package_json_write_strings(struct json_out *, const char *key, const struct strings *);

#endif
