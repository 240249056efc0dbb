#ifndef CRATE_INSPECT_SAMPLE_H
#define CRATE_INSPECT_SAMPLE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"

/* Makes the bytes of a small sound crate.  -1: 500. */
int sample_make(struct arena *, struct slice *crate, struct err *) __attribute__((warn_unused_result));

#endif
