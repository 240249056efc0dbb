#ifndef CRATE_SPDX_H
#define CRATE_SPDX_H

/* Licence expressions (SPDX specification, annex D), as cargo and the public registry read them. */

#include <stdbool.h>

#include "base/slice.h"

/*
 * Does SPDX know all of the expression?  Identifiers in their exact case, deprecated ones too, each
 * perhaps with `+`; LicenseRef-...; AND, OR, WITH, parentheses; `/` is OR, as cargo once had it.
 */
bool spdx_knows(struct slice expression);

#endif
