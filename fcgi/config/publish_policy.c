#include "config/publish_policy.h"

#include "crate/registry_url.h"

/* Other registries of this server are allowed besides those of the configuration. */
static struct package_limits
limits_of(struct arena *a, const struct settings *s, int64_t project_id)
{
	return (struct package_limits) {
		.max_dependencies = (size_t)s->max_dependencies,
		.max_features = (size_t)s->max_features,
		.max_keywords = (size_t)s->max_keywords,
		.max_categories = (size_t)s->max_categories,
		.strict = s->strict_metadata,
		.own_registry = registry_url_index(a, s->external_url, project_id),
		.allowed_registries = arena_printf(a, "sparse+%s/api/v4/projects/*/packages/cargo/ %s",
		    s->external_url, s->allowed_registries),
	};
}

/* Puts the project's values in place of the configuration's. */
static int
apply(struct arena *a, const struct project_setting *own, size_t n, struct settings *s,
    struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		const struct conf_key *key = settings_project_key(slice_str(own[i].key));
		const char *wrong = key == NULL ? "is not a key of a project"
						: conf_set(a, key, own[i].value, s);

		if (wrong != NULL)
			return err_internal(err, 500, "policy of the project: %s %s", own[i].key,
			    wrong);
	}
	return 0;
}

int
publish_policy_merge(struct arena *a, const struct settings *settings, int64_t project_id,
    const struct project_setting *own, size_t n, struct publish_policy *policy, struct err *err)
{
	int64_t max_crate_size = settings->max_crate_size;
	struct settings s = *settings;

	if (apply(a, own, n, &s, err) == -1)
		return -1;
	if (s.max_crate_size < max_crate_size)
		max_crate_size = s.max_crate_size;
	*policy = (struct publish_policy) {
		.max_metadata_size = (uint32_t)s.max_metadata_size,
		.max_crate_size = (uint32_t)max_crate_size,
		.max_unpacked_size = s.max_unpacked_size,
		.max_entries = s.max_entries,
		.reserved_names = s.reserved_names,
		.required_metadata = s.required_metadata,
		.mirror_url = s.mirror_url,
		.limits = limits_of(a, &s, project_id),
	};
	return 0;
}

int
publish_policy_read(struct arena *a, const struct settings *settings, int64_t project_id, const char *own,
    struct publish_policy *policy, struct err *err)
{
	struct project_setting *parsed;
	size_t n;

	if (project_policy_parse(a, own, &parsed, &n, err) == -1 ||
	    publish_policy_merge(a, settings, project_id, parsed, n, policy, err) == -1)
		return -1;
	return policy->mirror_url[0] == '\0' ? 0 : err_set(err, 403,
	    "the project is a mirror of %s: `berth import` brings its crates; publish your own crates to another "
	    "project", policy->mirror_url);
}

const char *
publish_policy_mirror(struct arena *a, const struct settings *s, const char *own)
{
	struct settings of_project = { .mirror_url = s == NULL ? "" : s->mirror_url };

	/* it was checked when it was set */
	if (own != NULL)
		(void)!conf_set(a, settings_project_key(slice_str("mirror_url")), own, &of_project);
	return of_project.mirror_url[0] == '\0' ? NULL : of_project.mirror_url;
}
