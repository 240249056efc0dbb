#ifndef CRATE_INSPECT_LEAN_H
#define CRATE_INSPECT_LEAN_H

/*
 * Keeps libraries from the children of the template.  libarchive brings a dozen others along, for formats
 * that no crate has.  For each child the kernel copies the mappings of all libraries, and removes them when
 * the child ends: that takes longer than to inspect a small crate.  And no crate can use code that is not
 * there.
 */

#include <stdbool.h>

/*
 * true: children that are forked from here on have only the libraries that an inspection calls; false: they
 * have all, as at first.  Returns whether any library is missing in children; under sanitizers none is.
 */
bool lean_set(bool lean);

#endif
