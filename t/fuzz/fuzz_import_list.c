/* Files and answers of other registries: lists of crates, index files, config.json, pages of an API; and lock
 * files. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "crate/crate_name.h"
#include "crate/registry_config.h"
#include "crate/registry_url.h"
#include "transfer/import_gitea.h"
#include "transfer/import_lock.h"
#include "transfer/import_pages.h"
#include "transfer/import_source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Crates come in the order of names, each once, and together have all versions. */
static void
check_source(const struct import_source *source)
{
	size_t versions = 0;

	for (size_t i = 0; i < source->ncrates; i++) {
		const struct import_crate *crate = &source->crates[i];

		if (i > 0) {
			int order = crate_name_compare(source->crates[i - 1].name, crate->name);

			assert(order < 0 || (order == 0 && strcmp(source->crates[i - 1].name, crate->name) < 0));
		}
		for (size_t k = 0; k < crate->nversions; k++)
			assert(crate->versions[k].version != NULL && crate->versions[k].downloads >= 0);
		for (size_t k = 0; k < crate->owners.n; k++)
			assert(crate->owners.v[k] != NULL);
		versions += crate->nversions;
	}
	assert(versions == source->nversions);
}

/* Selected from a source of everything, each version that the file names is there once. */
static void
check_lock(struct arena *arena, struct slice text)
{
	static const char *const registries[IMPORT_REGISTRIES_MAX] = { REGISTRY_PUBLIC_URL };
	struct import_source source = { 0 };
	struct import_lock lock;
	struct err err = { 0 };
	size_t versions = 0;

	if (import_lock_parse(arena, text, "lock", registries, &lock, &err) == -1) {
		assert(err.status == 400);
		return;
	}
	check_source(&lock.wanted);
	assert(lock.wanted.nversions > 0 && (lock.elsewhere == 0) == (lock.example == NULL));
	import_source_select(arena, &source, &lock.wanted);
	for (size_t i = 0; i < source.ncrates; i++)
		versions += source.crates[i].nversions;
	assert(versions == lock.wanted.nversions);
}

/* The same page twice: a server that knows no pages.  Its crates count once, and the list ends. */
static void
check_pages(struct arena *arena, struct slice text)
{
	struct import_pages pages = { .arena = arena };
	struct err err = { 0 };
	bool more;
	size_t once;

	import_pages_begin(&pages);
	if (import_pages_take(&pages, arena, text, &more, &err) == -1) {
		assert(err.status == 400);
		return;
	}
	once = pages.names.n;
	for (size_t i = 0; i < once; i++)
		assert(crate_name_check(slice_str(pages.names.v[i]), "crate", &err) == 0);
	assert(import_pages_take(&pages, arena, text, &more, &err) == 0);
	assert(pages.names.n == once && !more && !pages.moved);
	import_pages_begin(&pages);
	assert(pages.names.n == 0 && pages.total == -1);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena *arena = arena_new();
	struct slice text = slice_of((const char *)data, n);
	const struct import_crate listed = { .name = "a" };
	struct import_source source;
	struct import_crate crate;
	struct registry_said said;
	struct err err = { 0 };
	struct buf list;
	size_t packages;

	if (import_source_list_parse(arena, text, "list", NULL, &source, &err) == 0)
		check_source(&source);
	else
		assert(err.status == 400);
	err_clear(&err);
	if (import_source_lines(arena, text, "lines", &listed, NULL, &crate, &err) == 0)
		assert(crate.nversions == 0 || crate.versions[0].line.n > 0);
	else
		assert(err.status == 400);
	err_clear(&err);
	if (registry_config_parse(arena, text, &said, &err) == 0)
		assert(strlen(registry_download_url(arena, said.dl, "a", "1.0.0", "00")) > 0);
	err_clear(&err);
	buf_init(&list, arena, 1 << 20);
	if (import_gitea_page(arena, text, &list, &packages, &err) == 0 && !buf_full(&list))
		assert((packages == 0) == (list.n == 0));
	else
		assert(err.status == 400 || buf_full(&list));
	check_pages(arena, text);
	check_lock(arena, text);
	arena_free(arena);
	return 0;
}
