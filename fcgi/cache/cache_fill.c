#include "cache/cache_fill.h"

#include "base/fault.h"
#include "cache/cache_source.h"
#include "cache/cache_tree.h"
#include "store/blob/blob.h"

/*
 * The longest index file that a keeper reads, in bytes for each second of cache_lease.  It does
 * nothing else meanwhile, so it must be done before the lease ends: at 1 MiB a second, which a slow
 * line to the database still has, such a file takes half of the lease.
 */
enum { FILE_BYTES = 512 * 1024 };

void
cache_due_add(struct cache_due *due, const struct cache_file *f)
{
	if (due->n < CACHE_DUE_MAX)
		due->v[due->n++] = *f;
}

static int
put(struct cache_dir *d, struct arena *a, const struct settings *settings, const struct cache_file *f,
    const struct cache_content *c, struct err *err)
{
	if (c->absent)
		return cache_tree_mark_absent(d, f->namespace, f->name, err);
	if (!c->found)
		return 0;
	return f->version[0] != '\0'
	    ? cache_tree_put_link(d, f, arena_printf(a, "%s/%s", settings->blobs->dir, blob_path(a, c->cksum)), err)
	    : cache_tree_put(d, f, c->bytes, (time_t)c->time, err);
}

int
cache_fill(struct cache_dir *d, struct db *db, struct arena *a, const struct settings *settings,
    const struct cache_file *f, struct cache_warning *warned, struct err *err)
{
	struct cache_content c;
	struct err disk = { 0 };

	if (cache_tree_has(d, f))
		return 0;
	if (cache_source_read(db, a, settings->external_url, f, settings->cache_lease * FILE_BYTES, &c, err) == -1)
		return -1;
	FAULT_POINT("cache", "read");
	if (put(d, a, settings, f, &c, &disk) == -1)
		cache_warn(warned, &disk);
	return 0;
}
