#include "pool/deferred.h"

#include <assert.h>
#include <string.h>

#include "http/fcgi.h"

bool
deferred_is_full(const struct deferred_list *l)
{
	return l->n == DEFERRED_MAX;
}

void
deferred_drop_gone(struct deferred_list *l)
{
	size_t kept = 0;

	for (size_t i = 0; i < l->n; i++) {
		if (fcgi_peer_has_gone(l->items[i].conn))
			fcgi_close(l->items[i].conn);
		else
			l->items[kept++] = l->items[i];
	}
	l->n = kept;
}

void
deferred_drop_gone_first(struct deferred_list *l)
{
	while (l->n > 0 && fcgi_peer_has_gone(l->items[0].conn))
		fcgi_close(deferred_take(l).conn);
}

void
deferred_add_last(struct deferred_list *l, struct deferred d)
{
	assert(!deferred_is_full(l));
	l->items[l->n++] = d;
}

void
deferred_add_first(struct deferred_list *l, struct deferred d)
{
	assert(!deferred_is_full(l));
	memmove(l->items + 1, l->items, l->n * sizeof(*l->items));
	l->items[0] = d;
	l->n++;
}

struct deferred
deferred_take(struct deferred_list *l)
{
	struct deferred d;

	assert(l->n > 0);
	d = l->items[0];
	l->n--;
	memmove(l->items, l->items + 1, l->n * sizeof(*l->items));
	return d;
}
