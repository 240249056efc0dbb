#include "base/arena.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_SIZE = 16 * 1024 };

#ifdef ARENA_DEBUG
static const bool debug = true; /* each allocation is its own malloc */
#else
static const bool debug = false;
#endif

struct chunk {
	struct chunk *next;
	size_t size;
	size_t used;
	alignas(max_align_t) unsigned char data[];
};

struct deferred {
	struct deferred *next;
	void (*fn)(void *);
	void *arg;
};

struct arena {
	struct chunk *chunks; /* the one being filled first */
	struct deferred *deferred;
};

/* zeroed: pages that were not used yet stay untouched, which memset() would not leave them. */
static void *
must_alloc(size_t n, bool zeroed)
{
	void *p = zeroed ? calloc(1, n) : malloc(n);

	if (p == NULL) {
		fprintf(stderr, "out of memory allocating %zu bytes\n", n);
		abort();
	}
	return p;
}

struct arena *
arena_new(void)
{
	struct arena *a = must_alloc(sizeof(*a), false);

	*a = (struct arena) { 0 };
	return a;
}

static void
run_deferred(struct arena *a)
{
	while (a->deferred != NULL) {
		struct deferred *d = a->deferred;

		/* the record lives in the arena itself: unlink before the call */
		a->deferred = d->next;
		d->fn(d->arg);
	}
}

void
arena_free(struct arena *a)
{
	if (a == NULL)
		return;
	run_deferred(a);
	while (a->chunks != NULL) {
		struct chunk *c = a->chunks;

		a->chunks = c->next;
		free(c);
	}
	free(a);
}

void
arena_reset(struct arena *a)
{
	struct chunk *keep = NULL;

	run_deferred(a);
	while (a->chunks != NULL) {
		struct chunk *c = a->chunks;

		a->chunks = c->next;
		/* it may hold tokens, and the next request may come late */
		if (c->size <= ARENA_WIPED_MAX)
			explicit_bzero(c->data, c->used);
		if (keep == NULL && !debug && c->size == CHUNK_SIZE)
			keep = c;
		else
			free(c);
	}
	if (keep != NULL) {
		keep->next = NULL;
		keep->used = 0;
		a->chunks = keep;
	}
}

void *
arena_alloc(struct arena *a, size_t n)
{
	const size_t align = alignof(max_align_t);
	struct chunk *c = a->chunks;
	bool zeroed = n > CHUNK_SIZE; /* it gets a chunk of its own */
	size_t size;
	void *p;

	if (n > SIZE_MAX / 2)
		abort();
	/* one byte at least, so that two allocations never share an address */
	size = n == 0 ? align : (n + align - 1) & ~(align - 1);
	if (c == NULL || c->size - c->used < size) {
		/* exactly n in debug mode, so that the sanitizer sees the first byte past it */
		size_t data = debug ? n : size > CHUNK_SIZE ? size : CHUNK_SIZE;

		c = must_alloc(sizeof(*c) + data, zeroed);
		c->size = data;
		c->used = 0;
		/* a large block goes behind the chunk that still has room */
		if (data > CHUNK_SIZE && a->chunks != NULL) {
			c->next = a->chunks->next;
			a->chunks->next = c;
		} else {
			c->next = a->chunks;
			a->chunks = c;
		}
	}
	p = c->data + c->used;
	c->used = debug ? c->size : c->used + size;
	return zeroed ? p : memset(p, 0, n);
}

void *
arena_calloc(struct arena *a, size_t n, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(n, size, &total))
		abort();
	return arena_alloc(a, total);
}

void *
arena_grow(struct arena *a, void *array, size_t i, size_t *room, size_t size)
{
	enum { FIRST = 4 };
	size_t was = *room;
	void *longer;

	if (i < was)
		return array;
	if (*room == 0)
		*room = FIRST;
	while (*room <= i) {
		if (__builtin_mul_overflow(*room, 2, room))
			abort();
	}
	longer = arena_calloc(a, *room, size);
	if (was > 0)
		memcpy(longer, array, was * size);
	return longer;
}

void
arena_defer(struct arena *a, void (*fn)(void *), void *arg)
{
	struct deferred *d = arena_alloc(a, sizeof(*d));

	d->fn = fn;
	d->arg = arg;
	d->next = a->deferred;
	a->deferred = d;
}

char *
arena_strndup(struct arena *a, const char *s, size_t n)
{
	char *p = arena_alloc(a, n + 1);

	memcpy(p, s, n);
	return p;
}

char *
arena_strdup(struct arena *a, const char *s)
{
	return arena_strndup(a, s, strlen(s));
}

char *
arena_slicedup(struct arena *a, struct slice s)
{
	char *p = arena_alloc(a, s.n + 1);

	if (s.n > 0)
		memcpy(p, s.p, s.n);
	return p;
}

char *
arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	int n;
	char *p;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		abort();
	p = arena_alloc(a, (size_t)n + 1);
	va_start(ap, fmt);
	vsnprintf(p, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return p;
}
