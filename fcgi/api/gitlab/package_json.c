#include "api/gitlab/package_json.h"

#include <inttypes.h>

#include "access/naming.h"
#include "base/url.h"

/* "name-1.0.0.crate", of what the tables bound. */
enum { FILE_NAME_SIZE = 256, PATH_SIZE = 128 };

static void
put_pipeline(struct json_out *o, const struct package_pipeline *p)
{
	json_out_open(o, '{');
	json_out_key_int(o, "id", p->id);
	json_out_key_id(o, "project_id", p->project_id);
	/* what became of it, only its own server knows */
	json_out_key_str(o, "status", NULL);
	json_out_key_str(o, "ref", p->ref);
	json_out_key_str(o, "sha", p->commit);
	json_out_key_str(o, "web_url", naming_clean_url(p->job_url));
	json_out_key_str(o, "created_at", p->created_at);
	json_out_key_str(o, "updated_at", p->created_at);
	json_out_key(o, "user");
	json_out_open(o, '{');
	json_out_key_id(o, "id", p->user_id);
	json_out_key_str(o, "username", p->username);
	json_out_key_str(o, "name", p->user_name);
	json_out_key_str(o, "state", p->user_state);
	json_out_close(o, '}');
	json_out_close(o, '}');
}

void
package_json_pipelines(struct json_out *o, const struct package_entry *e,
    const struct package_audience *who)
{
	json_out_open(o, '[');
	if (e->pipeline.id != 0 && who->sees_pipelines)
		put_pipeline(o, &e->pipeline);
	json_out_close(o, ']');
}

static void
put_tags_and_pipelines(struct json_out *o, const struct package_entry *e,
    const struct package_audience *who)
{
	json_out_key(o, "tags");
	json_out_open(o, '[');
	json_out_close(o, ']');
	json_out_key(o, "pipelines");
	package_json_pipelines(o, e, who);
}

/*
 * The page of the version, where it has one: a version that is hidden, or in error, is there for the API
 * alone.  No part of it has a character that an address encodes.
 */
static const char *
web_path(struct arena *a, const struct package_entry *e, const char *api_path)
{
	if (strcmp(e->status, "default") != 0 && strcmp(e->status, "deprecated") != 0)
		return api_path;
	return arena_printf(a, "/-/projects/%s/-/crates/%s/%s", e->project_path, e->name, e->version);
}

static void
put_links(struct json_out *o, const struct package_entry *e, const struct package_audience *who)
{
	char path[PATH_SIZE];

	snprintf(path, sizeof(path), "/api/v4/projects/%" PRId64 "/packages/%" PRId64,
	    e->project_id, e->id);
	json_out_key(o, "_links");
	json_out_open(o, '{');
	json_out_key_str(o, "web_path", arena_printf(o->b->arena, "%s%s", url_path(who->external_url),
	        web_path(o->b->arena, e, path)));
	if (who->can_delete)
		json_out_key_str(o, "delete_api_path",
		    arena_printf(o->b->arena, "%s%s", who->external_url, path));
	json_out_close(o, '}');
}

void
package_json_members(struct json_out *o, const struct package_entry *e,
    const struct package_audience *who)
{
	json_out_key_int(o, "id", e->id);
	json_out_key_str(o, "name", e->name);
	json_out_key_str(o, "version", e->version);
	json_out_key_str(o, "package_type", "cargo");
	json_out_key_str(o, "status", e->status);
	/* who looks for why something should not be used looks here */
	json_out_key_str(o, "status_message",
	    e->status_message != NULL ? e->status_message : e->yank_message);
	put_links(o, e, who);
	json_out_key_str(o, "created_at", e->created_at);
	json_out_key_str(o, "last_downloaded_at", e->last_downloaded_at);
	json_out_key_id(o, "creator_id", who->sees_pipelines ? e->creator_id : 0);
	if (who->of_group) {
		json_out_key_int(o, "project_id", e->project_id);
		json_out_key_str(o, "project_path", e->project_path);
	}
	json_out_key_bool(o, "yanked", e->yanked);
	json_out_key_str(o, "yank_message", e->yank_message);
	put_tags_and_pipelines(o, e, who);
}

void
package_json_version(struct json_out *o, const struct package_entry *e,
    const struct package_audience *who)
{
	json_out_open(o, '{');
	json_out_key_int(o, "id", e->id);
	json_out_key_str(o, "version", e->version);
	json_out_key_str(o, "created_at", e->created_at);
	put_tags_and_pipelines(o, e, who);
	json_out_close(o, '}');
}

void
package_json_file(struct json_out *o, const struct package_entry *e,
    const struct package_audience *who)
{
	char name[FILE_NAME_SIZE];

	snprintf(name, sizeof(name), "%s-%s.crate", e->name, e->version);
	json_out_open(o, '{');
	json_out_key_int(o, "id", e->id);
	json_out_key_int(o, "package_id", e->id);
	json_out_key_str(o, "created_at", e->created_at);
	json_out_key_str(o, "file_name", name);
	json_out_key_int(o, "size", e->size);
	json_out_key_str(o, "file_md5", NULL);
	json_out_key_str(o, "file_sha1", NULL);
	json_out_key_str(o, "file_sha256", e->cksum);
	json_out_key(o, "pipelines");
	package_json_pipelines(o, e, who);
	json_out_close(o, '}');
}
