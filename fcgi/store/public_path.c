#include "store/public_path.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

int
public_path_index(char path[PUBLIC_PATH_SIZE], const char *below, int64_t project_id,
    const char *name, struct err *err)
{
	struct arena *a;

	if (crate_name_check(slice_str(name), "crate", err) == -1)
		return -1;
	a = arena_new();
	snprintf(path, PUBLIC_PATH_SIZE, "%s%" PRId64 "/%s", below, project_id,
	    crate_name_index_path(a, slice_str(crate_name_lower(a, slice_str(name)))));
	arena_free(a);
	return 0;
}

int
public_path_public_index(char path[PUBLIC_PATH_SIZE], int64_t project_id, const char *name,
    struct err *err)
{
	size_t n;

	if (public_path_index(path, "tree/index/", project_id, name, err) == -1)
		return -1;
	n = strlen(path);
	snprintf(path + n, PUBLIC_PATH_SIZE - n, ".gz");
	return 0;
}

int
public_path_crate(char path[PUBLIC_PATH_SIZE], int64_t project_id, const char *name,
    struct err *err)
{
	if (crate_name_check(slice_str(name), "crate", err) == -1)
		return -1;
	snprintf(path, PUBLIC_PATH_SIZE, "tree/crates/%" PRId64 "/%s", project_id, name);
	return 0;
}

/* A part of a path, whoever has sent it. */
static bool
is_generation(const char *s)
{
	return s[0] != '\0' && strspn(s, "0123456789abcdef-") == strlen(s);
}

/* tree/kept/GENERATION/7/se/rd/serde */
static int
kept_path(char path[PUBLIC_PATH_SIZE], const struct public_want *w, struct err *err)
{
	char below[sizeof("tree/kept/") + ACCESS_GENERATION_SIZE];

	snprintf(below, sizeof(below), "tree/kept/%s/", w->generation);
	return public_path_index(path, below, w->project_id, w->name, err);
}

/* tree/crates/7/Serde/1.0.0, or tree/signed/GENERATION/7/Serde/1.0.0 */
static int
version_path(char path[PUBLIC_PATH_SIZE], const struct public_want *w, struct err *err)
{
	struct semver version;

	if (semver_parse(slice_str(w->version), &version, err) == -1 ||
	    crate_name_check(slice_str(w->name), "crate", err) == -1)
		return -1;
	snprintf(path, PUBLIC_PATH_SIZE, "tree/%s%s/%" PRId64 "/%s/%s",
	    w->generation[0] == '\0' ? "crates" : "signed/", w->generation, w->project_id, w->name,
	    w->version);
	return 0;
}

int
public_path_want(char path[PUBLIC_PATH_SIZE], const struct public_want *w, struct err *err)
{
	if (w->generation[0] != '\0' && !is_generation(w->generation))
		return err_internal(err, 500, "public_dir: no generation");
	if (w->version[0] != '\0')
		return version_path(path, w, err);
	if (w->generation[0] != '\0')
		return kept_path(path, w, err);
	if (w->name[0] != '\0')
		return public_path_public_index(path, w->project_id, w->name, err);
	snprintf(path, PUBLIC_PATH_SIZE, "tree/index/%" PRId64 "/config.json", w->project_id);
	return 0;
}
