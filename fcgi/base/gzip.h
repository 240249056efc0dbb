#ifndef BASE_GZIP_H
#define BASE_GZIP_H

/*
 * Compresses and expands gzip (RFC 1952) for the stored index files: one member without name or time, so
 * that equal bytes give equal bytes.  Input comes in pieces, and output can be taken in
 * pieces: neither needs the whole text in memory.
 */

#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"

/*
 * From this size on a text is compressed for speed: a request writes such a large file, which
 * then is about 1.3 times as long.
 */
enum { GZIP_FAST_AFTER = 32 << 20 };

/* Compresses the bytes that you add.  Holds the output so far, and a bounded state. */
struct gzip_writer;

/* Ends with the arena.  NULL: 500. */
struct gzip_writer *gzip_writer_new(struct arena *, struct err *)
    __attribute__((warn_unused_result));

/* Adds the next bytes of the text, however many.  -1: 500. */
int gzip_writer_add(struct gzip_writer *, struct slice, struct err *)
    __attribute__((warn_unused_result));

/* Ends the member and returns all of it, for as long as the arena.  -1: 500. */
int gzip_writer_end(struct gzip_writer *, struct slice *out, struct err *)
    __attribute__((warn_unused_result));

/*
 * The length of a member's text, from its last four bytes: right for members of gzip_writer and
 * for any text below 4 GB.  0 where there are no such bytes.
 */
uint32_t gzip_text_size(struct slice in);

/* Takes a piece of the text.  -1, with err set, ends the reading. */
typedef int gzip_piece_fn(void *arg, struct slice, struct err *);

/*
 * Reads the text of a member, piece by piece, and no more than `max` bytes.  -1: 500, also
 * where the text is longer than max or the bytes are no member; or the error of the function.
 */
int gzip_read(struct slice in, size_t max, gzip_piece_fn *, void *arg, struct err *)
    __attribute__((warn_unused_result));

/* Reads the whole text, into exactly as much memory.  -1: 500, as gzip_read(). */
int gzip_expand(struct arena *a, struct slice in, size_t max, struct slice *out, struct err *)
    __attribute__((warn_unused_result));

#endif
