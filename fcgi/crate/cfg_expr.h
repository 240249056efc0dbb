#ifndef CRATE_CFG_EXPR_H
#define CRATE_CFG_EXPR_H

/*
 * The target of a dependency: a platform's triple, or cfg(...) around names,
 * key = "value" pairs, true, false, all(...), any(...) and not(...), as cargo reads
 * it.  A client silently ignores a version whose target it cannot read.
 */

#include "base/err.h"
#include "base/slice.h"

/* How deep all, any and not may be nested; nobody needs more. */
enum { CFG_EXPR_DEPTH_MAX = 32 };

/* -1: 400 `"x" is an invalid target: ...`. */
int cfg_expr_check(struct slice target, struct err *) __attribute__((warn_unused_result));

#endif
