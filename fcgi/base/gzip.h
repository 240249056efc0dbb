#ifndef BASE_GZIP_H
#define BASE_GZIP_H

/*
 * To and from gzip (RFC 1952), for the stored index files: one member without name or time, so that
 * equal bytes give equal bytes.  What goes in comes in pieces, and what comes out can be taken in
 * pieces: neither needs the whole text in memory.
 */

#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"

/*
 * A text beyond this is compressed for speed from there on: a file so large is written within a
 * request, and is some 1.3 times as long for it.
 */
enum { GZIP_FAST_AFTER = 32 << 20 };

/* Compresses what is added.  Holds what came out so far, and a bounded state. */
struct gzip_writer;

/* Goes with the arena.  NULL: 500. */
struct gzip_writer *gzip_writer_new(struct arena *, struct err *)
    __attribute__((warn_unused_result));

/* The next bytes of the text, however many.  -1: 500. */
int gzip_writer_add(struct gzip_writer *, struct slice, struct err *)
    __attribute__((warn_unused_result));

/* All of the member, for as long as the arena.  -1: 500. */
int gzip_writer_end(struct gzip_writer *, struct slice *out, struct err *)
    __attribute__((warn_unused_result));

/*
 * How long the text of a member is, from its last four bytes: right for what gzip_writer made and
 * for any text below 4 GB.  0 where there are no such bytes.
 */
uint32_t gzip_text_size(struct slice in);

/* Takes a piece of the text.  -1, with err set, ends the reading. */
typedef int gzip_piece_fn(void *arg, struct slice, struct err *);

/*
 * The text of a member, piece by piece, of which it takes no more than `max` bytes.  -1: 500, also
 * where the text is longer than max or the bytes are no member; or what the function said.
 */
int gzip_read(struct slice in, size_t max, gzip_piece_fn *, void *arg, struct err *)
    __attribute__((warn_unused_result));

/* The whole text, in so much memory and no more.  -1: 500, as of gzip_read(). */
int gzip_expand(struct arena *a, struct slice in, size_t max, struct slice *out, struct err *)
    __attribute__((warn_unused_result));

#endif
