#ifndef CRATE_SEMVER_H
#define CRATE_SEMVER_H

/* Versions: SemVer 2.0.0 as cargo reads it, with numbers that fit 64 bits. */

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"

enum { SEMVER_MAX = 150 };

struct semver {
	uint64_t major, minor, patch;
	struct slice pre; /* without '-'; n == 0: none */
	struct slice build; /* without '+'; n == 0: none */
};

/*
 * Borrows from text.  -1: 400 `"x" is an invalid semver version: the minor number is missing`, or,
 * for more than SEMVER_MAX bytes, "the version number is too long (max 150 characters)".
 */
int semver_parse(struct slice text, struct semver *, struct err *)
    __attribute__((warn_unused_result));

/* Precedence of SemVer section 11: <0, 0, >0.  Build metadata does not count. */
int semver_compare(const struct semver *, const struct semver *);

/* The version without build metadata: "1.0.0-rc.1". */
char *semver_base(struct arena *, const struct semver *);

/*
 * The parts of a version, which requirements are made of too.  Each takes its
 * text from the front of *in; false, with *in as it was, where there is none.
 */
bool semver_take_number(struct slice *in, uint64_t *);
bool semver_take_pre(struct slice *in, struct slice *); /* what follows '-' */
bool semver_take_build(struct slice *in, struct slice *); /* what follows '+' */

/* Why one of them is not taken, to stand behind its name: "is missing", "has a leading zero". */
const char *semver_number_fault(struct slice);
const char *semver_pre_fault(struct slice);
const char *semver_build_fault(struct slice);

/* "major number", "minor number", "patch number": of sentences. */
extern const char *const semver_number_names[3];

#endif
