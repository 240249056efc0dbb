#ifndef CRATE_VERSION_REQ_H
#define CRATE_VERSION_REQ_H

/*
 * Version requirements as cargo reads them: comparators joined by commas, each
 * an operator (^ by default, ~ = < <= > >=) or a wildcard.
 */

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"
#include "crate/semver.h"

/*
 * The canonical text, as cargo's own parser prints it: "1.0" -> "^1.0",
 * ">= 1, <2" -> ">=1, <2", "1.*" -> "1.*".  -1: 400 `"x" is an invalid version
 * requirement: the major number is not a number`.
 */
int version_req_canonical(struct arena *, struct slice text, const char **out, struct err *)
    __attribute__((warn_unused_result));

/*
 * The same text for all requirements that let the same versions pass, as far as the comparators can be
 * matched one by one: `0.*`, `~0` and `=0` are `^0`.  It is for comparing alone; an index has the
 * canonical one.  What is no requirement stays as it is.
 */
const char *version_req_meaning(struct arena *, const char *canonical);

/*
 * Does the requirement let that version pass, as cargo judges it?  A pre-release passes only where a
 * comparator has a pre-release of the same three numbers.  What is no requirement lets none pass.
 */
bool version_req_matches(struct arena *, const char *canonical, const struct semver *);

#endif
