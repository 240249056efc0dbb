/* config/publish_policy: the configuration, and what a project has of its own. */
#include "config/publish_policy.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "tap.h"

enum { PROJECT_ID = 7 };

#define COUNT(x) (sizeof(x) / sizeof(*(x)))

static struct arena *arena;
static struct settings settings;

static int
merge(const struct project_setting *own, size_t n, struct publish_policy *policy, struct err *err)
{
	*err = (struct err) { 0 };
	return publish_policy_merge(arena, &settings, PROJECT_ID, own, n, policy, err);
}

/* All of a policy in one text, so that what has changed is seen, and nothing else. */
static const char *
text_of(const struct publish_policy *p)
{
	return arena_printf(arena,
	    "metadata=%u;crate=%u;unpacked=%" PRId64 ";entries=%" PRId64 ";deps=%zu;features=%zu;"
	    "keywords=%zu;categories=%zu;required=%s;strict=%s;reserved=%s;mirror=%s;allowed=%s;own=%s;",
	    p->max_metadata_size, p->max_crate_size, p->max_unpacked_size, p->max_entries,
	    p->limits.max_dependencies, p->limits.max_features, p->limits.max_keywords,
	    p->limits.max_categories, p->required_metadata, p->limits.strict, p->reserved_names, p->mirror_url,
	    p->limits.allowed_registries, p->limits.own_registry);
}

static void
load_settings(void)
{
	static const char text[] = "external_url = https://berth.example\nmax_crate_size = 2m\n"
				   "required_metadata = license\nreserved_names = house\n"
				   "allowed_registries = https://r.example/i\n";
	char path[] = "/tmp/berth-policy-XXXXXX";
	struct err err = { 0 };
	int fd = mkstemp(path);

	ok(fd != -1 && write(fd, text, strlen(text)) == (ssize_t)strlen(text), "a configuration");
	close(fd);
	ok(settings_load(arena, path, &settings, &err) == 0, "is read: %s", err.detail);
	unlink(path);
}

#define PROJECTS "sparse+https://berth.example/api/v4/projects/"

static const char configured[] =
    "metadata=1048576;crate=2097152;unpacked=536870912;entries=20000;deps=500;features=5000;"
    "keywords=5;categories=5;required=license;strict=;reserved=house;mirror=;"
    "allowed=" PROJECTS "*/packages/cargo/ https://r.example/i;"
    "own=" PROJECTS "7/packages/cargo/;";

/* The text above with another `name=value;`. */
static const char *
configured_but(const char *pair)
{
	size_t name = strcspn(pair, "=") + 1;
	const char *old = strstr(configured, arena_printf(arena, ";%.*s", (int)name, pair)) + 1;

	return arena_printf(arena, "%.*s%s%s", (int)(old - configured), configured, pair,
	    old + strcspn(old, ";") + 1);
}

static const struct {
	const char *key, *value, *want;
} changes[] = {
	{ "max_crate_size", "1k", "crate=1024;" },
	{ "max_crate_size", "2097152", "crate=2097152;" },
	{ "max_crate_size", "2097153", "crate=2097152;" },
	{ "max_unpacked_size", "1g", "unpacked=1073741824;" },
	{ "max_entries", "1", "entries=1;" },
	{ "max_dependencies", "0", "deps=0;" },
	{ "max_features", "10000", "features=10000;" },
	{ "max_keywords", "6", "keywords=6;" },
	{ "max_categories", "0", "categories=0;" },
	{ "required_metadata", "readme", "required=readme;" },
	{ "required_metadata", "\"\"", "required=;" },
	{ "strict_metadata", "license homepage", "strict=license homepage;" },
	{ "reserved_names", "A b_c", "reserved=A b_c;" },
	{ "mirror_url", "crates-io", "mirror=crates-io;" },
	{ "mirror_url", "sparse+https://r.example/", "mirror=sparse+https://r.example/;" },
	{ "allowed_registries", "*", "allowed=" PROJECTS "*/packages/cargo/ *;" },
};

