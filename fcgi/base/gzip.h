#ifndef BASE_GZIP_H
#define BASE_GZIP_H

/*
 * Compresses and expands gzip (RFC 1952) for the stored index files.  Input comes in pieces, and output can
 * be taken in pieces: neither needs the whole text in memory.
 *
 * A file is one member: a head that is always the same, deflated text that ends at a byte, and a tail: an
 * empty last block, the CRC and the length of the text.  So it can grow without being compressed anew: what
 * is added takes the place of its tail.  The head's time is 1, which tells these files from other members.
 * The bytes depend only on the text, and on the pieces in which it was added to the file.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"

/*
 * From this size on a text is compressed for speed: a request writes such a large file, which
 * then is about 1.3 times as long.
 */
enum { GZIP_FAST_AFTER = 32 << 20 };

/* A text is at most this many times as long as its member: two bits stand for at most 258 bytes. */
enum { GZIP_RATIO_MAX = 258 * 4 };

/* Compresses the bytes that you add.  Holds the output so far, and a bounded state. */
struct gzip_writer;

/* Ends with the arena.  NULL: 500. */
struct gzip_writer *gzip_writer_new(struct arena *, struct err *)
    __attribute__((warn_unused_result));

/*
 * Compresses the next bytes for speed, as the writer does by itself after GZIP_FAST_AFTER bytes.  A page of
 * HTML takes a third of the time, and becomes a tenth longer.  -1: 500.
 */
int gzip_writer_speed_up(struct gzip_writer *, struct err *) __attribute__((warn_unused_result));

/* Adds the next bytes of the text, however many.  -1: 500. */
int gzip_writer_add(struct gzip_writer *, struct slice, struct err *)
    __attribute__((warn_unused_result));

/* Ends the member and returns all of it, for as long as the arena.  -1: 500. */
int gzip_writer_end(struct gzip_writer *, struct slice *out, struct err *)
    __attribute__((warn_unused_result));

/* The member of a whole text, as a writer makes it; lives as long as the arena.  -1: 500. */
int gzip_member(struct arena *, struct slice text, struct slice *out, struct err *)
    __attribute__((warn_unused_result));

enum { GZIP_HEAD_SIZE = 10, GZIP_TAIL_SIZE = 10 };

/* Can a member grow that begins and ends so? */
bool gzip_can_grow(struct slice head, struct slice tail);

/*
 * Compresses text that is added to a member that can grow.  *out takes the place of its tail, and lives as
 * long as the arena.  `before`: bytes that the member's text ends in, which `text` may resemble, or none.
 * -1: 500.
 */
int gzip_grow(struct arena *, struct slice tail, struct slice before, struct slice text, struct slice *out,
    struct err *) __attribute__((warn_unused_result));

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
