#ifndef CRATE_INDEX_LINE_H
#define CRATE_INDEX_LINE_H

/*
 * One version's line in a crate's index file: one compact JSON object, as the public registry writes it
 * (Cargo reference, "Index format").  Every line has all that any client since cargo 1.68 requires.
 */

#include <stdbool.h>
#include <time.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"
#include "crate/package.h"

/* The largest max_index_line_size; a database may hold lines of that size. */
enum { INDEX_LINE_MAX = 1 << 20 };

/*
 * Appends the line, without a newline.  `package` is checked and sorted;
 * cksum is 64 lower-case hexadecimal digits.  The line says "yanked":false.
 * Key order: name vers deps cksum features [features2] yanked [links]
 * [rust_version] [builtin_deps] pubtime [v].  Of a dependency: name req features optional
 * default_features target kind registry [package] [artifact bindep_target lib]; target,
 * registry and bindep_target are null where there is none.  features2 and "v":2 only where a
 * feature uses `dep:` or `?/` (and what refers to such a feature), "v":3 only where a
 * dependency has an artifact.
 * -1: 400 where the line would have more than `max` bytes.
 */
int index_line_encode(struct buf *, const struct package *, const char *cksum, time_t published_at,
    size_t max, struct err *) __attribute__((warn_unused_result));

/*
 * The same line with its top-level "yanked" set.  `line` is one that
 * index_line_encode made.  -1: 500 where it is not.
 */
int index_line_set_yanked(struct arena *, struct slice line, bool yanked, struct slice *out,
    struct err *) __attribute__((warn_unused_result));

#endif
