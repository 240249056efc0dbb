#ifndef CRATE_MANIFEST_TARGETS_H
#define CRATE_MANIFEST_TARGETS_H

/*
 * What a crate builds: targets that its manifest declares, and those that cargo infers from its files
 * (Cargo reference, "Cargo Targets").  A crate without any, or whose library is not in it, fails at
 * whoever depends on it.
 */

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"
#include "crate/package.h"

/* Notes what a file makes of the crate, by its path below the folder. */
void targets_note(bool found[TARGET__MAX], struct slice path);

/*
 * Are there targets?  `has` tells whether the crate has a file of that path.  -1: 400, there is none, or
 * the library has no file.
 */
int targets_check(struct arena *, const struct package *, const bool found[TARGET__MAX],
    bool (*has)(void *arg, const char *path), void *arg, struct err *)
    __attribute__((warn_unused_result));

#endif
