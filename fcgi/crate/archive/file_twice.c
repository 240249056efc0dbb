#include "crate/archive/file_twice.h"

#include <string.h>

#include "base/fault.h"
#include "base/keyed_hash.h"
#include "crate/archive/tar_path.h"

/* A hash of each file, in blocks.  A look for one goes through all of them: only a few may come twice. */
enum { BLOCK_FILES = 1024, TWICE_MAX = 100 };

struct block {
	struct block *next;
	size_t n;
	unsigned char hashes[BLOCK_FILES][KEYED_HASH_SIZE];
};

struct file_twice {
	struct arena *arena;
	struct block *blocks;
	struct keyed_hash *hash; /* of the current file */
	bool again;
	int twice;
	size_t path_n;
	char path[TAR_PATH_MAX]; /* of the current file, for an error */
};

struct file_twice *
file_twice_new(struct arena *arena, struct err *err)
{
	struct file_twice *f = arena_alloc(arena, sizeof(*f));

	f->arena = arena;
	f->blocks = arena_alloc(arena, sizeof(*f->blocks));
	f->hash = keyed_hash_new(arena, err);
	return f->hash != NULL ? f : NULL;
}

int
file_twice_start(struct file_twice *f, struct err *err)
{
	return keyed_hash_change(f->hash, err);
}

int
file_twice_begin(struct file_twice *f, struct slice path, bool again, struct err *err)
{
	f->again = again;
	f->path_n = path.n < sizeof(f->path) ? path.n : sizeof(f->path);
	memcpy(f->path, path.p, f->path_n);
	if (again && ++f->twice > TWICE_MAX)
		return tar_path_refuse(path, "more than 100 files are in the crate twice", err);
	/* a path has no NUL: where it ends is plain */
	keyed_hash_begin(f->hash);
	keyed_hash_add(f->hash, path.p, path.n);
	keyed_hash_add(f->hash, "", 1);
	return 0;
}

void
file_twice_data(struct file_twice *f, struct slice data)
{
	keyed_hash_add(f->hash, data.p, data.n);
}

static bool
known(const struct file_twice *f, const unsigned char *hash)
{
	for (const struct block *b = f->blocks; b != NULL; b = b->next) {
		for (size_t i = 0; i < b->n; i++) {
			if (memcmp(b->hashes[i], hash, KEYED_HASH_SIZE) == 0)
				return true;
		}
	}
	return false;
}

static void
keep(struct file_twice *f, const unsigned char *hash)
{
	struct block *b = f->blocks;

	if (b->n == BLOCK_FILES) {
		b = arena_alloc(f->arena, sizeof(*b));
		b->next = f->blocks;
		f->blocks = b;
	}
	memcpy(b->hashes[b->n++], hash, KEYED_HASH_SIZE);
}

int
file_twice_end(struct file_twice *f, struct err *err)
{
	unsigned char hash[KEYED_HASH_SIZE];

	if (FAULT_FAILS("inspect", "hash") || !keyed_hash_end(f->hash, hash))
		return err_internal(err, 500, "OpenSSL cannot hash a file of the crate");
	if (!f->again)
		keep(f, hash);
	else if (!known(f, hash))
		return tar_path_refuse(slice_of(f->path, f->path_n),
		    "the crate already has this path, with other bytes or in other case", err);
	return 0;
}
