#ifndef BASE_BUF_H
#define BASE_BUF_H

/*
 * A growable byte buffer in an arena, with a hard cap.  Writers append
 * without checking; once the cap is passed the buffer is `full`, ignores
 * what comes, and whoever started it asks buf_full() once at the end.
 * The content is always followed by a NUL that does not count.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/slice.h"

struct buf {
	struct arena *arena; /* NULL: only measures */
	char *p; /* NULL while nothing was written */
	size_t n;
	size_t cap;
	size_t max; /* content never grows past this */
	bool full;
};

void buf_init(struct buf *, struct arena *, size_t max);
/* A buffer that keeps nothing and only counts: how long will it be? */
void buf_init_measure(struct buf *, size_t max);
/* Makes room for n bytes at once.  Growing to them leaves as much behind in the arena. */
void buf_expect(struct buf *, size_t n);
void buf_put(struct buf *, const void *, size_t n);
void buf_putc(struct buf *, char c);
void buf_puts(struct buf *, const char *);
void buf_put_slice(struct buf *, struct slice);
void buf_put_int(struct buf *, int64_t); /* in decimal */
void buf_printf(struct buf *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Forgets the content and `full`; keeps the memory. */
void buf_reset(struct buf *);

static inline bool
buf_full(const struct buf *b)
{
	return b->full;
}

/* The content; valid until the next write. */
static inline struct slice
buf_slice(const struct buf *b)
{
	return (struct slice) { b->p ? b->p : "", b->n };
}

/* The content as a C string (it may hold NULs if such were written). */
static inline const char *
buf_str(const struct buf *b)
{
	return b->p ? b->p : "";
}

#endif
