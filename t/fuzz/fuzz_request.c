/*
 * Input: the query parameter's name, which is also the length and the id that nginx passes, a newline, the
 * request URI.  Whatever the URI is, what request_read lets through keeps the promises of its header.
 */

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "fake_fcgi.h"
#include "http/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
segment_verify(const struct segment *seg, bool plain)
{
	bool slash = false;

	for (size_t i = 0; i < seg->text.n; i++) {
		unsigned char c = (unsigned char)seg->text.p[i];

		assert(c >= 0x20 && c != 0x7f && c != '\\' && (c < 0x80 || !plain));
		slash |= c == '/';
	}
	assert(slash == seg->slash);
	assert(seg->text.n > 0 && utf8_valid(seg->text));
	assert(!slice_is(seg->text, ".") && !slice_is(seg->text, ".."));
	assert(!slice_has_prefix(seg->text, "../") && !slice_has_prefix(seg->text, "/"));
}

static void
request_verify(struct request *rq, int rc)
{
	size_t id = strspn(rq->id, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._-");

	assert(id >= 8 && id < REQUEST_ID_SIZE && rq->id[id] == '\0');
	assert(rq->raw_path.n <= REQUEST_PATH_MAX && rq->query.n <= REQUEST_QUERY_MAX);
	assert(rq->nplain <= REQUEST_SEGMENTS_MAX && rq->nplain <= rq->nsegments);
	if (rc == -1) {
		assert(rq->err.status >= 400 && rq->err.status <= 414 && rq->err.pub[0] != '\0');
		assert(utf8_valid(slice_str(rq->err.pub)));
		return;
	}
	assert(rq->raw_path.n > 0 && rq->raw_path.p[0] == '/');
	for (size_t i = 0; i < rq->nsegments; i++)
		segment_verify(&rq->segments[i], i < rq->nplain);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	char *text = arena_strndup(arena, (const char *)data, size);
	char *uri = strchr(text, '\n');
	struct fcgi_conn *conn = calloc(1, sizeof(*conn));
	struct request rq;
	const char *value;

	assert(conn != NULL);
	if (uri != NULL) {
		*uri++ = '\0';
		conn->params[0] = "REQUEST_URI";
		conn->params[1] = uri;
		conn->params[2] = "CONTENT_LENGTH";
		conn->params[3] = text;
		conn->params[4] = "REQUEST_ID";
		conn->params[5] = text;
		request_verify(&rq, request_read(&rq, arena, conn, 60));
		if (request_query(&rq, text, &value) == 0)
			assert(value == NULL || utf8_valid(slice_str(value)));
	}
	free(conn);
	arena_free(arena);
	return 0;
}
