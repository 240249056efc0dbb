#ifndef BASE_GZIP_H
#define BASE_GZIP_H

/* Whole buffers to and from gzip (RFC 1952), for the stored index files. */

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"

/* One member without name or time: equal bytes give equal bytes.  -1: 500. */
int gzip_compress(struct arena *, struct slice in, struct slice *out, struct err *)
    __attribute__((warn_unused_result));

/* What gzip_compress made.  -1: 500, also where the text is longer than max. */
int gzip_expand(struct arena *, struct slice in, size_t max, struct slice *out, struct err *)
    __attribute__((warn_unused_result));

#endif
