#include "store/blob/blob_collect.h"

#include <time.h>

#include "base/fault.h"
#include "store/blob/blob.h"
#include "store/blob/blob_names.h"

int
blob_look(struct db *db, struct arena *a, const char *after, int64_t keep,
    struct blob_look **looks, size_t *n, struct err *err)
{
	enum { COLUMNS_BLOB_LOOK };
	struct db_params p = { .n = 0 };
	struct db_result r;

	db_bind_str(&p, after);
	db_bind_int(&p, keep);
	if (db_exec(db, a, STMT_BLOB_LOOK, &p, &r, err) == -1)
		return -1;
	*n = (size_t)r.rows;
	*looks = arena_calloc(a, *n, sizeof(**looks));
	for (int i = 0; i < r.rows; i++)
		(*looks)[i] = (struct blob_look) { db_str(&r, i, SHA256), db_bool(&r, i, IS_DUE) };
	return 0;
}

struct collect {
	struct arena *arena;
	const struct blob_pass *pass;
	const char *sha256;
	bool known; /* it has a row */
	bool removed;
};

static int
collect_body(struct db *db, void *arg, struct err *err)
{
	struct collect *c = arg;
	struct db_params name = { .n = 0 }, p = { .n = 0 };
	struct db_result r;

	db_bind_str(&name, c->sha256);
	db_bind_str(&p, c->sha256);
	if (c->known)
		db_bind_int(&p, c->pass->keep);
	if (db_exec(db, c->arena, c->known ? STMT_BLOB_TAKE : STMT_BLOB_TAKE_NAME, &p, &r, err) == -1)
		return -1;
	c->removed = r.affected == 1;
	if (!c->removed)
		return 0;
	FAULT_POINT("collect", "taken");
	/* the file may be in the trash already: an earlier run died between file and row */
	if (c->pass->store->kind->trash(c->pass->store, c->arena, c->sha256, err) == -1)
		return -1;
	return c->known ? 0 : db_exec(db, c->arena, STMT_BLOB_DROP_NAME, &name, NULL, err);
}

static int
collect(struct db *db, struct collect *c, struct err *err)
{
	bool unknown;

	if (db_transaction(db, collect_body, c, &unknown, err) == 0) {
		FAULT_POINT("collect", "collected");
		return 0;
	}
	c->removed = false;
	/* a publish holds the row; the next run takes it */
	if (err->status == 503 && db_fd(db) != -1) {
		err_clear(err);
		return 0;
	}
	return -1;
}


int
blob_collect(struct db *db, struct arena *a, struct blob_pass *pass, const char *sha256, struct err *err)
{
	struct collect c = { .arena = a, .pass = pass, .sha256 = sha256, .known = true };
	struct blob_stat st;
	int file = pass->store->kind->stat(pass->store, a, blob_path(a, sha256), &st, err), rc;

	if (file == -1)
		return -1;
	/* a row without a file counts for nothing: removing it removes no bytes */
	if (!pass->take) {
		pass->due += file;
		return 0;
	}
	if (file == 1 && pass->left == 0)
		return 0;
	rc = collect(db, &c, err);
	pass->rows += c.removed;
	pass->left -= c.removed && file == 1;
	return rc;
}

/* names: files that are old enough. */
static int
take_unknown(struct db *db, struct arena *a, struct blob_pass *pass, struct blob_names *names,
    struct err *err)
{
	if (blob_names_keep_unknown(db, a, names, err) == -1)
		return -1;
	if (!pass->take)
		pass->due += (int64_t)names->n;
	for (size_t i = 0; pass->take && pass->left > 0 && i < names->n; i++) {
		struct collect c = { .arena = a, .pass = pass, .sha256 = names->v[i] };

		if (collect(db, &c, err) == -1)
			return -1;
		pass->unknown += c.removed;
		pass->left -= c.removed;
	}
	names->n = 0;
	return 0;
}

struct files {
	struct db *db;
	struct arena *arena;
	struct blob_pass *pass;
	struct blob_names *names;
	time_t before;
};

static int
look_at(void *arg, const struct blob_entry *e, struct err *err)
{
	struct files *f = arg;

	if (!e->st.regular)
		return 0;
	f->pass->files++;
	if (e->st.modified > f->before)
		return 0;
	blob_names_add(f->names, f->arena, e->name);
	return blob_names_full(f->names) ? take_unknown(f->db, f->arena, f->pass, f->names, err) : 0;
}

int
blob_collect_files(struct db *db, struct arena *a, struct blob_pass *pass, const char *first,
    struct err *err)
{
	struct files f = { db, a, pass, arena_alloc(a, sizeof(*f.names)), time(NULL) - (time_t)pass->keep };

	if (pass->store->kind->list(pass->store, first, look_at, &f, err) == -1)
		return -1;
	return take_unknown(db, a, pass, f.names, err);
}
