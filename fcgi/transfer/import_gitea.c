#include "transfer/import_gitea.h"

#include <string.h>

#include "base/json.h"

enum { PAGE = 50, PAGES_MAX = 100000, LIST_SIZE_MAX = 1 << 30 };

static const char what[] = "the list of packages";

/*
 * The API of the server with the index ".../api/packages/OWNER/cargo/".  NULL: no index of Gitea has this
 * URL.
 */
static const char *
api_of(struct arena *a, const char *index)
{
	static const char path[] = "/api/packages/", end[] = "/cargo/";
	const char *at = strstr(index, path), *owner;
	size_t n;

	if (at == NULL)
		return NULL;
	owner = at + strlen(path);
	n = strcspn(owner, "/");
	if (n == 0 || strcmp(owner + n, end) != 0)
		return NULL;
	return arena_printf(a, "%.*s/api/v1/packages/%.*s?type=cargo&limit=%d", (int)(at - index), index, (int)n,
	    owner, PAGE);
}

static int
add_package(struct json_object *package, struct buf *list, struct err *err)
{
	const struct json_get get = { package, what, err };
	const char *name, *version, *created_at;
	struct json_out o;

	if (!json_object_is_type(package, json_type_object))
		return err_set(err, 400, "%s: a package is not an object", what);
	if (json_get_str(&get, "name", true, &name) == -1 || json_get_str(&get, "version", true, &version) == -1 ||
	    json_get_str(&get, "created_at", true, &created_at) == -1)
		return -1;
	json_out_init(&o, list);
	json_out_open(&o, '{');
	json_out_key_str(&o, "name", name);
	json_out_key_str(&o, "vers", version);
	json_out_key_str(&o, "pubtime", created_at);
	json_out_close(&o, '}');
	buf_putc(list, '\n');
	return 0;
}

int
import_gitea_page(struct arena *a, struct slice page, struct buf *list, size_t *n, struct err *err)
{
	struct json_object *packages;

	if (json_parse(a, page, what, &packages, err) == -1)
		return -1;
	if (!json_object_is_type(packages, json_type_array))
		return err_set(err, 400, "%s is not an array", what);
	*n = json_object_array_length(packages);
	for (size_t i = 0; i < *n; i++) {
		if (add_package(json_object_array_get_idx(packages, i), list, err) == -1)
			return -1;
	}
	return 0;
}

/* A page may have fewer packages than the request asks for; only the page after the last has none. */
static int
read_pages(const struct import_remote *remote, struct arena *a, const char *url, struct buf *list,
    struct err *err)
{
	struct https_connections *connections = https_connections_new(list->arena);
	size_t n = 1;

	for (int page = 1; n > 0; page++) {
		struct slice body;

		if (page > PAGES_MAX || buf_full(list))
			return err_set(err, 400, "%s is too long", what);
		if (import_remote_get(remote, connections, a, arena_printf(a, "%s&page=%d", url, page), &body,
		        err) == -1 ||
		    import_gitea_page(a, body, list, &n, err) == -1)
			return -1;
		arena_reset(a);
	}
	return 0;
}

int
import_gitea_list(const struct import_remote *remote, struct arena *a, struct import_source *source,
    struct err *err)
{
	const char *url = api_of(a, remote->index);
	struct arena *page;
	struct buf list;
	int rc;

	if (url == NULL)
		return err_set(err, 400, "`%s` is not the index of a Gitea; use: "
		    "sparse+https://HOST/api/packages/OWNER/cargo/", remote->index);
	buf_init(&list, a, LIST_SIZE_MAX);
	page = arena_new();
	rc = read_pages(remote, page, url, &list, err);
	arena_free(page);
	return rc == -1 || import_source_list_parse(a, buf_slice(&list), what, NULL, source, err) == -1
	    ? import_remote_blame(err) : 0;
}
