#include "crate/inspect/inspect.h"

#include <assert.h>

#include "tarball.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An even first byte: the crate itself follows.  An odd one: a tar archive, to be compressed. */
static struct slice
crate_of(struct arena *a, const uint8_t *data, size_t size)
{
	struct slice rest = slice_of((const char *)data + 1, size - 1);

	return data[0] % 2 == 0 ? rest : tarball_gzip(a, tarball_sealed(a, rest), 1);
}

static int
read_through(struct inspect *in, struct slice crate, size_t step, struct verdict *verdict, struct err *err)
{
	while (crate.n > 0) {
		size_t n = crate.n < step ? crate.n : step;

		if (inspect_push(in, slice_of(crate.p, n), err) == -1)
			return -1;
		crate = slice_of(crate.p + n, crate.n - n);
	}
	return inspect_end(in, verdict, err);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct inspect_limits limits = { .max_unpacked = 1 << 20, .max_entries = 20 };
	struct verdict verdict = { .accepted = false }, other = { .accepted = false };
	struct err err = { 0 }, why = { 0 };
	struct arena *a;
	struct inspect *in, *once;
	struct slice crate;
	size_t step;
	int rc;

	if (size == 0)
		return 0;
	a = arena_new();
	crate = crate_of(a, data, size);
	step = (size_t)data[0] * 16 + 1;
	in = inspect_new(a, &limits);
	rc = read_through(in, crate, step, &verdict, &err);
	/* the same where the crate is read again only if a path comes twice */
	once = inspect_new(a, &limits);
	inspect_expect_once(once);
	if (read_through(once, crate, step, &other, &why) == -1 && inspect_repeats(once)) {
		err_clear(&why);
		(void)read_through(once, crate, step, &other, &why);
	}
	assert(why.status == err.status && strcmp(why.pub, err.pub) == 0 && other.accepted == verdict.accepted);
	assert(verdict.accepted == (rc == 0));
	assert(rc == 0 ? err.status == 0 : err.status == 400 && err.pub[0] != '\0');
	assert(rc == -1 || (verdict.package.name != NULL && verdict.package.version != NULL));
	assert(rc == -1 || (verdict.entries > 0 && verdict.unpacked_size < 1 << 20));
	arena_free(a);
	return 0;
}
