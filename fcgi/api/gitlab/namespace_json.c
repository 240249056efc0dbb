#include "api/gitlab/namespace_json.h"

#include "base/buf.h"
#include "crate/registry_config.h"

/* "a / b" of "a/b". */
static const char *
spaced(struct json_out *o, const char *path)
{
	struct buf b;

	buf_init(&b, o->b->arena, 3 * strlen(path));
	for (; *path != '\0'; path++) {
		if (*path == '/')
			buf_puts(&b, " / ");
		else
			buf_putc(&b, *path);
	}
	return buf_str(&b);
}

/* Its page.  No path has a character that an address encodes. */
static void
put_url(struct json_out *o, const char *external_url, const char *kind, const char *path)
{
	json_out_key_str(o, "web_url", arena_printf(o->b->arena, "%s/-/%s/%s", external_url, kind, path));
}

void
namespace_json_project(struct json_out *o, const struct project_entry *p, const char *external_url)
{
	json_out_key_int(o, "id", p->id);
	json_out_key_str(o, "description", NULL);
	json_out_key_str(o, "name", p->path);
	json_out_key_str(o, "name_with_namespace", spaced(o, p->full_path));
	json_out_key_str(o, "path", p->path);
	json_out_key_str(o, "path_with_namespace", p->full_path);
	json_out_key_str(o, "created_at", p->created_at);
	json_out_key_str(o, "visibility", p->visibility);
	put_url(o, external_url, "projects", p->full_path);
	json_out_key_bool(o, "archived", false);
	json_out_key_bool(o, "packages_enabled", p->packages_enabled);
	json_out_key_str(o, "package_registry_access_level",
	    !p->packages_enabled ? "disabled" : p->public_packages ? "public" : "enabled");
	json_out_key(o, "namespace");
	json_out_open(o, '{');
	json_out_key_int(o, "id", p->group.id);
	json_out_key_str(o, "name", p->group.path);
	json_out_key_str(o, "path", p->group.path);
	json_out_key_str(o, "kind", "group");
	json_out_key_str(o, "full_path", p->group.full_path);
	json_out_key_id(o, "parent_id", p->group.parent_id);
	put_url(o, external_url, "groups", p->group.full_path);
	json_out_close(o, '}');
}

void
namespace_json_group(struct json_out *o, const struct group_entry *g, const char *external_url)
{
	json_out_key_int(o, "id", g->id);
	json_out_key_str(o, "name", g->path);
	json_out_key_str(o, "path", g->path);
	json_out_key_str(o, "description", NULL);
	json_out_key_str(o, "full_name", spaced(o, g->full_path));
	json_out_key_str(o, "full_path", g->full_path);
	json_out_key_id(o, "parent_id", g->parent_id);
	json_out_key_str(o, "created_at", g->created_at);
	put_url(o, external_url, "groups", g->full_path);
	json_out_key_str(o, "cargo_index_url",
	    arena_printf(o->b->arena, "sparse+%s/", registry_group_url(o->b->arena, external_url, g->id)));
}
