#ifndef CRATE_METADATA_H
#define CRATE_METADATA_H

/*
 * The JSON that cargo sends with a crate (Cargo reference, "Publish").
 * Unknown fields are ignored, missing ones count as null, wrong types are
 * refused.
 */

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"
#include "crate/package.h"

/*
 * Reads the metadata; checks its shape only (see package_check for the
 * content).  The result borrows from the arena.  -1: 400 "invalid upload
 * request: ...".
 */
int metadata_parse(struct arena *, struct slice json, struct package *, struct err *)
    __attribute__((warn_unused_result));

#endif
