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

/* Takes the bytes as they come out.  -1, with err set, ends the reading. */
typedef int gzip_sink(void *arg, struct slice, struct err *);

struct gzip_stream;

/* At max_bytes of output it is already too much.  NULL: 500, zlib cannot start. */
struct gzip_stream *gzip_stream_new(struct arena *, uint64_t max_bytes, gzip_sink *, void *arg,
    struct err *) __attribute__((warn_unused_result));

/* The next bytes.  -1: 400, or what the sink said. */
int gzip_stream_push(struct gzip_stream *, struct slice, struct err *)
    __attribute__((warn_unused_result));

/* No more bytes come.  -1: 400, the member is not complete. */
int gzip_stream_end(const struct gzip_stream *, struct err *) __attribute__((warn_unused_result));

/* Bytes that came out. */
uint64_t gzip_stream_size(const struct gzip_stream *);

#endif
