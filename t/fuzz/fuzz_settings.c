/* A configuration file.  What can be loaded is the same after it was printed, and after it was saved. */

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "config/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* No variable of the environment has such a beginning. */
static const char none[] = "=";

static int
load(struct arena *a, struct slice text, struct settings *s, struct err *err)
{
	const char **origins = arena_calloc(a, settings_nkeys, sizeof(*origins));
	int fd = memfd_create("settings", MFD_CLOEXEC);
	const struct conf_source from = { arena_printf(a, "/proc/self/fd/%d", fd), none };
	int rc;

	assert(fd != -1 && write(fd, text.p, text.n) == (ssize_t)text.n);
	*s = (struct settings) { .origins = origins };
	rc = conf_load(a, settings_keys, settings_nkeys, &from, s, origins, err);
	close(fd);
	return rc;
}

static void
save(FILE *f, const struct settings *s)
{
	conf_save(f, settings_keys, settings_nkeys, s);
}

static void
mask(FILE *f, const char *value)
{
	fputs(value[0] != '\0' ? "masked" : "", f);
}

static void
print(FILE *f, const struct settings *s)
{
	conf_print(f, settings_keys, settings_nkeys, s, NULL, mask);
}

/* What the function writes, in the arena. */
static struct slice
written(struct arena *a, void (*fn)(FILE *, const struct settings *), const struct settings *s)
{
	struct slice text;
	char *p = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&p, &n);

	assert(f != NULL);
	fn(f, s);
	assert(fclose(f) == 0);
	text = slice_of(arena_strndup(a, p, n), n);
	free(p);
	return text;
}

/* Of what has a password in it something else is printed. */
static void
unmask(struct settings *again, const struct settings *s)
{
	for (size_t i = 0; i < settings_nkeys; i++) {
		size_t offset = settings_keys[i].offset;

		if (settings_keys[i].secret || settings_keys[i].mask != NULL)
			*(const char **)(void *)((char *)again + offset) =
			    *(const char *const *)(const void *)((const char *)s + offset);
	}
}

static void
check(struct arena *a, const struct settings *s)
{
	struct slice saved = written(a, save, s);
	struct settings again = { 0 };
	struct err err = { 0 };

	assert(conf_restore(a, settings_keys, settings_nkeys, saved.p, saved.n, &again) == 0);
	assert(slice_equal(written(a, save, &again), saved));
	assert(load(a, written(a, print, s), &again, &err) == 0);
	unmask(&again, s);
	assert(slice_equal(written(a, save, &again), saved));
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct slice text = slice_of((const char *)p, n);
	struct arena *a = arena_new();
	struct err err = { 0 };
	struct settings s;

	if (load(a, text, &s, &err) == 0)
		check(a, &s);
	else
		assert(err.status == 500);
	err_clear(&err);
	s = (struct settings) { 0 };
	(void)!conf_restore(a, settings_keys, settings_nkeys, text.p, n, &s);
	arena_free(a);
	return 0;
}
