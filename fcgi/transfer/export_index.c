#include "transfer/export_index.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hex.h"
#include "base/json.h"
#include "base/sha256.h"
#include "crate/crate_name.h"
#include "crate/semver.h"
#include "store/package/crate.h"
#include "transfer/import_files.h"

int
export_index_read(struct arena *a, int root, const char *dir, const char *index, const char *path,
    struct slice *text, struct err *err)
{
	const char *below = arena_printf(a, "%s/%s", index, path);

	*text = slice_str("");
	if (faccessat(root, below, F_OK, AT_SYMLINK_NOFOLLOW) == -1 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	return import_files_read(a, arena_printf(a, "%s/%s", dir, below), CRATE_INDEX_MAX, text, err);
}

static int
compare(const void *left, const void *right)
{
	const struct export_named *a = left, *b = right;
	int order = strcmp(a->name, b->name);

	return order != 0 ? order : strcmp(a->version, b->version);
}

static bool
read_line(struct arena *a, struct slice line, struct export_named *out)
{
	static const char what[] = "a line of the index";
	struct err wrong = { 0 };
	struct json_get get = { NULL, what, &wrong };
	unsigned char digest[SHA256_SIZE];
	struct semver semver;

	return json_parse(a, line, what, &get.obj, &wrong) == 0 &&
	    json_get_str(&get, "name", true, &out->name) == 0 &&
	    json_get_str(&get, "vers", true, &out->version) == 0 &&
	    json_get_str(&get, "cksum", true, &out->cksum) == 0 &&
	    hex_decode(slice_str(out->cksum), digest, sizeof(digest)) &&
	    crate_name_check(slice_str(out->name), "crate", &wrong) == 0 &&
	    semver_parse(slice_str(out->version), &semver, &wrong) == 0;
}

bool
export_index_next(struct arena *a, struct slice *rest, struct slice *line, struct export_named *named)
{
	const char *end = memchr(rest->p, '\n', rest->n);
	size_t n = end == NULL ? rest->n : (size_t)(end - rest->p), used = n + (end != NULL);

	*line = slice_of(rest->p, n);
	*rest = slice_of(rest->p + used, rest->n - used);
	return read_line(a, *line, named);
}

struct export_names
export_index_parse(struct arena *a, struct slice text)
{
	struct export_names names = { .n = 0 };
	struct slice line;
	size_t lines = 1;

	for (size_t i = 0; i < text.n; i++)
		lines += text.p[i] == '\n';
	names.v = arena_calloc(a, lines, sizeof(*names.v));
	while (text.n > 0)
		names.n += export_index_next(a, &text, &line, &names.v[names.n]);
	if (names.n > 1)
		qsort(names.v, names.n, sizeof(*names.v), compare);
	return names;
}

const struct export_named *
export_names_find(const struct export_names *names, const char *name, const char *version)
{
	const struct export_named wanted = { .name = name, .version = version };

	return names->n == 0 ? NULL : bsearch(&wanted, names->v, names->n, sizeof(wanted), compare);
}
