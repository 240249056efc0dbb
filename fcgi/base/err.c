#include "base/err.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

static const struct {
	int status;
	const char *text;
	const char *sentence; /* what a client sees of a 5xx */
} statuses[] = {
	{ 200, "OK", NULL },
	{ 201, "Created", NULL },
	{ 202, "Accepted", NULL },
	{ 204, "No Content", NULL },
	{ 302, "Found", NULL },
	{ 303, "See Other", NULL },
	{ 304, "Not Modified", NULL },
	{ 400, "Bad Request", NULL },
	{ 401, "Unauthorized", NULL },
	{ 403, "Forbidden", NULL },
	{ 404, "Not Found", NULL },
	{ 405, "Method Not Allowed", NULL },
	{ 406, "Not Acceptable", NULL },
	{ 409, "Conflict", NULL },
	{ 413, "Content Too Large", NULL },
	{ 414, "URI Too Long", NULL },
	{ 415, "Unsupported Media Type", NULL },
	{ 422, "Unprocessable Content", NULL },
	{ 429, "Too Many Requests", NULL },
	{ 500, "Internal Server Error", "internal server error" },
	{ 503, "Service Unavailable", "the registry is temporarily unavailable, please try again" },
	{ 504, "Gateway Timeout", "the registry did not answer in time, please try again" },
};

const char *
err_status_text(int status)
{
	for (size_t i = 0; i < sizeof(statuses) / sizeof(*statuses); i++) {
		if (statuses[i].status == status)
			return statuses[i].text;
	}
	return "Error";
}

static const char *
status_sentence(int status)
{
	for (size_t i = 0; i < sizeof(statuses) / sizeof(*statuses); i++) {
		if (statuses[i].status == status && statuses[i].sentence != NULL)
			return statuses[i].sentence;
	}
	return "internal server error";
}

/*
 * Replaces control bytes and what is not UTF-8 by '?', in place.  A character
 * that vsnprintf cut in two at the end of the text goes altogether.
 */
static void
text_clean(char *p)
{
	size_t n = strlen(p);

	for (size_t i = 0; i < n;) {
		uint32_t cp;
		size_t len = utf8_decode(p + i, n - i, &cp);

		if (len == 0 && n - i < 4 && ((unsigned char)p[i] & 0xc0) == 0xc0) {
			p[i] = '\0';
			return;
		}
		if (len == 0 || cp < 0x20 || cp == 0x7f) {
			/* a newline is layout that cargo prints as such */
			if (len == 0 || cp != '\n')
				p[i] = '?';
			len = 1;
		}
		i += len;
	}
}

int
err_set(struct err *err, int status, const char *fmt, ...)
{
	va_list ap;

	err->status = status;
	err->reason = ERR_BY_STATUS;
	err->retry_after = 0;
	va_start(ap, fmt);
	vsnprintf(err->pub, sizeof(err->pub), fmt, ap);
	va_end(ap);
	text_clean(err->pub);
	err->detail[0] = '\0';
	return -1;
}

static void __attribute__((format(printf, 2, 0)))
detail_format(struct err *err, const char *fmt, va_list ap)
{
	size_t n = strlen(err->detail);

	if (n > 0 && n + 2 < sizeof(err->detail)) {
		memcpy(err->detail + n, "; ", 3);
		n += 2;
	}
	vsnprintf(err->detail + n, sizeof(err->detail) - n, fmt, ap);
	text_clean(err->detail);
}

int
err_internal(struct err *err, int status, const char *fmt, ...)
{
	va_list ap;

	err->status = status;
	err->reason = ERR_BY_STATUS;
	err->retry_after = 0;
	snprintf(err->pub, sizeof(err->pub), "%s", status_sentence(status));
	err->detail[0] = '\0';
	va_start(ap, fmt);
	detail_format(err, fmt, ap);
	va_end(ap);
	return -1;
}

static void __attribute__((format(printf, 4, 0)))
sys_format(struct err *err, int status, int number, const char *fmt, va_list ap)
{
	char reason[128];
	size_t n;

	err_internal(err, status, "%s", "");
	detail_format(err, fmt, ap);
	n = strlen(err->detail);
	/* the GNU form of strerror_r, which may return a constant instead of `reason` */
	snprintf(err->detail + n, sizeof(err->detail) - n, ": %s",
	    strerror_r(number, reason, sizeof(reason)));
}

int
err_sys(struct err *err, const char *fmt, ...)
{
	int saved = errno;
	va_list ap;

	va_start(ap, fmt);
	sys_format(err, 500, saved, fmt, ap);
	va_end(ap);
	return -1;
}

int
err_disk(struct err *err, const char *fmt, ...)
{
	int saved = errno;
	va_list ap;

	va_start(ap, fmt);
	sys_format(err, saved == ENOSPC || saved == EDQUOT || saved == EROFS ? 503 : 500, saved,
	    fmt, ap);
	va_end(ap);
	return -1;
}

int
err_tell(struct err *err, const char *fmt, ...)
{
	va_list ap;

	assert(err->status == 503);
	va_start(ap, fmt);
	vsnprintf(err->pub, sizeof(err->pub), fmt, ap);
	va_end(ap);
	text_clean(err->pub);
	return -1;
}

int
err_because(struct err *err, enum err_reason reason)
{
	assert(err->status >= 400 && err->status < 500);
	err->reason = reason;
	return -1;
}

int
err_context(struct err *err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	detail_format(err, fmt, ap);
	va_end(ap);
	return -1;
}

void
err_clear(struct err *err)
{
	err->status = 0;
	err->reason = ERR_BY_STATUS;
	err->retry_after = 0;
	err->pub[0] = '\0';
	err->detail[0] = '\0';
}
