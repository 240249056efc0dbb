#include "cache/cache_invalidate.h"

#include <string.h>

#include "cache/cache_tree.h"

/* A crate of one namespace that has changed. */
struct change {
	const struct cache_invalidation *in;
	const struct cache_message *m;
};

/*
 * Removes the index file, or the mark that there is none, and the downloads of the crate if they have
 * changed.
 */
static int
take_crate(void *arg, int64_t namespace, struct err *err)
{
	const struct change *c = arg;
	struct cache_file f = { .namespace = namespace };
	bool was_there = false;

	if (c->m->kind == CACHE_CRATE && cache_tree_remove_crate(c->in->dir, namespace, c->m->name, err) == -1)
		return -1;
	if (cache_tree_remove_index(c->in->dir, namespace, c->m->name, &was_there, err) == -1)
		return -1;
	memcpy(f.name, c->m->name, sizeof(c->m->name));
	if (was_there)
		c->in->due(c->in->arg, &f);
	return 0;
}

static int
end_epoch(const struct cache_invalidation *in, struct err *err)
{
	if (cache_dir_end_epoch(in->dir, err) == -1)
		return -1;
	cache_grants_forget(in->grants);
	return 0;
}

/* Ends the grants first: their holders may not be allowed to read all that the group has now. */
static int
take_view(const struct cache_invalidation *in, int64_t namespace, bool grants, struct err *err)
{
	if (grants && cache_grants_end_namespace(in->grants, in->dir, namespace, err) == -1)
		return -1;
	return cache_tree_remove_namespace(in->dir, namespace, err);
}

int
cache_invalidate(const struct cache_invalidation *in, const struct cache_message *m, struct err *err)
{
	struct change change = { in, m };

	switch (m->kind) {
	case CACHE_SYNC:
	case CACHE_ACKNOWLEDGED:
	case CACHE_PROBE:
		return 0;
	case CACHE_EPOCH:
		return end_epoch(in, err);
	case CACHE_TOKEN:
		return cache_grants_end(in->grants, in->dir, &m->who, err);
	case CACHE_PROJECT:
		return cache_tree_remove_namespace(in->dir, m->id, err);
	case CACHE_VIEW:
	case CACHE_VIEW_GRANTS:
		return take_view(in, -m->id, m->kind == CACHE_VIEW_GRANTS, err);
	case CACHE_CRATE:
	case CACHE_INDEX:
		break;
	}
	return take_crate(&change, m->id, err) == -1 ? -1
	    : cache_tree_each_view(in->dir, take_crate, &change, err);
}
