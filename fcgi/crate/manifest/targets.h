#ifndef CRATE_MANIFEST_TARGETS_H
#define CRATE_MANIFEST_TARGETS_H

/*
 * Checks the targets of a crate: those that its manifest declares, and those that cargo infers from its
 * files (Cargo reference, "Cargo Targets").  A crate without any target, or without the file of its
 * library, breaks the builds of all crates that depend on it.
 */

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"
#include "crate/package.h"

/* Notes which kind of target a file makes, by its path below the folder. */
void targets_note(bool found[TARGET__MAX], struct slice path);

/*
 * Are there targets?  `has` tells whether the crate has a file of that path.  -1: 400, there is none, or
 * the library has no file.
 */
int targets_check(struct arena *, const struct package *, const bool found[TARGET__MAX],
    bool (*has)(void *arg, const char *path), void *arg, struct err *)
    __attribute__((warn_unused_result));

#endif
