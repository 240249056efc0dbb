#include "cache/cache_refused.h"

#include <string.h>

enum { REFUSED_US = 2 * 1000000 };

bool
cache_refused_has(const struct cache_refused *r, const struct cache_hint *h, int64_t now_us)
{
	for (size_t i = 0; h->file.namespace < 0 && i < CACHE_REFUSED_MAX; i++) {
		if (r->v[i].namespace == h->file.namespace && r->v[i].until_us > now_us &&
		    strcmp(r->v[i].who.name, h->who.name) == 0)
			return true;
	}
	return false;
}

void
cache_refused_add(struct cache_refused *r, const struct cache_hint *h, int64_t now_us)
{
	if (h->file.namespace > 0 || cache_refused_has(r, h, now_us))
		return;
	r->v[r->next] = (struct cache_refusal) { h->who, h->file.namespace, now_us + REFUSED_US };
	r->next = (r->next + 1) % CACHE_REFUSED_MAX;
}
