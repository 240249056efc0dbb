#include "http/response.h"

#include <assert.h>
#include <string.h>

#include "base/json.h"
#include "base/utf8.h"
#include "http/fcgi.h"
#include "http/request.h"

enum {
	/* how long cargo waits before it tries again, in seconds; it caps at 10 */
	RETRY_UNAVAILABLE = 5,
	RETRY_TOO_MANY = 10,
	ERROR_BODY_MAX = 512, /* characters */
	/* what the longest error format, GitLab's or cargo's, puts around a sentence */
	ERROR_AROUND_MAX = sizeof("{\"errors\":[{\"detail\":\"\"}]}") - 1,
	ERROR_SENTENCE_MAX = ERROR_BODY_MAX - ERROR_AROUND_MAX,
	ERROR_BYTES_MAX = 4 * ERROR_BODY_MAX,
	HEAD_MAX = 64 * 1024,
	HEAD_USUAL = 512
};

void
response_init(struct response *rs, struct arena *a)
{
	*rs = (struct response) { .arena = a, .status = 200, .body = { "", 0 } };
}

/* No CR or LF: what a client chose cannot become a header of its own. */
static bool
is_printable(const char *s)
{
	for (; *s != '\0'; s++) {
		if (*s < 0x20 || *s > 0x7e)
			return false;
	}
	return true;
}

void
response_header(struct response *rs, const char *name, const char *value)
{
	assert(rs->nheaders < RESPONSE_HEADERS_MAX);
	assert(name[0] != '\0' && is_printable(name) && is_printable(value));
	rs->headers[rs->nheaders].name = name;
	rs->headers[rs->nheaders].value = value;
	rs->nheaders++;
}

void
response_body(struct response *rs, int status, const char *content_type, struct slice body)
{
	rs->status = status;
	rs->body = body;
	response_header(rs, "Content-Type", content_type);
}

void
response_head(struct response *rs, const char *content_type, size_t length)
{
	response_body(rs, 200, content_type, slice_of("", 0));
	rs->length = length;
}

/* How many characters one of a sentence is in JSON. */
static size_t
json_width(uint32_t cp)
{
	if (cp == '"' || cp == '\\' || cp == '\n')
		return 2;
	return cp < 0x20 ? sizeof("\\u0000") - 1 : 1;
}

/*
 * Cuts a sentence between characters so that a body has no more than ERROR_BODY_MAX of them, in
 * whatever the error format: it may quote all that a client has sent.
 */
static void
sentence_cut(char pub[ERR_PUB_SIZE])
{
	static const char ellipsis[] = "\xe2\x80\xa6";
	size_t n = strlen(pub), width = 0, keep = 0, len;
	uint32_t cp;

	for (size_t i = 0; i < n; i += len) {
		len = utf8_decode(pub + i, n - i, &cp);
		assert(len > 0); /* err_set() has seen to that */
		width += json_width(cp);
		if (width > ERROR_SENTENCE_MAX) {
			memcpy(pub + keep, ellipsis, sizeof(ellipsis));
			return;
		}
		if (width < ERROR_SENTENCE_MAX)
			keep = i + len;
	}
}

static void
write_text(struct buf *b, const struct err *err)
{
	buf_printf(b, "%s\n", err->pub);
}

static void
write_cargo(struct buf *b, const struct err *err)
{
	struct json_out j;

	json_out_init(&j, b);
	json_out_open(&j, '{');
	json_out_key(&j, "errors");
	json_out_open(&j, '[');
	json_out_open(&j, '{');
	json_out_key_str(&j, "detail", err->pub);
	json_out_close(&j, '}');
	json_out_close(&j, ']');
	json_out_close(&j, '}');
}

static void
write_gitlab(struct buf *b, const struct err *err)
{
	char message[ERR_PUB_SIZE + 16];
	struct json_out j;

	snprintf(message, sizeof(message), "%d %s", err->status, err->pub);
	json_out_init(&j, b);
	json_out_open(&j, '{');
	json_out_key_str(&j, "message", message);
	json_out_close(&j, '}');
}

