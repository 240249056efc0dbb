#include "crate/manifest/targets.h"

#include <string.h>

#include "base/excerpt.h"
#include "base/scan.h"

/* A folder in which each NAME.rs and each NAME/main.rs is a target. */
static const struct {
	const char *folder;
	enum target_kind kind;
} folders[] = {
	{ "src/bin/", TARGET_BIN },
	{ "examples/", TARGET_EXAMPLE },
	{ "tests/", TARGET_TEST },
	{ "benches/", TARGET_BENCH },
};

static bool
ends_with(struct slice s, const char *end)
{
	size_t n = strlen(end);

	return s.n > n && memcmp(s.p + s.n - n, end, n) == 0;
}

void
targets_note(bool found[TARGET__MAX], struct slice path)
{
	found[TARGET_LIB] |= slice_is(path, "src/lib.rs");
	found[TARGET_BIN] |= slice_is(path, "src/main.rs");
	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++) {
		size_t n = strlen(folders[i].folder);
		struct slice rest = path;
		const char *slash;

		if (!slice_has_prefix(path, folders[i].folder))
			continue;
		scan_skip(&rest, n);
		slash = memchr(rest.p, '/', rest.n);
		if (slash == NULL ? ends_with(rest, ".rs")
		    : slash > rest.p && slice_is(slice_of(slash, (size_t)(rest.p + rest.n - slash)), "/main.rs"))
			found[folders[i].kind] = true;
	}
}

/* The path without `.` and `..`, with slashes; NULL: it leads out of the folder. */
static const char *
path_clean(struct arena *a, const char *path)
{
	char *out = arena_alloc(a, strlen(path) + 2);
	size_t n = 0;

	while (*path != '\0') {
		size_t length = strcspn(path, "/\\");
		struct slice part = slice_of(path, length);

		path += length + (path[length] != '\0');
		if (part.n == 0 || slice_is(part, "."))
			continue;
		if (slice_is(part, "..")) {
			if (n == 0)
				return NULL;
			while (n > 0 && out[--n] != '/')
				;
			continue;
		}
		if (n > 0)
			out[n++] = '/';
		memcpy(out + n, part.p, part.n);
		n += part.n;
	}
	out[n] = '\0';
	return out;
}

/* Edition 2015 took src/NAME.rs for the library as well. */
static bool
has_legacy_lib(struct arena *a, const struct package *pkg, bool (*has)(void *, const char *), void *arg)
{
	const char *name = pkg->targets.lib_name != NULL ? pkg->targets.lib_name : pkg->name;
	char *path = arena_printf(a, "src/%s.rs", name);

	for (char *p = path; *p != '\0'; p++) {
		if (*p == '-')
			*p = '_';
	}
	return (pkg->edition == NULL || strcmp(pkg->edition, "2015") == 0) && has(arg, path);
}

static int
check_lib(struct arena *a, const struct package *pkg, bool (*has)(void *, const char *), void *arg,
    struct err *err)
{
	const char *path = pkg->targets.lib_path;
	const char *clean = path_clean(a, path != NULL ? path : "src/lib.rs");

	if ((clean != NULL && has(arg, clean)) || (path == NULL && has_legacy_lib(a, pkg, has, arg)))
		return 0;
	path = path != NULL ? path : "src/lib.rs";
	return err_set(err, 400,
	    "`Cargo.toml` has a library, but its file `%.*s` is not in the crate; check `include` and "
	    "`exclude`", excerpt(slice_str(path)), path);
}

int
targets_check(struct arena *a, const struct package *pkg, const bool found[TARGET__MAX],
    bool (*has)(void *arg, const char *path), void *arg, struct err *err)
{
	if (pkg->has_lib)
		return check_lib(a, pkg, has, arg, err);
	if (pkg->targets.declared)
		return 0;
	for (int kind = 0; kind < TARGET__MAX; kind++) {
		if (found[kind] && !pkg->targets.manual[kind])
			return 0;
	}
	return err_set(err, 400,
	    "the crate has no target; add src/lib.rs or src/main.rs, or a [lib] or [[bin]] section in "
	    "`Cargo.toml`");
}
