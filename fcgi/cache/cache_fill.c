#include "cache/cache_fill.h"

#include "base/fault.h"
#include "cache/cache_source.h"
#include "cache/cache_tree.h"
#include "store/blob/blob.h"

static int
put(const struct cache_fill *fill, struct arena *a, const struct cache_file *f, const struct cache_content *c,
    struct err *err)
{
	if (c->absent)
		return cache_absent_mark(fill->absent, fill->dir, f->namespace, f->name, err);
	if (!c->found)
		return 0;
	return f->version[0] != '\0'
	    ? cache_tree_put_link(fill->dir, f, arena_printf(a, "%s/%s", fill->settings->blobs->dir,
		blob_path(a, c->cksum)), err)
	    : cache_tree_put(fill->dir, f, c->bytes, (time_t)c->time, err);
}

int
cache_fill(const struct cache_fill *fill, struct db *db, struct arena *a, const struct cache_file *f,
    struct err *err)
{
	struct cache_content c;
	struct err disk = { 0 };

	if (cache_tree_has(fill->dir, f))
		return 0;
	if (cache_source_read(db, a, fill->settings->external_url, f,
		fill->settings->cache_lease * fill->file_bytes, &c, err) == -1)
		return -1;
	FAULT_POINT("cache", "read");
	if (put(fill, a, f, &c, &disk) == -1)
		cache_warn(fill->warned, &disk);
	return 0;
}