static const struct {
	struct project_setting own;
	const char *wrong;
} broken[] = {
	{ { "max_colour", "1" }, "max_colour is not a key of a project" },
	{ { "workers", "1" }, "workers is not a key of a project" },
	{ { "max_metadata_size", "2m" }, "max_metadata_size is not a key of a project" },
	{ { "max_features", "10001" }, "max_features must be from 0 to 10000" },
	{ { "max_keywords", "1001" }, "max_keywords must be from 0 to 1000" },
	{ { "max_entries", "0" }, "max_entries must be from 1 to 1000000" },
	{ { "max_crate_size", "much" }, "max_crate_size must be a number" },
	{ { "required_metadata", "colour" }, "required_metadata must be a list of these words: description" },
	{ { "mirror_url", "crates.io" }, "mirror_url must be crates-io or the URL of an index" },
	{ { "mirror_url", "*" }, "mirror_url must be crates-io or the URL of an index" },
	{ { "mirror_url", "https://a https://b" }, "mirror_url must be crates-io or the URL of an index" },
	{ { "strict_metadata", "keywords" }, "strict_metadata must be a list of these words: documentation" },
};

static void
test_merge(void)
{
	static const struct project_setting both[] = { { "max_entries", "9" },
		{ "max_features", "8" } };
	struct publish_policy p;
	struct err err;

	ok(merge(NULL, 0, &p, &err) == 0, "a project with nothing of its own");
	is_str(text_of(&p), configured, "has the configuration's");
	for (size_t i = 0; i < COUNT(changes); i++) {
		struct project_setting own = { changes[i].key, changes[i].value };
		const char *name = arena_printf(arena, "%s = %s", own.key, own.value);

		ok(merge(&own, 1, &p, &err) == 0, "%s: %s", name, err.detail);
		is_str(text_of(&p), configured_but(changes[i].want), name);
	}
	ok(merge(both, COUNT(both), &p, &err) == 0, "two keys");
	ok(p.max_entries == 9 && p.limits.max_features == 8, "both are applied");
	is_int(settings.max_entries, 20000, "the configuration stays as it was");
	for (size_t i = 0; i < COUNT(broken); i++) {
		ok(merge(&broken[i].own, 1, &p, &err) == -1 && err.status == 500 &&
		    strstr(err.detail, broken[i].wrong) != NULL,
		    "refused: %s (%s)", broken[i].wrong, err.detail);
		ok(strstr(err.pub, broken[i].own.key) == NULL, "and a client is not told");
	}
}

/* Each key that a project may have is one that this test knows. */
static void
test_keys(void)
{
	for (size_t i = 0; i < settings_nkeys; i++) {
		const struct conf_key *key = &settings_keys[i];
		bool known = false;

		for (size_t k = 0; k < COUNT(changes); k++)
			known = known || strcmp(changes[k].key, key->name) == 0;
		ok(known == key->project, "%s is %sa project's", key->name, known ? "" : "not ");
		ok((settings_project_key(slice_str(key->name)) == key) == known, "and is found so");
	}
}

/* What the configuration lets through as a field is a field that is looked for. */
static void
test_required(void)
{
	static const char *const fields[] = { "description", "license", "readme", "documentation",
		"homepage", "repository", "keywords", "categories", "rust-version" };
	static const struct package nothing = { .name = "x", .version = "1.0.0" };
	const char *all = "";

	for (size_t i = 0; i < COUNT(fields); i++) {
		struct project_setting own = { "required_metadata", fields[i] };
		struct publish_policy p;
		struct err err;

		ok(merge(&own, 1, &p, &err) == 0, "%s can be required", fields[i]);
		ok(package_check_required(arena, &nothing, p.required_metadata, &err) == -1 &&
		    err.status == 400, "and is then looked for");
		is_str(err.pub,
		    arena_printf(arena, "missing or empty metadata fields: %s", fields[i]),
		    "and named");
		all = arena_printf(arena, "%s%s%s", all, i > 0 ? " " : "", fields[i]);
	}
	ok(strstr(settings_project_key(slice_str("required_metadata"))->check("x"), all) != NULL,
	    "there are no others");
}

int
main(void)
{
	arena = arena_new();
	load_settings();
	test_merge();
	test_keys();
	test_required();
	arena_free(arena);
	return tap_done();
}
