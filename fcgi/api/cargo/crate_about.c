#include "api/cargo/crate_about.h"

#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/url.h"
#include "call/params.h"
#include "store/package/crate_about.h"

enum {
	VERSIONS_MAX = 1000, /* in one answer */
	SEEK_MAX = 1000000,
	RESPONSE_MAX = 16 << 20 /* store/package/crate_about.h bounds what is written, before it is escaped */
};

const struct route_policy crate_about_policy = { .action = ACTION_READ_PACKAGE,
	.flag = FLAG_CARGO };

bool
crate_about_accepts(const struct request *rq)
{
	return !slice_is(request_param(rq, "crate"), "new");
}

/* What goes along with a crate. */
enum {
	WITH_VERSIONS = 1 << 0,
	WITH_KEYWORDS = 1 << 1,
	WITH_CATEGORIES = 1 << 2,
	WITH_DOWNLOADS = 1 << 3,
	WITH_DEFAULT_VERSION = 1 << 4,
	WITH_ALL = WITH_VERSIONS | WITH_KEYWORDS | WITH_CATEGORIES | WITH_DOWNLOADS
};

static const struct {
	const char *word;
	unsigned with;
} includes[] = {
	{ "full", WITH_ALL },
	{ "versions", WITH_VERSIONS },
	{ "keywords", WITH_KEYWORDS },
	{ "categories", WITH_CATEGORIES },
	{ "downloads", WITH_DOWNLOADS },
	{ "default_version", WITH_DEFAULT_VERSION },
};

/* Words that are not in the table stand for what Berth does not have. */
static int
read_include(struct request *rq, unsigned *with)
{
	struct params params = { .rq = rq, .form = slice_str("") };
	const char *list = NULL;

	if (params_str(&params, "include", &list) == -1)
		return -1;
	*with = list == NULL ? WITH_ALL : 0;
	while (list != NULL && *list != '\0') {
		size_t n = strcspn(list, ",");

		for (size_t i = 0; i < sizeof(includes) / sizeof(*includes); i++) {
			if (slice_is(slice_of(list, n), includes[i].word))
				*with |= includes[i].with;
		}
		list += n + (list[n] == ',');
	}
	return 0;
}

/* An answer under way. */
struct about_out {
	struct json_out o;
	struct buf b;
	struct request *rq;
	const char *root; /* the registry's path */
	bool sees_publishers;
};

/* Do not move the answer from here on: `o` points into it. */
static void
out_begin(struct about_out *out, const struct call *call, struct request *rq)
{
	const char *host = strstr(call_registry_url(call, rq->arena), "://") + strlen("://");

	out->rq = rq;
	out->root = host + strcspn(host, "/");
	out->sees_publishers = app_may(&call->facts, ACTION_READ_PIPELINES);
	buf_init(&out->b, rq->arena, RESPONSE_MAX);
	json_out_init(&out->o, &out->b);
	json_out_open(&out->o, '{');
}

static int
out_send(struct about_out *out, const struct call *call, struct response *rs)
{
	json_out_close(&out->o, '}');
	if (buf_full(&out->b))
		return err_internal(&out->rq->err, 500, "the answer is longer than %d "
		    "bytes", RESPONSE_MAX);
	call_cache_headers(call, rs, access_is_public(&call->facts));
	response_body(rs, 200, "application/json", buf_slice(&out->b));
	return 0;
}

static void
put_raw(struct json_out *o, const char *key, const char *json)
{
	json_out_key(o, key);
	json_out_raw(o, slice_str(json));
}

static void
put_null(struct json_out *o, const char *key)
{
	json_out_key_str(o, key, NULL);
}

