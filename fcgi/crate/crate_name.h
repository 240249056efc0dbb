#ifndef CRATE_CRATE_NAME_H
#define CRATE_CRATE_NAME_H

/*
 * Names of crates: their rules, their normal form, and their place in the index.  A name is
 * ^[A-Za-z][A-Za-z0-9_-]{0,63}$.  Two names are the same crate where their normal forms (lower case, `_` as
 * `-`) are equal.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"

enum { CRATE_NAME_MAX = 64 };

/*
 * Is this a name that a crate (what = "crate") or a dependency (what =
 * "dependency") can have?  -1: 400 in the words of the public registry.
 */
int crate_name_check(struct slice name, const char *what, struct err *)
    __attribute__((warn_unused_result));

/* The name under which a dependency is renamed: as above, but `_` may come first. */
int crate_name_check_alias(struct slice name, struct err *) __attribute__((warn_unused_result));

/* Are the two names, or parts of names, equal in normal form? */
bool crate_name_equal(struct slice, struct slice);

/* Compares two valid names by their normal forms, as strcmp() does; 0: they name the same crate. */
int crate_name_compare(const char *, const char *);

/* The standard library's names, Windows device names, and `new` (a route). */
bool crate_name_reserved(struct slice name);

/* Is the name one of `names`, compared in normal form?  `names` are separated by spaces. */
bool crate_name_listed(struct slice name, const char *names);

/* Lower case, `_` as `-`.  The name must be valid. */
char *crate_name_normalize(struct arena *, struct slice name);

/* Lower case only: the file name in the index. */
char *crate_name_lower(struct arena *, struct slice name);

/*
 * The folders of the name in the index: "1", "2", "3/a", "ab/cd" (Cargo reference, "Index files").  They keep
 * the case of the name, which must be valid.
 */
const char *crate_name_folders(struct arena *, struct slice name);

/* The path in the index, in lower case: "1/a", "2/ab", "3/a/abc", "ab/cd/abcd".  The name must be valid. */
char *crate_name_index_path(struct arena *, struct slice name);

#endif
