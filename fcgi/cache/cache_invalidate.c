#include "cache/cache_invalidate.h"

#include <stdlib.h>
#include <string.h>

#include "cache/cache_dir_own.h"

/* A crate that has changed. */
struct change {
	struct cache_dir *dir;
	const struct cache_message *m;
	struct cache_due *due;
};

/*
 * Removes the index file of one namespace, or the mark that there is none, and the downloads of the crate if
 * they have changed.
 */
static int
take_crate(const struct change *c, int64_t namespace, struct err *err)
{
	struct cache_file f = { .namespace = namespace };
	bool was_there;

	if (c->m->kind == CACHE_CRATE && cache_tree_remove_crate(c->dir, namespace, c->m->name, err) == -1)
		return -1;
	memcpy(f.name, c->m->name, sizeof(c->m->name));
	if (cache_tree_remove_index(c->dir, &f, &was_there, err) == -1)
		return -1;
	if (was_there)
		cache_due_add(c->due, &f);
	return 0;
}

/* The same of the group whose folder that is. */
static int
take_of_group(void *arg, int at, const char *name, struct err *err)
{
	int64_t group = strtoll(name, NULL, 10);

	(void)at;
	return group > 0 ? take_crate(arg, -group, err) : 0;
}

int
cache_invalidate(struct cache_dir *d, const struct cache_message *m, struct cache_due *due, struct err *err)
{
	struct change change = { d, m, due };

	switch (m->kind) {
	case CACHE_SYNC:
	case CACHE_ACKNOWLEDGED:
	case CACHE_PROBE:
		return 0;
	case CACHE_EPOCH:
		return cache_dir_end_epoch(d, err);
	case CACHE_TOKEN:
		return cache_grants_end(d, &m->who, err);
	case CACHE_PROJECT:
		return cache_tree_remove_namespace(d, m->id, err);
	case CACHE_VIEW_GRANTS:
		/* the grants first: their holders may not be allowed to read all that the group has now */
		return cache_grants_end_namespace(d, -m->id, err) == -1 ? -1
		    : cache_tree_remove_namespace(d, -m->id, err);
	case CACHE_VIEW:
		return cache_tree_remove_namespace(d, -m->id, err);
	case CACHE_CRATE:
	case CACHE_INDEX:
		break;
	}
	return take_crate(&change, m->id, err) == -1 ? -1 : cache_dir_each(d, "group", take_of_group, &change, err);
}
