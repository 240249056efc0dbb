/* What the host's systemctl and nginx print. */

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "config/nginx_modules.h"
#include "config/unit_limits.h"
#include "store/blob/blob.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
take_sentence(void *arg, const char *text)
{
	int *n = arg;

	assert(text[0] != '\0' && strchr(text, '\n') == NULL);
	++*n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct arena *a = arena_new();
	char *text = arena_strndup(a, (const char *)p, n);
	struct settings s = { .store = "/srv/berth", .cache_dir = "/var/cache/berth", .log_file = "/berth.log",
		.worker_log_file = "/var/log/berth/a/worker.log", .pid_file = "", .worker_pid_file = "",
		.drain_timeout = 30 };
	struct err err = { 0 };
	int sentences = 0;

	if (nginx_modules_judge(text, &err) == -1)
		assert(err.status == 500 && err.detail[0] != '\0');
	s.blobs = settings_store(a, &s, s.store);
	unit_limits_judge(&s, text, take_sentence, &sentences);
	assert(sentences <= 7);
	arena_free(a);
	return 0;
}
