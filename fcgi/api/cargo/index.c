#include "api/cargo/index.h"

#include <inttypes.h>
#include <string.h>

#include "api/cargo/view_kept.h"
#include "base/gzip.h"
#include "call/cache_hint.h"
#include "crate/crate_name.h"
#include "http/accept.h"
#include "store/package/crate.h"
#include "store/package/index_rebuild.h"

enum {
	/* the largest text that is expanded for clients without gzip */
	EXPANDED_MAX = 64 << 20,
	/* the most that gzip adds to text that it cannot compress */
	GZIP_OVERHEAD = 1 << 20
};
_Static_assert((int)EXPANDED_MAX <= (int)RESPONSE_BODY_MAX,
    "nginx takes each index file that is expanded");
_Static_assert((int)INDEX_REBUILD_MAX + GZIP_OVERHEAD <= (int)RESPONSE_BODY_MAX,
    "nginx takes each index file");

static const char content_type[] = "text/plain; charset=utf-8";

static bool
is_prefix(struct slice s, size_t n)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			c == '-' || c == '_'))
			return false;
	}
	return s.n == n;
}

bool
index_accepts_first(const struct request *rq)
{
	struct slice prefix = request_param(rq, "prefix");

	return is_prefix(prefix, 1) || is_prefix(prefix, 2);
}

bool
index_accepts_pairs(const struct request *rq)
{
	return is_prefix(request_param(rq, "prefix"), 2) && is_prefix(request_param(rq, "prefix2"), 2);
}

/* Does the path of the request end in these segments, in any case? */
static bool
path_ends_in(const struct request *rq, const char *path)
{
	const struct segment *s = rq->segments + rq->nsegments;
	const char *end = path + strlen(path);

	while (end > path) {
		const char *start = end;
		struct slice have = (--s)->text;

		while (start > path && start[-1] != '/')
			start--;
		if (have.n != (size_t)(end - start) || strncasecmp(have.p, start, have.n) != 0)
			return false;
		end = start > path ? start - 1 : path;
	}
	return true;
}

/*
 * Is the path a place in the index where clients look for this crate?  Dependabot takes two
 * letters as the folder of a name that has three, and leaves a name's capitals in the folders.
 */
static bool
is_index_path(const struct request *rq, struct slice name)
{
	return path_ends_in(rq, crate_name_index_path(rq->arena, name)) ||
	    (name.n == 3 &&
		path_ends_in(rq, arena_printf(rq->arena, "3/%.2s/%.3s", name.p, name.p)));
}

static int
index_read(struct request *rq, const struct namespace_ref *project, struct db_call *call)
{
	struct slice name = request_param(rq, "crate");
	struct accept_etags has;
	struct err wrong;

	/* no crate can have such a name: it is just not there, and cargo goes on */
	if (crate_name_check(name, "crate", &wrong) == -1)
		return err_set(&rq->err, 404, "Crate Not Found");
	if (!is_index_path(rq, name))
		return err_set(&rq->err, 400,
		    "Request path does not match the Cargo index layout for this package name");
	accept_etags(rq->arena, request_header(rq, "HTTP_IF_NONE_MATCH"), &has);
	/* a group's file has an ETag of its own, which the database does not know */
	if (call_is_view(rq))
		has = (struct accept_etags) { .n = 0 };
	crate_index_call(call, rq->arena, project->id, crate_name_lower(rq->arena, name), has.any,
	    has.v, has.n);
	return 0;
}

const struct route_policy index_policy = { .action = ACTION_READ_FILES,
	.flag = FLAG_CARGO, .read = index_read };

/*
 * The same ETag as nginx makes of the file in the cache, so that either knows what a client has from the
 * other.  The two forms of one file are two representations with two strong ETags, and a client
 * may send either back (accept_etags removes the suffix).
 */
static const char *
quoted_etag(struct arena *a, const struct crate_index *index, bool gzip)
{
	return arena_printf(a, "\"%" PRIx64 "-%" PRIx64 "%s\"", (uint64_t)index->time,
	    (uint64_t)index->length, gzip ? "" : ACCEPT_ETAG_PLAIN);
}

/* Answers with the uncompressed text; to HEAD only with its length. */
static int
respond_text(struct request *rq, struct response *rs, struct slice packed)
{
	size_t size = gzip_text_size(packed);
	struct slice text;

	if (size > EXPANDED_MAX)
		return err_set(&rq->err, 406,
		    "this index file has %zu bytes before it is compressed; files of more than %d are sent "
		    "only with `Accept-Encoding: gzip`", size, EXPANDED_MAX);
	if (rq->method == METHOD_HEAD) {
		response_head(rs, content_type, size);
		return 0;
	}
	if (gzip_expand(rq->arena, packed, EXPANDED_MAX, &text, &rq->err) == -1)
		return -1;
	response_body(rs, 200, content_type, text);
	return 0;
}

/* nginx answers the next one of this token.  Whoever has none leaves no marks. */
static int
refuse_absent(const struct call *call, struct request *rq)
{
	if (call->credential.kind == CREDENTIAL_TOKEN)
		cache_hint_leave(call, rq, request_param(rq, "crate"), slice_of("", 0));
	return err_set(&rq->err, 404, "Crate Not Found");
}

/* Turns the file into that of the group's registry. */
static int
show_in_group(struct call *call, struct request *rq, struct crate_index *index)
{
	struct view_file file;
	int rc;

	do {
		file = (struct view_file) { index->body, index->time };
		rc = view_kept_file(call, rq, &file);
	} while (replica_again(&call->replica));
	if (rc == -1)
		return -1;
	index->body = file.body;
	index->time = file.time;
	index->length = (int64_t)file.body.n;
	index->unchanged = accept_has_etag(rq->arena, request_header(rq, "HTTP_IF_NONE_MATCH"),
	    arena_printf(rq->arena, "%" PRIx64 "-%zx", (uint64_t)file.time, file.body.n));
	return 0;
}

int
index_handle(struct call *call, struct request *rq, struct response *rs)
{
	bool gzip = accept_gzip(request_header(rq, "HTTP_ACCEPT_ENCODING"));
	struct crate_index index;

	crate_index_read(&call->first, &index);
	if (!index.found)
		return refuse_absent(call, rq);
	if (call_is_view(rq) && show_in_group(call, rq, &index) == -1)
		return -1;
	call_cache_headers(call, rs, access_is_public(&call->facts));
	response_header(rs, "ETag", quoted_etag(rq->arena, &index, gzip));
	/* nginx leaves it to us to expand an index file */
	if (gzip)
		cache_hint_leave(call, rq, request_param(rq, "crate"), slice_of("", 0));
	if (index.unchanged) {
		rs->status = 304;
		return 0;
	}
	if (!gzip)
		return respond_text(rq, rs, index.body);
	response_header(rs, "Content-Encoding", "gzip");
	response_body(rs, 200, content_type, index.body);
	return 0;
}