static const struct {
	const char *content_type;
	void (*write)(struct buf *, const struct err *);
} error_formats[] = {
	[ERROR_FORMAT_TEXT] = { "text/plain; charset=utf-8", write_text },
	[ERROR_FORMAT_CARGO] = { "application/json", write_cargo },
	[ERROR_FORMAT_GITLAB] = { "application/json", write_gitlab },
	[ERROR_FORMAT_SUBREQUEST] = { "application/json", write_cargo },
};

/* A header holds ASCII: sentences that quote a client's letters lose them here. */
static void
tell_nginx(struct response *rs)
{
	char *body = arena_slicedup(rs->arena, rs->body);

	for (char *p = body; *p != '\0'; p++) {
		if (*p < 0x20 || *p > 0x7e)
			*p = '?';
	}
	response_header(rs, "X-Berth-Status", arena_printf(rs->arena, "%d", rs->status));
	response_header(rs, "X-Berth-Refusal", body);
	if (rs->status != 401)
		rs->status = 403;
}

static int
retry_after(const struct err *err)
{
	if (err->retry_after > 0)
		return err->retry_after;
	return err->status == 429 ? RETRY_TOO_MANY : RETRY_UNAVAILABLE;
}

void
response_error(struct response *rs, enum error_format error_format, const struct err *err, const char *allow)
{
	struct err told = *err;
	struct buf b;

	assert(err->status >= 400 && err->status <= 599);
	rs->nheaders = 0;
	rs->length = 0;
	sentence_cut(told.pub);
	buf_init(&b, rs->arena, ERROR_BYTES_MAX);
	error_formats[error_format].write(&b, &told);
	response_body(rs, err->status, error_formats[error_format].content_type, buf_slice(&b));
	response_header(rs, "Cache-Control", "private, no-store");
	response_header(rs, "Vary", "Authorization");
	if (err->status == 401 && rs->www_authenticate != NULL)
		response_header(rs, "WWW-Authenticate", rs->www_authenticate);
	if (err->status == 405 && allow != NULL)
		response_header(rs, "Allow", allow);
	if (err->status == 429 || err->status == 503)
		response_header(rs, "Retry-After", arena_printf(rs->arena, "%d", retry_after(err)));
	if (error_format == ERROR_FORMAT_SUBREQUEST)
		tell_nginx(rs);
}

void
response_error_body(struct response *rs, const char *content_type, struct slice body)
{
	/* response_error() puts it first */
	assert(rs->nheaders > 0 && strcmp(rs->headers[0].name, "Content-Type") == 0);
	rs->headers[0].value = content_type;
	rs->body = body;
}

static void
write_header(struct buf *b, const char *name, const char *value)
{
	buf_puts(b, name);
	buf_puts(b, ": ");
	buf_puts(b, value);
	buf_puts(b, "\r\n");
}

static void
write_status(struct buf *b, int status)
{
	buf_puts(b, "Status: ");
	buf_put_int(b, status);
	buf_putc(b, ' ');
	buf_puts(b, err_status_text(status));
	buf_puts(b, "\r\n");
}

long long
response_send(struct response *rs, struct request *rq)
{
	bool bodiless = rs->status == 204 || rs->status == 304;
	size_t n = bodiless || rq->method == METHOD_HEAD ? 0 : rs->body.n;
	struct buf head;

	buf_init(&head, rs->arena, HEAD_MAX);
	buf_expect(&head, HEAD_USUAL);
	write_status(&head, rs->status);
	for (size_t i = 0; i < rs->nheaders; i++)
		write_header(&head, rs->headers[i].name, rs->headers[i].value);
	write_header(&head, "X-Content-Type-Options", "nosniff");
	write_header(&head, "X-Request-Id", rq->id);
	/* one of the few headers that cargo prints when something fails */
	write_header(&head, "X-Served-By", rq->id);
	if (!bodiless) {
		buf_puts(&head, "Content-Length: ");
		buf_put_int(&head, (int64_t)(rs->length > 0 ? rs->length : rs->body.n));
		buf_puts(&head, "\r\n");
	}
	buf_puts(&head, "\r\n");
	assert(!buf_full(&head));
	if (fcgi_write(rq->conn, head.p, head.n) == -1 ||
	    fcgi_write(rq->conn, rs->body.p, n) == -1)
		return -1;
	return (long long)n;
}
