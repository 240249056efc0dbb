#ifndef CRATE_ARCHIVE_GZIP_STREAM_H
#define CRATE_ARCHIVE_GZIP_STREAM_H

/*
 * Exactly one gzip member: header, data, CRC and length are checked, and
 * nothing may follow.  Readers differ on what comes after the first member.
 */

#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"

/* Takes the next bytes of the output.  -1, with err set, ends the reading. */
typedef int gzip_sink(void *arg, struct slice, struct err *);

struct gzip_stream;

/* Refuses a member whose output reaches max_bytes.  NULL: 500, zlib cannot start. */
struct gzip_stream *gzip_stream_new(struct arena *, uint64_t max_bytes, gzip_sink *, void *arg,
    struct err *) __attribute__((warn_unused_result));

/* Another maximum, before the first bytes come. */
void gzip_stream_limit(struct gzip_stream *, uint64_t max_bytes);

/* The next bytes.  -1: 400, or what the sink said. */
int gzip_stream_push(struct gzip_stream *, struct slice, struct err *)
    __attribute__((warn_unused_result));

/* No more bytes come.  -1: 400, the member is not complete. */
int gzip_stream_end(const struct gzip_stream *, struct err *) __attribute__((warn_unused_result));

/* The number of bytes of output so far. */
uint64_t gzip_stream_size(const struct gzip_stream *);

#endif
