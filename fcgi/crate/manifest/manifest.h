#ifndef CRATE_MANIFEST_MANIFEST_H
#define CRATE_MANIFEST_MANIFEST_H

/*
 * The Cargo.toml inside a crate, as cargo normalises it on `cargo package`
 * (Cargo reference, "The Manifest Format").  It is the truth for everything
 * that reaches the index.
 */

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"
#include "crate/package.h"

/* A manifest is at most this long. */
enum { MANIFEST_MAX = 1 << 20 };

/*
 * Reads the manifest.  All kinds of dependency tables and targets are taken
 * together; a requirement is the text in the manifest ("*" where none is
 * given), not yet canonical.  `registry-index` of a dependency becomes its registry.  For a
 * dependency with neither `registry-index` nor `registry` the registry is the
 * public one, REGISTRY_PUBLIC_URL (crate/registry_url.h).
 * -1: 400 "failed to parse `Cargo.toml` manifest file: ..." with line and
 * column where the TOML is at fault.
 */
int manifest_parse(struct arena *, struct slice toml, struct package *, struct err *)
    __attribute__((warn_unused_result));

#endif
