#ifndef CRATE_SPDX_IDS_H
#define CRATE_SPDX_IDS_H

/* The identifiers of the SPDX License List (spdx.org/licenses), deprecated ones too, in byte order. */

#include <stddef.h>

extern const char *const spdx_licenses[];
extern const size_t spdx_nlicenses;
extern const char *const spdx_exceptions[]; /* what may follow WITH */
extern const size_t spdx_nexceptions;

#endif
