#include "crate/package_rules.h"

#include <assert.h>

#include "base/buf.h"
#include "base/excerpt.h"
#include "base/url.h"
#include "base/words.h"
#include "crate/spdx.h"

/* Room for the names of all fields. */
enum { MISSING_MAX = 512 };

/* A field of [package], and where struct package has it; an offset of 0: nowhere. */
struct field {
	const char *name;
	size_t text, or_text; /* either will do */
	size_t list;
	const char *warning; /* where it is missing but not required */
	bool web; /* it should be the address of a page */
};

#define AT(member) offsetof(struct package, member)
static_assert(AT(name) == 0, "the name is never missing, so that 0 is free");

static const struct field fields[] = {
	{ .name = "description", .text = AT(description),
	    .warning = "the crate has no description: set `description` in Cargo.toml" },
	{ .name = "license", .text = AT(license), .or_text = AT(license_file),
	    .warning = "the crate has no license: set `license` or `license-file` in Cargo.toml" },
	{ .name = "readme", .text = AT(readme) },
	{ .name = "documentation", .text = AT(documentation), .web = true },
	{ .name = "homepage", .text = AT(homepage), .web = true },
	{ .name = "repository", .text = AT(repository), .web = true },
	{ .name = "keywords", .list = AT(keywords) },
	{ .name = "categories", .list = AT(categories) },
	{ .name = "rust-version", .text = AT(rust_version) },
};

enum { NFIELDS = sizeof(fields) / sizeof(*fields) };

static bool
text_given(const struct package *pkg, size_t offset)
{
	const char *const *text = (const void *)((const char *)pkg + offset);

	return offset != 0 && *text != NULL && **text != '\0';
}

static bool
field_given(const struct package *pkg, const struct field *f)
{
	const struct strings *list = (const void *)((const char *)pkg + f->list);

	return text_given(pkg, f->text) || text_given(pkg, f->or_text) ||
	    (f->list != 0 && list->n > 0);
}

int
package_check_required(struct arena *a, const struct package *pkg, const char *required,
    struct err *err)
{
	struct buf missing;

	buf_init(&missing, a, MISSING_MAX);
	for (size_t i = 0; i < NFIELDS; i++) {
		if (!words_include(required, fields[i].name) || field_given(pkg, &fields[i]))
			continue;
		buf_puts(&missing, missing.n > 0 ? ", " : "");
		buf_puts(&missing, fields[i].name);
	}
	if (missing.n > 0)
		return err_set(err, 400, "missing or empty metadata fields: %s", buf_str(&missing));
	return 0;
}

/* What is wrong with the text of a field, where the project is not strict about it; NULL: nothing. */
static const char *
field_warning(struct arena *a, const struct package *pkg, const struct field *f)
{
	const char *const *text = (const void *)((const char *)pkg + f->text);

	if (!text_given(pkg, f->text))
		return NULL;
	if (f->web && !url_is_web(slice_str(*text)))
		return arena_printf(a, "`%s` is not a web address, so nothing links to it: `%.*s`", f->name,
		    excerpt(slice_str(*text)), *text);
	if (f->text == AT(license) && !spdx_knows(slice_str(*text)))
		return arena_printf(a,
		    "`license` is not an SPDX expression: `%.*s`; see https://spdx.org/licenses",
		    excerpt(slice_str(*text)), *text);
	return NULL;
}

void
package_warnings(struct arena *a, const struct package *pkg, struct strings *out)
{
	out->v = arena_calloc(a, NFIELDS, sizeof(*out->v));
	out->n = 0;
	for (size_t i = 0; i < NFIELDS; i++) {
		const char *warning = field_given(pkg, &fields[i]) ? field_warning(a, pkg, &fields[i])
								     : fields[i].warning;

		if (warning != NULL)
			out->v[out->n++] = warning;
	}
}
