#include <assert.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "access/secret.h"
#include "base/base64.h"
#include "base/hex.h"
#include "base/utf8.h"
#include "crate/inspect/job.h"
#include "transfer/export_index.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* What is decoded lies within its bounds, and digits have one meaning. */
static void
check_texts(struct arena *a, struct slice text)
{
	unsigned char digest[SECRET_DIGEST_SIZE], *bytes = arena_alloc(a, text.n / 2 + 1);
	char *out = arena_alloc(a, text.n + 1), *digits = arena_alloc(a, text.n + 2);
	size_t n = 0;

	if (base64_decode(text, out, &n))
		assert(n <= text.n / 4 * 3 && text.n % 4 == 0);
	if (base64url_decode(text, out, &n))
		assert(n == text.n * 3 / 4 && text.n % 4 != 1);
	if (hex_decode(text, bytes, text.n / 2)) {
		assert(text.n % 2 == 0);
		hex_encode(bytes, text.n / 2, digits);
		assert(strncasecmp(digits, text.p, text.n) == 0);
	}
	(void)secret_parse(text, digest);
	for (size_t i = 0; i < text.n; i += n == 0 ? 1 : n) {
		uint32_t cp = 0;

		n = utf8_decode(text.p + i, text.n - i, &cp);
		assert(n <= text.n - i && n <= 4 && (n == 0 || cp <= 0x10ffff));
		assert(n == 0 || cp < 0xd800 || cp > 0xdfff);
	}
}

/* A job that is read means the same when it is written and read again. */
static void
check_job(struct slice text)
{
	char message[JOB_MESSAGE_MAX + 1], next[JOB_MESSAGE_MAX + 1];
	struct job job, again;
	struct err err = { 0 };
	size_t n;

	if (text.n > JOB_MESSAGE_MAX)
		return;
	memcpy(message, text.p, text.n);
	if (job_decode(message, text.n, &job, &err) == -1) {
		assert(err.status == 500);
		return;
	}
	n = job_encode(&job, next);
	assert(n > 0 && job_decode(next, n, &again, &err) == 0);
	assert(again.number == job.number && again.kind == job.kind);
	assert(strcmp(again.limits.folder, job.limits.folder) == 0);
	assert(again.limits.max_entries == job.limits.max_entries);
	assert((again.path == NULL) == (job.path == NULL));
	assert(job.path == NULL || strcmp(again.path, job.path) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct arena *a = arena_new();
	struct slice text = slice_of((const char *)p, n), rest = text, line;
	struct export_named named;

	check_texts(a, text);
	check_job(text);
	while (rest.n > 0) {
		(void)export_index_next(a, &rest, &line, &named);
		assert(line.p >= text.p && line.p + line.n <= text.p + text.n);
	}
	(void)export_index_parse(a, text);
	arena_free(a);
	return 0;
}
