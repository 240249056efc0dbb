#ifndef BASE_ARENA_H
#define BASE_ARENA_H

/*
 * The one memory idiom: everything that a request allocates lives in its
 * arena and goes when the request ends.  A first parameter `struct arena *`
 * means "the result lives as long as this arena".
 *
 * A size that a client chose is checked against its limit before it comes
 * here; running out of memory is then the machine's fault, and aborts.
 * Under sanitizers (ARENA_DEBUG) each allocation is one malloc, so that an
 * overrun of one is seen.
 */

#include <stdarg.h>
#include <stddef.h>

#include "base/slice.h"

struct arena;

/* A new, empty arena.  Never NULL. */
struct arena *arena_new(void);

/* Runs the deferred functions, frees everything.  arena_free(NULL) is a no-op. */
void arena_free(struct arena *);

/*
 * Runs the deferred functions, last first, wipes the arena and empties it for reuse.  It does not wipe
 * allocations of more than ARENA_WIPED_MAX bytes: parameters of a request, which may be secret, are shorter.
 */
enum { ARENA_WIPED_MAX = 128 * 1024 };
void arena_reset(struct arena *);

/* n zeroed bytes, aligned for any type.  Never NULL.  n may be 0. */
void *arena_alloc(struct arena *, size_t n) __attribute__((malloc, alloc_size(2), returns_nonnull));

/* n * size zeroed bytes; aborts where the product overflows. */
void *arena_calloc(struct arena *, size_t n, size_t size)
    __attribute__((malloc, alloc_size(2, 3), returns_nonnull));

/*
 * Grows an array: returns one that has a member i, of `size` bytes.  That is `array` itself while i < *room,
 * the number of its members.  Else it is a copy with at least twice the room, which *room then says; its new
 * members are zero, and the old array stays as long as the arena.  An empty array is NULL, with *room 0.
 * Aborts where the bytes overflow.
 */
void *arena_grow(struct arena *, void *array, size_t i, size_t *room, size_t size)
    __attribute__((returns_nonnull, warn_unused_result));

/* Calls fn(arg) when the arena is reset or freed: PQclear, close, OPENSSL_cleanse ... */
void arena_defer(struct arena *, void (*fn)(void *), void *arg);

/* Copies, NUL-terminated. */
char *arena_strdup(struct arena *, const char *) __attribute__((returns_nonnull));
char *arena_strndup(struct arena *, const char *, size_t n) __attribute__((returns_nonnull));
char *arena_slicedup(struct arena *, struct slice) __attribute__((returns_nonnull));
char *arena_printf(struct arena *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3), returns_nonnull));

#endif