static void
put_publisher(struct about_out *out, const struct about_version *v)
{
	if (!out->sees_publishers || v->user_id == 0) {
		put_null(&out->o, "published_by");
		return;
	}
	json_out_key(&out->o, "published_by");
	json_out_open(&out->o, '{');
	json_out_key_int(&out->o, "id", v->user_id);
	json_out_key_str(&out->o, "login", v->username);
	json_out_key_str(&out->o, "name", v->user_name);
	put_null(&out->o, "avatar");
	put_null(&out->o, "url");
	json_out_close(&out->o, '}');
}

/* Tools make a link of it: what is none is not told. */
static void
put_link(struct json_out *o, const char *key, const char *url)
{
	json_out_key_str(o, key, url != NULL && url_is_web(slice_str(url)) ? url : NULL);
}

static void
put_urls(struct json_out *o, const char *description, const char *homepage,
    const char *documentation, const char *repository)
{
	json_out_key_str(o, "description", description);
	put_link(o, "homepage", homepage);
	put_link(o, "documentation", documentation);
	put_link(o, "repository", repository);
}

static void
put_version(struct about_out *out, const struct about_version *v)
{
	struct json_out *o = &out->o;

	json_out_open(o, '{');
	json_out_key_int(o, "id", v->id);
	json_out_key_str(o, "crate", v->crate);
	json_out_key_str(o, "num", v->version);
	json_out_key_str(o, "dl_path",
	    arena_printf(out->rq->arena, "%s/%s/%s/download", out->root, v->crate, v->version));
	json_out_key_str(o, "created_at", v->published_at);
	json_out_key_str(o, "updated_at", v->published_at);
	json_out_key_int(o, "downloads", v->downloads);
	put_raw(o, "features", v->features);
	json_out_key_bool(o, "yanked", v->yanked);
	json_out_key_str(o, "yank_message", v->yank_message);
	json_out_key_str(o, "lib_links", v->links);
	json_out_key_str(o, "license", v->license);
	json_out_key_int(o, "crate_size", v->size);
	put_publisher(out, v);
	json_out_key_str(o, "checksum", v->cksum);
	json_out_key_str(o, "rust_version", v->rust_version);
	json_out_key_bool(o, "has_lib", v->has_lib);
	put_raw(o, "bin_names", v->bins);
	json_out_key_str(o, "edition", v->edition);
	put_urls(o, v->description, v->homepage, v->documentation, v->repository);
	json_out_close(o, '}');
}

/* Versions after the first `from`, `limit` at most; *next is how many come before the next page. */
static int
put_versions(struct about_out *out, struct call *call, const struct about_crate *c, size_t from,
    size_t limit, size_t *next)
{
	struct request *rq = out->rq;
	size_t n = from >= c->n ? 0 : c->n - from;
	struct about_version *versions;
	int64_t *ids;

	if (n > limit)
		n = limit;
	ids = arena_calloc(rq->arena, n, sizeof(*ids));
	for (size_t i = 0; i < n; i++)
		ids[i] = c->numbers[from + i].id;
	if (crate_about_versions(replica_choose(&call->replica), rq->arena, ids, n, &versions, &n, &rq->err) == -1)
		return -1;
	json_out_key(&out->o, "versions");
	json_out_open(&out->o, '[');
	for (size_t i = 0; i < n; i++)
		put_version(out, &versions[i]);
	json_out_close(&out->o, ']');
	*next = from + n;
	return 0;
}

/* The highest that is not yanked and, if so asked, no pre-release; NULL: none. */
static const char *
highest(const struct about_crate *c, bool stable)
{
	for (size_t i = 0; i < c->n; i++) {
		if (!c->numbers[i].yanked && (!stable || c->numbers[i].semver.pre.n == 0))
			return c->numbers[i].version;
	}
	return NULL;
}

/* The last that was published and is not yanked; NULL: none. */
static const char *
newest(const struct about_crate *c)
{
	const struct about_number *last = NULL;

	for (size_t i = 0; i < c->n; i++) {
		if (!c->numbers[i].yanked && (last == NULL || c->numbers[i].id > last->id))
			last = &c->numbers[i];
	}
	return last == NULL ? NULL : last->version;
}

