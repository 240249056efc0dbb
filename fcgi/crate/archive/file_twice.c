#include "crate/archive/file_twice.h"

#include <string.h>

#include "base/sha256.h"
#include "crate/archive/tar_path.h"

/*
 * Half a SHA-256 for each file, in blocks.  A look for one goes through all of them, so that only a few
 * may come twice.
 */
enum { DIGEST_SIZE = 16, BLOCK_FILES = 1024, TWICE_MAX = 100 };

struct block {
	struct block *next;
	size_t n;
	unsigned char digests[BLOCK_FILES][DIGEST_SIZE];
};

struct file_twice {
	struct arena *arena;
	struct block *blocks;
	struct sha256 sha256; /* of the current file */
	bool again;
	int twice;
	size_t path_n;
	char path[TAR_PATH_MAX]; /* of the current file, for an error */
};

static void
state_drop(void *arg)
{
	sha256_drop(arg);
}

struct file_twice *
file_twice_new(struct arena *arena, struct err *err)
{
	struct file_twice *f = arena_alloc(arena, sizeof(*f));
	unsigned char digest[SHA256_SIZE];

	f->arena = arena;
	f->blocks = arena_alloc(arena, sizeof(*f->blocks));
	if (!sha256_digest("", 0, digest)) {
		(void)err_internal(err, 500, "SHA-256: OpenSSL fails");
		return NULL;
	}
	arena_defer(arena, state_drop, &f->sha256);
	return f;
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
	(void)(sha256_begin(&f->sha256) && sha256_add(&f->sha256, path.p, path.n) &&
	    sha256_add(&f->sha256, "", 1));
	return 0;
}

void
file_twice_data(struct file_twice *f, struct slice data)
{
	(void)sha256_add(&f->sha256, data.p, data.n);
}

static bool
known(const struct file_twice *f, const unsigned char *digest)
{
	for (const struct block *b = f->blocks; b != NULL; b = b->next) {
		for (size_t i = 0; i < b->n; i++) {
			if (memcmp(b->digests[i], digest, DIGEST_SIZE) == 0)
				return true;
		}
	}
	return false;
}

static void
keep(struct file_twice *f, const unsigned char *digest)
{
	struct block *b = f->blocks;

	if (b->n == BLOCK_FILES) {
		b = arena_alloc(f->arena, sizeof(*b));
		b->next = f->blocks;
		f->blocks = b;
	}
	memcpy(b->digests[b->n++], digest, DIGEST_SIZE);
}

int
file_twice_end(struct file_twice *f, struct err *err)
{
	unsigned char digest[SHA256_SIZE];

	if (!sha256_end(&f->sha256, digest))
		return err_internal(err, 500, "SHA-256: OpenSSL fails");
	if (!f->again)
		keep(f, digest);
	else if (!known(f, digest))
		return tar_path_refuse(slice_of(f->path, f->path_n),
		    "the crate already has this path, with other bytes or in other case", err);
	return 0;
}
