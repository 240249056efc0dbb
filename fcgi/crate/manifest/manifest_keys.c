#include "crate/manifest/manifest_reader.h"

#include "base/excerpt.h"

/* What a key may hold: types of TOML, and a list of strings in the place of an array. */
enum { TEXT = 1 << TOML_STRING, FLAG = 1 << TOML_BOOLEAN, LIST = 1 << TOML_ARRAY };

struct key {
	const char *name;
	unsigned types;
};

/* Of [package]; what else is there is read, or means nothing to cargo. */
static const struct key package_keys[] = {
	{ "build", TEXT | FLAG | LIST },
	{ "metabuild", TEXT | LIST },
	{ "default-target", TEXT },
	{ "forced-target", TEXT },
	{ "exclude", LIST },
	{ "include", LIST },
	{ "publish", FLAG | LIST },
	{ "workspace", TEXT },
	{ "im-a-teapot", FLAG },
	{ "autolib", FLAG },
	{ "autobins", FLAG },
	{ "autoexamples", FLAG },
	{ "autotests", FLAG },
	{ "autobenches", FLAG },
	{ "default-run", TEXT },
	{ "resolver", TEXT },
};

static const struct key target_keys[] = {
	{ "name", TEXT },
	{ "crate-type", LIST },
	{ "crate_type", LIST },
	{ "path", TEXT },
	{ "filename", TEXT },
	{ "test", FLAG },
	{ "doctest", FLAG },
	{ "bench", FLAG },
	{ "doc", FLAG },
	{ "doc-scrape-examples", FLAG },
	{ "proc-macro", FLAG },
	{ "proc_macro", FLAG },
	{ "harness", FLAG },
	{ "required-features", LIST },
	{ "edition", TEXT },
};

/* "a string, a boolean or an array of strings" */
static const char *
expected(unsigned types)
{
	switch (types) {
	case TEXT:
		return "a string";
	case FLAG:
		return "a boolean";
	case LIST:
		return "an array of strings";
	case TEXT | LIST:
		return "a string or an array of strings";
	case FLAG | LIST:
		return "a boolean or an array of strings";
	default:
		return "a string, a boolean or an array of strings";
	}
}

static int
check_keys(const struct section *s, const struct key *keys, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct toml_value *v = toml_get(s->table, keys[i].name);
		struct strings list;

		if (v == NULL)
			continue;
		if ((keys[i].types & 1u << v->type) == 0)
			return manifest_fail_type(s, keys[i].name, v, expected(keys[i].types));
		if (v->type == TOML_ARRAY && manifest_strings(s, keys[i].name, &list) == -1)
			return -1;
	}
	return 0;
}

int
manifest_check_package_keys(const struct section *s)
{
	const char *resolver = NULL;

	if (check_keys(s, package_keys, sizeof(package_keys) / sizeof(*package_keys)) == -1 ||
	    manifest_text(s, "resolver", false, &resolver) == -1)
		return -1;
	if (resolver == NULL || (resolver[0] >= '1' && resolver[0] <= '3' && resolver[1] == '\0'))
		return 0;
	return manifest_fail(s->m, "`resolver` setting `%.*s` is not valid, valid options are \"1\", \"2\" or "
	    "\"3\"", excerpt(slice_str(resolver)), resolver);
}

int
manifest_check_target_keys(const struct section *s)
{
	return check_keys(s, target_keys, sizeof(target_keys) / sizeof(*target_keys));
}