static void
put_numbers(struct json_out *o, const struct about_crate *c)
{
	const char *max = highest(c, false), *new = newest(c);

	json_out_key_str(o, "default_version", c->shown);
	json_out_key_int(o, "num_versions", (int64_t)c->n);
	json_out_key_bool(o, "yanked", c->shown_is_yanked);
	json_out_key_str(o, "max_version", max != NULL ? max : c->shown);
	json_out_key_str(o, "newest_version", new != NULL ? new : c->shown);
	json_out_key_str(o, "max_stable_version", highest(c, true));
}

static void
put_ids(struct json_out *o, const struct about_crate *c)
{
	json_out_key(o, "versions");
	json_out_open(o, '[');
	for (size_t i = 0; i < c->n && i < VERSIONS_MAX; i++)
		json_out_int(o, c->numbers[i].id);
	json_out_close(o, ']');
}

static int
put_downloads(struct about_out *out, struct call *call, const struct about_crate *c, unsigned with)
{
	int64_t all, recent;

	if (!(with & WITH_DOWNLOADS)) {
		put_null(&out->o, "downloads");
		put_null(&out->o, "recent_downloads");
		return 0;
	}
	if (crate_about_downloads(replica_choose(&call->replica), out->rq->arena, c->id, &all, &recent,
	        &out->rq->err) == -1)
		return -1;
	json_out_key_int(&out->o, "downloads", all);
	json_out_key_int(&out->o, "recent_downloads", recent);
	return 0;
}

static void
put_links(struct about_out *out, const struct about_crate *c)
{
	static const char *const names[] = { "versions", "owners" };

	json_out_key(&out->o, "links");
	json_out_open(&out->o, '{');
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		json_out_key_str(&out->o, names[i], arena_printf(out->rq->arena,
		    "%s/api/v1/crates/%s/%s", out->root, c->name, names[i]));
	json_out_close(&out->o, '}');
}

static int
put_crate(struct about_out *out, struct call *call, const struct about_crate *c, unsigned with)
{
	struct json_out *o = &out->o;

	json_out_key(o, "crate");
	json_out_open(o, '{');
	json_out_key_str(o, "id", c->name);
	json_out_key_str(o, "name", c->name);
	json_out_key_str(o, "created_at", c->created_at);
	json_out_key_str(o, "updated_at", c->updated_at);
	if (with & WITH_VERSIONS)
		put_ids(o, c);
	else
		put_null(o, "versions");
	put_raw(o, "keywords", with & WITH_KEYWORDS ? c->keywords : "null");
	put_raw(o, "categories", with & WITH_CATEGORIES ? c->categories : "null");
	put_raw(o, "badges", "[]");
	if (put_downloads(out, call, c, with) == -1)
		return -1;
	put_numbers(o, c);
	put_urls(o, c->description, c->homepage, c->documentation, c->repository);
	put_links(out, c);
	json_out_key_bool(o, "exact_match", false);
	json_out_close(o, '}');
	return 0;
}

/* Objects of a list of words: each has its word under these keys. */
static int
put_words(struct about_out *out, const char *name, const char *words, const char *const keys[3])
{
	struct json_object *list;
	struct json_out *o = &out->o;

	if (json_parse(out->rq->arena, slice_str(words), name, &list, &out->rq->err) == -1)
		return -1;
	json_out_key(o, name);
	json_out_open(o, '[');
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		json_out_open(o, '{');
		for (int key = 0; key < 3 && keys[key] != NULL; key++)
			json_out_key_str(o, keys[key],
			    json_object_get_string(json_object_array_get_idx(list, i)));
		json_out_close(o, '}');
	}
	json_out_close(o, ']');
	return 0;
}

