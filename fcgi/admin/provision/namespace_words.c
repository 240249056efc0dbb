#include "admin/provision/namespace_words.h"

#include <string.h>

#include "access/networks.h"
#include "admin/provision/project_policy.h"
#include "admin/provision/quota_words.h"
#include "config/settings.h"
#include "store/group.h"
#include "store/project.h"

static int
parse_bool(const char *key, const char *value, bool *out, struct err *err)
{
	static const struct {
		const char *word;
		bool value;
	} words[] = { { "true", true }, { "on", true }, { "false", false }, { "off", false } };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (strcmp(words[i].word, value) == 0) {
			*out = words[i].value;
			return 0;
		}
	}
	return err_set(err, 400, "%s must be true or false, not `%s`", key, value);
}

/* What the words ask for, and room for their values. */
struct setting {
	const struct provision *p;
	const char *path;
	struct project_change change;
	bool packages_enabled;
	bool public_packages;
	bool readme_images;
	struct group_change group;
	int64_t quotas[QUOTA__MAX];
	bool has_quotas;
	int64_t id;
};

static int
parse_project_word(struct setting *s, const char *word, struct err *err)
{
	size_t n = strcspn(word, "=");
	struct slice key = slice_of(word, n);
	const char *value = word + n + 1;

	if (word[n] == '\0')
		return err_set(err, 400, "`%s` must be KEY=VALUE", word);
	if (slice_is(key, "visibility")) {
		s->change.visibility = value;
		return 0;
	}
	if (slice_is(key, "packages_enabled")) {
		s->change.packages_enabled = &s->packages_enabled;
		return parse_bool("packages_enabled", value, &s->packages_enabled, err);
	}
	if (slice_is(key, "public_packages")) {
		s->change.public_packages = &s->public_packages;
		return parse_bool("public_packages", value, &s->public_packages, err);
	}
	if (slice_is(key, "readme_images")) {
		s->change.readme_images = &s->readme_images;
		return parse_bool("readme_images", value, &s->readme_images, err);
	}
	if (slice_is(key, "anonymous_networks"))
		return networks_parse(s->p->arena, value, &s->change.anonymous_networks, err);
	/* project_policy_change() reads these, quota_words_read() those */
	if (settings_project_key(key) != NULL || quota_words_is_key(key))
		return 0;
	return err_set(err, 400,
	    "unknown key `%.*s`; the keys are visibility, packages_enabled, public_packages, "
	    "anonymous_networks, readme_images, quota_bytes, quota_versions, quota_crates, %s",
	    (int)n, word, project_policy_keys(s->p->arena));
}

static int
set_quotas(struct db *db, const struct setting *s, struct err *err)
{
	return s->has_quotas ? quota_set(db, s->p->arena, s->p->actor, s->path, s->quotas, err) : 0;
}

static int
set_project_body(struct db *db, void *arg, struct err *err)
{
	struct setting *s = arg;

	if (project_set(db, s->p->arena, s->p->actor, s->path, &s->change, &s->id, err) == -1)
		return -1;
	return set_quotas(db, s, err);
}

int
namespace_words_set_project(const struct provision *p, const char *path, const char *const *words,
    size_t n, int64_t *id, struct err *err)
{
	struct setting s = { .p = p, .path = path };
	bool unknown;

	for (size_t i = 0; i < n; i++) {
		if (parse_project_word(&s, words[i], err) == -1)
			return -1;
	}
	if (project_policy_change(p->arena, p->settings, words, n, &s.change.policy, err) == -1 ||
	    quota_words_read(p->arena, words, n, s.quotas, &s.has_quotas, err) == -1 ||
	    db_transaction(p->db, set_project_body, &s, &unknown, err) == -1)
		return -1;
	*id = s.id;
	return 0;
}

static int
parse_group_word(struct setting *s, const char *word, struct err *err)
{
	size_t n = strcspn(word, "=");
	struct slice key = slice_of(word, n);

	if (word[n] == '=' && quota_words_is_key(key))
		return 0;
	if (word[n] == '=' && slice_is(key, "anonymous_networks"))
		return networks_parse(s->p->arena, word + n + 1, &s->group.anonymous_networks, err);
	if (word[n] == '=' && slice_is(key, "registry_projects"))
		s->group.registry_projects = word + n + 1;
	else if (word[n] == '=' && slice_is(key, "default_project"))
		s->group.default_project = word + n + 1;
	else
		return err_set(err, 400, "`%s` must be KEY=VALUE; KEY is anonymous_networks, default_project, "
		    "registry_projects, quota_bytes, quota_versions or quota_crates", word);
	return 0;
}

static int
set_group_body(struct db *db, void *arg, struct err *err)
{
	struct setting *s = arg;

	const struct group_change *g = &s->group;

	if ((g->anonymous_networks != NULL || g->registry_projects != NULL || g->default_project != NULL) &&
	    group_set(db, s->p->arena, s->p->actor, s->path, g, err) == -1)
		return -1;
	return set_quotas(db, s, err);
}

int
namespace_words_set_group(const struct provision *p, const char *path, const char *const *words,
    size_t n, struct err *err)
{
	struct setting s = { .p = p, .path = path };
	bool unknown;

	for (size_t i = 0; i < n; i++) {
		if (parse_group_word(&s, words[i], err) == -1)
			return -1;
	}
	return quota_words_read(p->arena, words, n, s.quotas, &s.has_quotas, err) == -1 ||
	    db_transaction(p->db, set_group_body, &s, &unknown, err) == -1 ? -1 : 0;
}
