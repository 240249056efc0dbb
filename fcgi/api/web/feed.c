#include "api/web/feed.h"

#include <string.h>

#include "api/web/feed_xml.h"
#include "api/web/templates.h"
#include "api/web/web_session.h"
#include "base/hex.h"
#include "base/sha256.h"
#include "crate/crate_name.h"
#include "http/accept.h"

enum { ENTRIES = 50, FEED_MAX = 1 << 20 };

const struct route_policy feed_policy = { .action = ACTION_READ_PACKAGE,
	.namespace_kind = NAMESPACE_PROJECT,
	.flag = FLAG_CARGO,
	.is_page = true };

/*
 * The ETag is a digest of the text, for both forms: accept_has_etag() ignores the suffix that tells them
 * apart.
 */
static int
respond(struct call *call, struct request *rq, struct response *rs, struct slice xml)
{
	/* a private feed is not compressed, as a private page */
	bool is_public = access_is_public(&call->facts) && call->facts.token_id == 0;
	bool gzip = is_public && accept_gzip(request_header(rq, "HTTP_ACCEPT_ENCODING"));
	unsigned char digest[SHA256_SIZE];
	char etag[2 * SHA256_SIZE + 1];

	if (!sha256_digest(xml.p, xml.n, digest))
		return err_internal(&rq->err, 500, "OpenSSL does not digest a feed");
	hex_encode(digest, sizeof(digest), etag);
	response_header(rs, "Cache-Control", is_public ? "public, no-cache" : "private, no-cache");
	response_header(rs, "Vary", "Authorization, Accept-Encoding, Cookie");
	response_header(rs, "ETag", arena_printf(rq->arena, "\"%s%s\"", etag, gzip ? "" : ACCEPT_ETAG_PLAIN));
	if (accept_has_etag(rq->arena, request_header(rq, "HTTP_IF_NONE_MATCH"), etag)) {
		rs->status = 304;
		return 0;
	}
	if (gzip) {
		if (web_session_compress(rq, &xml) == -1)
			return -1;
		response_header(rs, "Content-Encoding", "gzip");
	}
	response_body(rs, 200, "application/atom+xml; charset=utf-8", xml);
	return 0;
}

/* crate: NULL: all of the project. */
static int
feed(struct call *call, struct request *rq, struct response *rs, const char *crate)
{
	static const char *const endings[PAGE_FEED_KINDS] = { [PAGE_FEED_PUBLISH] = "",
		[PAGE_FEED_UNTIMED] = " is imported",
		[PAGE_FEED_YANK] = " is yanked",
		[PAGE_FEED_UNYANK] = " is no longer yanked" };
	struct feed_xml f = { .endings = endings };
	struct slice name = slice_str(crate != NULL ? crate : "");
	struct page_rows rows;
	struct buf xml;
	int rc;

	if (!flag_is_on(FLAG_WEB_PAGES, call->facts.flags, 0))
		return err_set(&rq->err, 404, "Not Found");
	do
		rc = page_rows_feed(replica_choose(&call->replica), rq->arena, call->facts.project_id,
		    crate != NULL ? crate_name_normalize(rq->arena, name) : NULL, ENTRIES, &rows, &rq->err);
	while (replica_again(&call->replica));
	if (rc == -1)
		return -1;
	f.entries = page_rows_of(&rows, "entry");
	if (crate != NULL && f.entries.n == 0)
		return err_set(&rq->err, 404, "Not Found");
	/* as it was published first, however the address spells it */
	f.crate = crate != NULL ? f.entries.v[0].name : NULL;
	f.url = call->app->settings->external_url;
	f.registry = call_registry_url(call, rq->arena);
	f.path = call->facts.full_path;
	f.updated = f.entries.n > 0 ? f.entries.v[0].at : page_rows_of(&rows, "since").v[0].at;
	buf_init(&xml, rq->arena, FEED_MAX);
	xml_feed(&xml, &f);
	if (buf_full(&xml))
		return err_internal(&rq->err, 500, "the feed is longer than %d bytes", FEED_MAX);
	return respond(call, rq, rs, buf_slice(&xml));
}

int
feed_project(struct call *call, struct request *rq, struct response *rs)
{
	return feed(call, rq, rs, NULL);
}

int
feed_crate(struct call *call, struct request *rq, struct response *rs)
{
	struct slice name = request_param(rq, "crate");
	struct err wrong = { 0 };

	if (crate_name_check(name, "crate", &wrong) == -1)
		return err_set(&rq->err, 404, "Not Found");
	return feed(call, rq, rs, arena_slicedup(rq->arena, name));
}
