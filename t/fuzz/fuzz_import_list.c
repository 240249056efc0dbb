/* Files of other registries and administrators: lists of crates, index files, config.json. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "crate/registry_config.h"
#include "transfer/import_source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Crates come in the order of names, each once, and together have all versions. */
static void
check_source(const struct import_source *source)
{
	size_t versions = 0;

	for (size_t i = 0; i < source->ncrates; i++) {
		const struct import_crate *crate = &source->crates[i];

		assert(i == 0 || strcmp(source->crates[i - 1].name, crate->name) < 0);
		for (size_t k = 0; k < crate->nversions; k++)
			assert(crate->versions[k].version != NULL && crate->versions[k].downloads >= 0);
		for (size_t k = 0; k < crate->owners.n; k++)
			assert(crate->owners.v[k] != NULL);
		versions += crate->nversions;
	}
	assert(versions == source->nversions);
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
	arena_free(arena);
	return 0;
}
