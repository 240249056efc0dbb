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

struct content {
	bool found;
	bool absent; /* an index file: its crate does not exist */
	struct slice bytes; /* an index file (gzip) or config.json */
	int64_t time; /* its modification time, of which nginx makes the ETag */
	const char *cksum; /* the blob of a crate */
};

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

static void
read_config(const struct db_result *r, struct arena *a, const char *external_url, const struct cache_file *f,
    struct content *c)
{
	enum { COLUMNS_VIEW_CONFIG }; /* cache_config has the same */
	const char *root = f->namespace > 0 ? registry_url(a, external_url, f->namespace)
	    : registry_group_url(a, external_url, -f->namespace);

	c->bytes = registry_config(a, root, !db_bool(r, 0, IS_PUBLIC));
	c->time = registry_config_time(c->bytes);
}

/* It may use several statements: a later change arrives as a notification. */
static int
read_index(struct db *db, const struct db_result *r, struct arena *a, const char *external_url,
    const struct cache_file *f, struct content *c, struct err *err)
{
	enum { COLUMNS_VIEW_INDEX }; /* cache_index has the same, but for the project */
	struct view_file file = { db_slice(r, 0, INDEX_BODY), db_int(r, 0, INDEX_TIME) };
	struct view_basis basis;

	if (f->namespace < 0 && view_file_of(db, a, external_url, -f->namespace, db_int(r, 0, PROJECT_ID), &file,
	        &basis, err) == -1) {
		/* the file itself is the cause: the pool answers, and reports it */
		c->found = false;
		if (err->status != 500)
			return -1;
		err_clear(err);
		return 0;
	}
	c->bytes = file.body;
	c->time = file.time;
	return 0;
}

/* Reads the content of the file, unless it is an index file of more than `max` bytes: not found.  -1: 503. */
static int
read_content(struct db *db, struct arena *a, const char *external_url,
    const struct cache_file *f, int64_t max, struct content *c, struct err *err)
{
	enum { COLUMNS_VIEW_INDEX };
	enum { COLUMNS_CACHE_VERSION }; /* view_version has the same */
	int kind = file_kind(f);
	struct db_params p = { .n = 0 };
	struct db_result r;

	*c = (struct content) { .found = false };
	bind_file(&p, a, f, max);
	if (db_exec(db, a, statements[f->namespace > 0 ? OF_PROJECT : OF_GROUP][kind], &p, &r, err) == -1)
		return -1;
	c->absent = r.rows == 0 && kind == FILE_INDEX;
	c->found = r.rows == 1 && (kind != FILE_INDEX || !db_is_null(&r, 0, INDEX_BODY));
	if (!c->found)
		return 0;
	if (kind == FILE_INDEX)
		return read_index(db, &r, a, external_url, f, c, err);
	if (kind == FILE_CRATE)
		c->cksum = db_str(&r, 0, CKSUM);
	else
		read_config(&r, a, external_url, f, c);
	return 0;
}

static int
put(struct cache_dir *d, struct arena *a, const struct settings *settings, const struct cache_file *f,
    const struct content *c, struct err *err)
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
	struct content c;
	struct err disk = { 0 };

	if (cache_tree_has(d, f))
		return 0;
	if (read_content(db, a, settings->external_url, f, settings->cache_lease * FILE_BYTES, &c, err) == -1)
		return -1;
	FAULT_POINT("cache", "read");
	if (put(d, a, settings, f, &c, &disk) == -1)
		cache_warn(warned, &disk);
	return 0;
}
