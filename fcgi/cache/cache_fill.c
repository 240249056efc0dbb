#include "cache/cache_fill.h"

#include "base/fault.h"
#include "cache/cache_tree.h"
#include "crate/registry_config.h"
#include "store/blob/blob.h"
#include "store/package/view.h"

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

/* The statement that reads each file. */
enum { OF_PROJECT, OF_GROUP, NOWNERS };
enum { FILE_CONFIG, FILE_INDEX, FILE_CRATE, NFILES };
static const enum stmt statements[NOWNERS][NFILES] = {
	[OF_PROJECT] = { STMT_CACHE_CONFIG, STMT_CACHE_INDEX, STMT_CACHE_VERSION },
	[OF_GROUP] = { STMT_VIEW_CONFIG, STMT_VIEW_INDEX, STMT_VIEW_VERSION },
};

static int
file_kind(const struct cache_file *f)
{
	return f->name[0] == '\0' ? FILE_CONFIG : f->version[0] == '\0' ? FILE_INDEX : FILE_CRATE;
}

static void
bind_file(struct db_params *p, struct arena *a, const struct cache_file *f, int64_t max)
{
	int kind = file_kind(f);

	db_bind_int(p, f->namespace > 0 ? f->namespace : -f->namespace);
	if (kind == FILE_CONFIG)
		return;
	db_bind_str(p, crate_name_normalize(a, slice_str(f->name)));
	/* cargo asks for an index file in lower case, and for a crate by its exact name */
	db_bind_str(p, kind == FILE_CRATE ? f->name : crate_name_lower(a, slice_str(f->name)));
	if (kind == FILE_CRATE)
		db_bind_str(p, f->version);
	else
		db_bind_int(p, max);
}

static struct view_file
read_config(const struct db_result *r, struct arena *a, const char *external_url, const struct cache_file *f)
{
	enum { COLUMNS_VIEW_CONFIG }; /* cache_config has the same */
	const char *root = f->namespace > 0 ? registry_url(a, external_url, f->namespace)
	    : registry_group_url(a, external_url, -f->namespace);
	struct slice body = registry_config(a, root, !db_bool(r, 0, IS_PUBLIC));

	return (struct view_file) { body, registry_config_time(body) };
}

/* No body: it is too long.  It may use several statements: a later change arrives as a notification. */
static int
read_index(const struct db_result *r, struct db *db, struct arena *a, const char *external_url,
    const struct cache_file *f, struct view_file *file, struct err *err)
{
	enum { COLUMNS_VIEW_INDEX }; /* cache_index has the same, but for the project */
	struct view_basis basis;

	if (db_is_null(r, 0, INDEX_BODY))
		return 0;
	*file = (struct view_file) { db_slice(r, 0, INDEX_BODY), db_int(r, 0, INDEX_TIME) };
	if (f->namespace > 0 ||
	    view_file_of(db, a, external_url, -f->namespace, db_int(r, 0, PROJECT_ID), file, &basis, err) == 0)
		return 0;
	if (err->status != 500)
		return -1;
	/* the file itself is the cause: the pool answers, and reports it */
	*file = (struct view_file) { .time = 0 };
	err_clear(err);
	return 0;
}

/* Writes the file from the row that the statement has found, if any. */
static int
put(struct cache_dir *d, struct arena *a, const char *blobs, const struct cache_file *f,
    const struct db_result *r, const struct view_file *file, struct err *err)
{
	enum { COLUMNS_CACHE_VERSION }; /* view_version has the same */
	int kind = file_kind(f);

	if (r->rows == 0)
		return kind == FILE_INDEX ? cache_tree_mark_absent(d, f->namespace, f->name, err) : 0;
	if (kind == FILE_CRATE)
		return cache_tree_put_link(d, f, arena_printf(a, "%s/%s", blobs, blob_path(a, db_str(r, 0, CKSUM))), err);
	return file->body.p == NULL ? 0 : cache_tree_put(d, f, file->body, (time_t)file->time, err);
}

int
cache_fill(struct cache_dir *d, struct db *db, struct arena *a, const struct settings *s,
    const struct cache_file *f, struct cache_warning *warned, struct err *err)
{
	int kind = file_kind(f);
	struct view_file file = { .time = 0 };
	struct db_params p = { .n = 0 };
	struct db_result r;
	struct err disk = { 0 };

	if (cache_tree_has(d, f))
		return 0;
	bind_file(&p, a, f, s->cache_lease * FILE_BYTES);
	if (db_exec(db, a, statements[f->namespace > 0 ? OF_PROJECT : OF_GROUP][kind], &p, &r, err) == -1)
		return -1;
	if (r.rows == 1 && kind == FILE_CONFIG)
		file = read_config(&r, a, s->external_url, f);
	else if (r.rows == 1 && kind == FILE_INDEX && read_index(&r, db, a, s->external_url, f, &file, err) == -1)
		return -1;
	FAULT_POINT("cache", "read");
	if (put(d, a, s->blobs->dir, f, &r, &file, &disk) == -1)
		cache_warn(warned, &disk);
	return 0;
}
