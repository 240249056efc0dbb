#include "store/blob/blob_copies.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "store/blob/blob.h"
#include "store/blob/blob_files.h"
#include "store/blob/blob_line.h"

enum { PARTS = 10 };

struct copy {
	char sha256[BLOB_HEX_SIZE];
	int64_t bytes, used;
};

struct copies {
	struct copy *v;
	size_t n, room;
	int64_t bytes;
	const struct blob_store *store;
};

static int
add(void *arg, const struct blob_entry *e, struct err *err)
{
	enum { FIRST = 1024, BLOCK = 512 };
	struct copies *c = arg;
	struct arena *piece = arena_new();
	struct stat st;
	bool there = lstat(arena_printf(piece, "%s/%s", c->store->dir, blob_path(piece, e->name)), &st) == 0;

	arena_free(piece);
	if (!there)
		return 0;
	if (c->n == c->room) {
		size_t room = c->room == 0 ? FIRST : 2 * c->room;
		struct copy *more = reallocarray(c->v, room, sizeof(*more));

		if (more == NULL)
			return err_sys(err, "the list of copies");
		c->v = more;
		c->room = room;
	}
	memcpy(c->v[c->n].sha256, e->name, BLOB_HEX_SIZE);
	c->v[c->n].bytes = (int64_t)st.st_blocks * BLOCK;
	c->v[c->n].used = st.st_atime > st.st_mtime ? st.st_atime : st.st_mtime;
	c->bytes += c->v[c->n++].bytes;
	return 0;
}

/* Lists the copies, in the way of a store that is a directory. */
static int
list(const struct blob_store *store, struct copies *c, struct err *err)
{
	const struct blob_store copies = { .kind = &blob_files, .name = store->dir, .dir = store->dir };

	*c = (struct copies) { .store = store };
	return store->kind->copies ? blob_files.list(&copies, "", add, c, err) : 0;
}

static int
compare_used(const void *left, const void *right)
{
	const struct copy *a = left, *b = right;

	return a->used < b->used ? -1 : a->used > b->used;
}

bool
blob_copies_is_store(const struct blob_store *store)
{
	struct err err = { 0 };
	char id[2];

	return blob_line_read(store->dir, STORE_ID_FILE, id, sizeof(id), &err) == 1;
}

int
blob_copies_count(const struct blob_store *store, int64_t *files, int64_t *bytes, struct err *err)
{
	struct copies c;
	int rc = list(store, &c, err);

	*files = (int64_t)c.n;
	*bytes = c.bytes;
	free(c.v);
	return rc;
}

int
blob_copies_trim(const struct blob_store *store, int64_t max, int64_t keep_s, int64_t *removed,
    struct err *err)
{
	time_t now = time(NULL);
	struct copies c;
	int rc = list(store, &c, err);
	bool any = rc == 0 && c.n > 0 && !blob_copies_is_store(store);
	int64_t most = c.bytes > max ? max / PARTS * (PARTS - 1) : max;

	*removed = 0;
	if (any)
		qsort(c.v, c.n, sizeof(*c.v), compare_used);
	for (size_t i = 0; any && rc == 0 && i < c.n && now - c.v[i].used > BLOB_COPY_KEEP_S; i++) {
		struct arena *a;

		if (c.bytes <= most && now - c.v[i].used <= keep_s)
			break;
		a = arena_new();
		rc = blob_files.remove(store, a, blob_path(a, c.v[i].sha256), err);
		arena_free(a);
		c.bytes -= c.v[i].bytes;
		*removed += rc == 0;
	}
	free(c.v);
	return rc;
}
