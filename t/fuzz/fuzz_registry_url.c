/* The URL of an index.  The address that one of ours is called by names the same project. */

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "crate/registry_url.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check(struct arena *a, const char *server, const char *url)
{
	struct registry_url named, again;
	struct err err = { 0 };

	if (registry_url_read(a, server, url, &named, &err) == -1) {
		assert(err.status == 400);
		return;
	}
	assert(named.project_id >= 0 && named.group_id >= 0);
	switch (named.kind) {
	case REGISTRY_HERE:
		assert(named.group_id == 0 && (named.project_id == 0) == (named.path != NULL));
		assert(named.path == NULL || strchr(named.path, '/') != NULL);
		break;
	case REGISTRY_GROUP:
		assert(named.project_id == 0 && (named.group_id == 0) == (named.path != NULL));
		break;
	case REGISTRY_ELSEWHERE:
	case REGISTRY_PUBLIC:
		assert(named.project_id == 0 && named.group_id == 0 && named.path == NULL);
	}
	if (named.project_id == 0)
		return;
	assert(registry_url_read(a, server, registry_url_index(a, server, named.project_id), &again, &err) == 0);
	assert(again.kind == REGISTRY_HERE && again.project_id == named.project_id);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct arena *a = arena_new();
	const char *url = arena_strndup(a, (const char *)p, n);

	check(a, "https://berth.example", url);
	check(a, "https://berth.example:8443/cargo", url);
	arena_free(a);
	return 0;
}
