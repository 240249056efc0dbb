#include "api/web/ci_text.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "base/buf.h"

enum { TEXT_MAX = 64 << 10, NBLANKS = 8 };

#define ASSET(name, hash, ...) \
	{ (name), (const unsigned char[]) { __VA_ARGS__ }, sizeof((const unsigned char[]) { __VA_ARGS__ }) },

static const struct {
	const char *name;
	const unsigned char *bytes;
	size_t n;
} files[] = {
#include "api/web/ci/assets.inc"
};

static const struct {
	const char *name, *title;
} titles[] = {
	{ "gitlab-ci.yml", "GitLab CI" },
	{ "github-actions.yml", "GitHub Actions" },
	{ "forgejo-actions.yml", "Forgejo Actions" },
	{ "job-token.sh", "another system, with a script" },
};

_Static_assert(sizeof(files) / sizeof(*files) == CI_TEXTS && sizeof(titles) / sizeof(*titles) == CI_TEXTS,
    "each file has a title");

/* What stands in a file for the address of this registry and the like. */
struct blank {
	const char *sample, *actual;
};

static const struct blank *
blank_at(const char *p, size_t left, const struct blank *blanks)
{
	for (size_t i = 0; i < NBLANKS; i++) {
		size_t n = strlen(blanks[i].sample);

		if (n <= left && memcmp(p, blanks[i].sample, n) == 0)
			return &blanks[i];
	}
	return NULL;
}

static const char *
fill_in(struct arena *a, const char *p, size_t left, const struct blank *blanks)
{
	struct buf b;

	buf_init(&b, a, TEXT_MAX);
	while (left > 0) {
		const struct blank *blank = blank_at(p, left, blanks);
		size_t n = blank != NULL ? strlen(blank->sample) : 1;

		if (blank != NULL)
			buf_puts(&b, blank->actual);
		else
			buf_putc(&b, *p);
		p += n;
		left -= n;
	}
	return buf_str(&b);
}

/* Cargo's spelling of a registry's name in the names of environment variables. */
static const char *
variable_part(struct arena *a, const char *registry)
{
	char *part = arena_strdup(a, registry);

	for (char *p = part; *p != '\0'; p++)
		*p = *p == '-' ? '_' : (char)toupper((unsigned char)*p);
	return part;
}

const struct ci_text *
ci_texts(struct arena *a, const char *external_url, int64_t project_id, const char *path,
    const char *registry)
{
	const struct blank blanks[NBLANKS] = {
		{ "https://registry.example.com", external_url },
		{ "BERTH_PROJECT: \"1\"", arena_printf(a, "BERTH_PROJECT: \"%" PRId64 "\"", project_id) },
		{ "/projects/1/", arena_printf(a, "/projects/%" PRId64 "/", project_id) },
		{ "the number of the project in Berth, or its path with %2F for each slash",
			arena_printf(a, "%" PRId64, project_id) },
		{ "# Replace registry.example.com, and the number of the project.\n", "" },
		{ "tools/crates", path },
		{ "--registry berth", arena_printf(a, "--registry %s", registry) },
		{ "CARGO_REGISTRIES_BERTH_", arena_printf(a, "CARGO_REGISTRIES_%s_", variable_part(a, registry)) },
	};
	struct ci_text *texts = arena_calloc(a, CI_TEXTS, sizeof(*texts));

	for (size_t i = 0; i < CI_TEXTS; i++) {
		size_t file = 0;

		while (strcmp(files[file].name, titles[i].name) != 0)
			file++;
		texts[i] = (struct ci_text) {
			.title = titles[i].title,
			.text = fill_in(a, (const char *)files[file].bytes, files[file].n, blanks),
		};
	}
	return texts;
}
