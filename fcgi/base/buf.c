#include "base/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/decimal.h"

void
buf_init(struct buf *b, struct arena *a, size_t max)
{
	*b = (struct buf) { .arena = a, .max = max };
}

void
buf_init_measure(struct buf *b, size_t max)
{
	buf_init(b, NULL, max);
}

static void
buf_grow(struct buf *b, size_t cap)
{
	char *p = arena_alloc(b->arena, cap);

	if (b->p != NULL)
		memcpy(p, b->p, b->n);
	b->p = p;
	b->cap = cap;
}

/* Room for n more bytes and the NUL; false, and `full`, where the cap forbids it. */
static bool
buf_reserve(struct buf *b, size_t n)
{
	size_t cap;

	if (b->full || n > b->max - b->n) {
		b->full = true;
		return false;
	}
	if (b->arena == NULL || (b->p != NULL && n < b->cap - b->n))
		return true;
	cap = b->cap == 0 ? 256 : b->cap;
	while (cap - b->n <= n)
		cap *= 2;
	if (cap > b->max + 1)
		cap = b->max + 1;
	buf_grow(b, cap);
	return true;
}

void
buf_expect(struct buf *b, size_t n)
{
	if (b->arena != NULL && n <= b->max - b->n && (b->p == NULL || n >= b->cap - b->n))
		buf_grow(b, b->n + n + 1);
}

void
buf_put(struct buf *b, const void *data, size_t n)
{
	if (!buf_reserve(b, n))
		return;
	if (b->arena == NULL) {
		b->n += n;
		return;
	}
	if (n > 0)
		memcpy(b->p + b->n, data, n);
	b->n += n;
	b->p[b->n] = '\0';
}

void
buf_putc(struct buf *b, char c)
{
	buf_put(b, &c, 1);
}

void
buf_puts(struct buf *b, const char *s)
{
	buf_put(b, s, strlen(s));
}

void
buf_put_slice(struct buf *b, struct slice s)
{
	buf_put(b, s.p, s.n);
}

void
buf_put_int(struct buf *b, int64_t v)
{
	char text[DECIMAL_SIZE];
	size_t n = decimal_write(v, text);

	buf_put(b, text, n);
}

void
buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	assert(n >= 0);
	if (!buf_reserve(b, (size_t)n))
		return;
	if (b->arena != NULL) {
		va_start(ap, fmt);
		vsnprintf(b->p + b->n, (size_t)n + 1, fmt, ap);
		va_end(ap);
	}
	b->n += (size_t)n;
}

void
buf_reset(struct buf *b)
{
	b->n = 0;
	b->full = false;
	if (b->p != NULL)
		b->p[0] = '\0';
}