/* The lists beside the crate; null: not asked for. */
static int
put_lists(struct about_out *out, struct call *call, const struct about_crate *c, unsigned with)
{
	static const char *const keyword_keys[3] = { "id", "keyword" };
	static const char *const category_keys[3] = { "id", "category", "slug" };
	struct about_number shown = { .id = c->shown_id };
	struct about_crate only = { .numbers = &shown, .n = 1 };
	size_t next;

	if (with & (WITH_VERSIONS | WITH_DEFAULT_VERSION)) {
		if (put_versions(out, call, with & WITH_VERSIONS ? c : &only, 0, VERSIONS_MAX, &next) == -1)
			return -1;
	} else {
		put_null(&out->o, "versions");
	}
	if (!(with & WITH_KEYWORDS))
		put_null(&out->o, "keywords");
	else if (put_words(out, "keywords", c->keywords, keyword_keys) == -1)
		return -1;
	if (!(with & WITH_CATEGORIES))
		put_null(&out->o, "categories");
	else if (put_words(out, "categories", c->categories, category_keys) == -1)
		return -1;
	return 0;
}

static int
find_crate(struct call *call, struct request *rq, struct about_crate *c)
{
	return crate_about_find(replica_choose(&call->replica), rq->arena, call->facts.project_id,
	    request_param(rq, "crate"), c, &rq->err);
}

static int
answer_crate(struct call *call, struct request *rq, struct response *rs)
{
	struct about_crate c;
	struct about_out out;
	unsigned with;

	if (read_include(rq, &with) == -1 || find_crate(call, rq, &c) == -1)
		return -1;
	out_begin(&out, call, rq);
	if (put_crate(&out, call, &c, with) == -1 || put_lists(&out, call, &c, with) == -1)
		return -1;
	return out_send(&out, call, rs);
}

static int
answer_versions(struct call *call, struct request *rq, struct response *rs)
{
	struct params params = { .rq = rq, .form = slice_str("") };
	int64_t limit = VERSIONS_MAX, seek = 0;
	struct about_crate c;
	struct about_out out;
	size_t next;

	if (params_int(&params, "per_page", 1, VERSIONS_MAX, &limit) == -1 ||
	    params_int(&params, "seek", 0, SEEK_MAX, &seek) == -1 || find_crate(call, rq, &c) == -1)
		return -1;
	out_begin(&out, call, rq);
	if (put_versions(&out, call, &c, (size_t)seek, (size_t)limit, &next) == -1)
		return -1;
	json_out_key(&out.o, "meta");
	json_out_open(&out.o, '{');
	json_out_key_int(&out.o, "total", (int64_t)c.n);
	json_out_key_str(&out.o, "next_page", next >= c.n ? NULL
	    : arena_printf(rq->arena, "?per_page=%" PRId64 "&seek=%zu", limit, next));
	json_out_close(&out.o, '}');
	return out_send(&out, call, rs);
}

static int
answer_version(struct call *call, struct request *rq, struct response *rs)
{
	struct about_version v;
	struct about_out out;

	if (crate_about_find_version(replica_choose(&call->replica), rq->arena, call->facts.project_id,
	        request_param(rq, "crate"), request_param(rq, "version"), &v, &rq->err) == -1)
		return -1;
	out_begin(&out, call, rq);
	json_out_key(&out.o, "version");
	put_version(&out, &v);
	return out_send(&out, call, rs);
}

/* Begins anew at the primary if the replica cannot answer. */
static int
repeat(struct call *call, struct request *rq, struct response *rs,
    int (*answer)(struct call *, struct request *, struct response *))
{
	int rc;

	do
		rc = answer(call, rq, rs);
	while (replica_again(&call->replica));
	return rc;
}

int
crate_about_handle(struct call *call, struct request *rq, struct response *rs)
{
	return repeat(call, rq, rs, answer_crate);
}

int
crate_about_handle_versions(struct call *call, struct request *rq, struct response *rs)
{
	return repeat(call, rq, rs, answer_versions);
}

int
crate_about_handle_version(struct call *call, struct request *rq, struct response *rs)
{
	return repeat(call, rq, rs, answer_version);
}
