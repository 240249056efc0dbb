#ifndef CRATE_FEATURE_H
#define CRATE_FEATURE_H

/*
 * Names of features, and the values that a feature enables (Cargo reference,
 * "Features").
 */

#include <stdbool.h>

#include "base/err.h"
#include "base/slice.h"

/* -1: 400 in the words of the public registry. */
int feature_name_check(struct slice name, struct err *) __attribute__((warn_unused_result));

enum feature_kind {
	FEATURE_NAME, /* "x": a feature, or the implicit feature of an optional dependency */
	FEATURE_DEP, /* "dep:x": an optional dependency */
	FEATURE_OF_DEP, /* "x/f", weak "x?/f": a feature of a dependency */
};

struct feature_value {
	enum feature_kind kind;
	bool weak;
	struct slice name; /* x */
	struct slice feature; /* f */
};

/* Takes a value apart as cargo does; any text is one of the kinds.  Borrows from it. */
struct feature_value feature_value_parse(struct slice text);

#endif
