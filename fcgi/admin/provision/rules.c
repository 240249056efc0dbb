/* Allow-lists, protection rules, issuers and trust rules. */

#include <string.h>
#include <strings.h>

#include "access/naming.h"
#include "access/token_words.h"
#include "access/trust.h"
#include "admin/provision/kinds.h"
#include "base/json.h"
#include "crate/crate_name.h"
#include "store/namespace_ref.h"
#include "store/package/protection.h"
#include "store/project.h"
#include "store/token/issuer.h"
#include "store/token/job_allow.h"
#include "store/token/trust_rule.h"

static const char *
or_empty(const char *text)
{
	return text != NULL ? text : "";
}

static const char *
or_null(const char *text)
{
	return text != NULL && text[0] != '\0' ? text : NULL;
}

/* ---- allow-lists ---- */

static const struct provision_key allow_keys[] = {
	[ALLOW_POLICIES] = { .name = "policies", .type = PROVISION_COMMAS, .initial = "read_packages" },
	{ 0 },
};

static int
allow_check(const struct provision *p, struct provision_thing *thing, struct err *err)
{
	const char **policies = &thing->values[ALLOW_POLICIES];

	return *policies == NULL ? 0 :
	    token_words_parse(p->arena, &token_words_policies, *policies, policies, err);
}

static int
allow_find(const struct provision *p, const struct provision_thing *wanted,
    struct provision_thing *current, bool *found, struct err *err)
{
	struct job_allow *entries;
	struct project *project;
	size_t n;

	if (project_find(p->db, p->arena, wanted->names[0], &project, err) == -1 ||
	    job_allow_list(p->db, p->arena, wanted->names[0], &entries, &n, err) == -1)
		return -1;
	current->id = project->id;
	for (size_t i = 0; i < n; i++) {
		if (strcasecmp(entries[i].from, wanted->names[1]) != 0)
			continue;
		*found = true;
		current->names[1] = entries[i].from;
		current->values[ALLOW_POLICIES] = entries[i].admin ? "admin_packages" : "read_packages";
	}
	return 0;
}

static int
allow_set(const struct provision *p, const struct provision_thing *thing, int64_t *id, struct err *err)
{
	return job_allow_set(p->db, p->arena, p->actor, thing->names[0], thing->names[1],
	    thing->values[ALLOW_POLICIES], id, err);
}

static int
allow_create(const struct provision *p, struct provision_thing *thing, struct err *err)
{
	return allow_set(p, thing, &thing->id, err);
}

static int
allow_change(const struct provision *p, const struct provision_thing *wanted,
    const struct provision_thing *all, struct err *err)
{
	int64_t id;

	(void)wanted;
	return allow_set(p, all, &id, err);
}

/* Who may publish may read. */
static bool
allow_same(size_t key, const char *a, const char *b)
{
	(void)key;
	return (strstr(a, "admin_packages") != NULL) == (strstr(b, "admin_packages") != NULL);
}

const struct kind kind_allow = { .names = { { .name = "project" }, { .name = "from" } }, .keys = allow_keys,
	.check = allow_check, .find = allow_find, .create = allow_create, .change = allow_change,
	.same = allow_same };

/* ---- protection rules ---- */

static const struct provision_key protect_keys[] = {
	[PROTECT_PUSH] = { .name = "push", .type = PROVISION_TEXT },
	[PROTECT_DELETE] = { .name = "delete", .type = PROVISION_TEXT },
	{ 0 },
};

/* "" is no level. */
static int
protect_level(const char *value, enum protection_level least, int64_t *level, struct err *err)
{
	*level = PROTECTION_NONE;
	return or_null(value) != NULL ? protection_level_parse(value, least, level, err) : 0;
}

static int
protect_levels(const struct provision_thing *thing, int64_t *push, int64_t *delete, struct err *err)
{
	return protect_level(thing->values[PROTECT_PUSH], PROTECTION_MAINTAINER, push, err) == -1 ||
	    protect_level(thing->values[PROTECT_DELETE], PROTECTION_OWNER, delete, err) == -1 ? -1 : 0;
}

/* A level that is given, or "none". */
static int
protect_check_level(const char **value, enum protection_level least, struct err *err)
{
	int64_t level;

	if (*value == NULL)
		return 0;
	if (strcmp(*value, "none") == 0)
		*value = "";
	else if (protection_level_parse(*value, least, &level, err) == -1)
		return -1;
	return 0;
}

static int
protect_check(const struct provision *p, struct provision_thing *thing, struct err *err)
{
	(void)p;
	return protect_check_level(&thing->values[PROTECT_PUSH], PROTECTION_MAINTAINER, err) == -1 ||
	    protect_check_level(&thing->values[PROTECT_DELETE], PROTECTION_OWNER, err) == -1 ||
	    protection_check_pattern(thing->names[1], err) == -1 ? -1 : 0;
}

static int
protect_find(const struct provision *p, const struct provision_thing *wanted,
    struct provision_thing *current, bool *found, struct err *err)
{
	const char *pattern = crate_name_normalize(p->arena, slice_str(wanted->names[1]));
	struct protection_rule *rules;
	size_t n;

	if (protection_list(p->db, p->arena, wanted->names[0], &rules, &n, err) == -1)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (strcmp(crate_name_normalize(p->arena, slice_str(rules[i].pattern)), pattern) != 0)
			continue;
		*found = true;
		current->id = rules[i].id;
		current->names[1] = rules[i].pattern;
		current->values[PROTECT_PUSH] = or_empty(protection_level_name(rules[i].push));
		current->values[PROTECT_DELETE] = or_empty(protection_level_name(rules[i].delete));
	}
	return 0;
}

static int
protect_create(const struct provision *p, struct provision_thing *thing, struct err *err)
{
	struct protection_rule rule = { .pattern = thing->names[1] };

	return protect_levels(thing, &rule.push, &rule.delete, err) == -1 ||
	    protection_add(p->db, p->arena, p->actor, thing->names[0], &rule, &thing->id, err) == -1 ? -1 : 0;
}

static int
protect_change(const struct provision *p, const struct provision_thing *wanted,
    const struct provision_thing *all, struct err *err)
{
	struct protection_rule rule;
	int64_t push, delete;
	const struct protection_change change = { .by = PROTECTION_ADMIN, .push = &push, .delete = &delete };

	(void)wanted;
	return protect_levels(all, &push, &delete, err) == -1 ||
	    protection_change(p->db, p->arena, p->actor, all->names[0], all->id, &change, &rule, err) == -1
	    ? -1 : 0;
}

const struct kind kind_protect = {
	.names = { { .name = "project" }, { .name = "pattern", .is_crate = true } },
	.keys = protect_keys, .check = protect_check, .find = protect_find, .create = protect_create,
	.change = protect_change };

/* ---- issuers ---- */

static const struct provision_key issuer_keys[] = {
	[ISSUER_KIND] = { .name = "kind", .type = PROVISION_TEXT, .required = true, .fixed = true },
	[ISSUER_AUDIENCE] = { .name = "audience", .type = PROVISION_TEXT, .fixed = true },
	[ISSUER_JWKS_URL] = { .name = "jwks_url", .type = PROVISION_TEXT, .fixed = true },
	[ISSUER_ENABLED] = { .name = "enabled", .type = PROVISION_BOOL },
	{ 0 },
};

static int
issuer_check(const struct provision *p, struct provision_thing *thing, struct err *err)
{
	enum trust_kind kind;

	(void)p;
	return thing->values[ISSUER_KIND] == NULL ? 0 : trust_kind_parse(thing->values[ISSUER_KIND], &kind, err);
}

static int
issuer_kind_find(const struct provision *p, const struct provision_thing *wanted,
    struct provision_thing *current, bool *found, struct err *err)
{
	struct issuer *issuers;
	size_t n;

	if (issuer_list(p->db, p->arena, &issuers, &n, err) == -1)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (strcmp(issuers[i].url, wanted->names[0]) != 0)
			continue;
		*found = true;
		current->id = issuers[i].id;
		current->values[ISSUER_KIND] = issuers[i].kind;
		current->values[ISSUER_AUDIENCE] = issuers[i].audience;
		current->values[ISSUER_JWKS_URL] = issuers[i].jwks_url;
		current->values[ISSUER_ENABLED] = issuers[i].enabled ? "true" : "false";
	}
	return 0;
}

static int
issuer_change(const struct provision *p, const struct provision_thing *wanted,
    const struct provision_thing *all, struct err *err)
{
	const char *enabled = wanted->values[ISSUER_ENABLED];
	int64_t id;

	(void)all;
	if (enabled == NULL)
		return 0;
	return issuer_set_enabled(p->db, p->arena, p->actor, wanted->names[0], strcmp(enabled, "true") == 0, &id,
	    err);
}

static int
issuer_create(const struct provision *p, struct provision_thing *thing, struct err *err)
{
	const char *enabled = thing->values[ISSUER_ENABLED];
	struct issuer issuer = { .url = thing->names[0], .kind = thing->values[ISSUER_KIND],
		.audience = or_empty(thing->values[ISSUER_AUDIENCE]),
		.jwks_url = or_empty(thing->values[ISSUER_JWKS_URL]) };

	if (issuer_add(p->db, p->arena, p->actor, &issuer, &thing->id, err) == -1)
		return -1;
	return enabled != NULL && strcmp(enabled, "false") == 0 ? issuer_change(p, thing, thing, err) : 0;
}

const struct kind kind_issuer = { .names = { { .name = "url", .exact = true } },
	.keys = issuer_keys, .check = issuer_check, .find = issuer_kind_find,
	.create = issuer_create, .change = issuer_change };

/* ---- trust rules ---- */

static const struct provision_key trust_keys[] = {
	[TRUST_CRATES] = { .name = "crates", .type = PROVISION_COMMAS, .empty = "all" },
	[TRUST_OPERATIONS] = { .name = "operations", .type = PROVISION_COMMAS,
	    .initial = "publish-new,publish-update" },
	[TRUST_USER] = { .name = "user", .type = PROVISION_TEXT },
	{ 0 },
};

/* An empty list of crates, or an empty name, must not become all of them, or nobody. */
static int
trust_check(const struct provision *p, struct provision_thing *thing, struct err *err)
{
	const char **v = thing->values;

	return (v[TRUST_CRATES] != NULL &&
	        token_words_crates(p->arena, v[TRUST_CRATES], &v[TRUST_CRATES], err) == -1) ||
	    (v[TRUST_OPERATIONS] != NULL && token_words_parse(p->arena, &token_words_operations,
	        v[TRUST_OPERATIONS], &v[TRUST_OPERATIONS], err) == -1) ||
	    (v[TRUST_USER] != NULL && naming_check_username(v[TRUST_USER], err) == -1)
	    ? -1 : 0;
}

static struct namespace_ref
trust_project(const struct provision_thing *thing)
{
	return (struct namespace_ref) { .path = slice_str(thing->names[0]) };
}

/* Are two objects of claims and patterns one? */
static bool
same_claims(struct arena *a, const char *left, const char *right)
{
	struct json_object *l, *r;
	struct err ignored;

	return json_parse(a, slice_str(left), "the claims", &l, &ignored) == 0 &&
	    json_parse(a, slice_str(right), "the claims", &r, &ignored) == 0 && json_object_equal(l, r) != 0;
}

static int
trust_find(const struct provision *p, const struct provision_thing *wanted,
    struct provision_thing *current, bool *found, struct err *err)
{
	const struct namespace_ref project = trust_project(wanted);
	struct trust_rule *rules;
	size_t n;

	if (trust_rule_list(p->db, p->arena, &project, &rules, &n, err) == -1)
		return -1;
	for (size_t i = 0; i < n && !*found; i++) {
		if (strcmp(rules[i].issuer, wanted->names[1]) != 0 ||
		    !same_claims(p->arena, rules[i].claims, wanted->names[2]))
			continue;
		*found = true;
		current->id = rules[i].id;
		current->values[TRUST_CRATES] = or_empty(rules[i].crates);
		current->values[TRUST_OPERATIONS] = or_empty(rules[i].operations);
		current->values[TRUST_USER] = or_empty(rules[i].username);
	}
	return 0;
}

/* What a claim means depends on the kind of the issuer. */
static int
check_claims(const struct provision *p, const struct trust_rule *rule, struct err *err)
{
	struct json_object *patterns;

	return json_parse(p->arena, slice_str(rule->claims), "the claims", &patterns, err) == -1 ||
	    issuer_check_patterns(p->db, p->arena, rule->issuer, patterns, err) == -1 ? -1 : 0;
}

static int
trust_add(const struct provision *p, const struct provision_thing *thing, int64_t *id, struct err *err)
{
	const struct namespace_ref project = trust_project(thing);
	const struct trust_rule rule = { .id = thing->id, .issuer = thing->names[1], .claims = thing->names[2],
		.crates = or_null(thing->values[TRUST_CRATES]), .operations = thing->values[TRUST_OPERATIONS],
		.username = or_null(thing->values[TRUST_USER]) };

	return check_claims(p, &rule, err) == -1 ||
	    trust_rule_add(p->db, p->arena, p->actor, &project, &rule, id, err) == -1 ? -1 : 0;
}

static int
trust_create(const struct provision *p, struct provision_thing *thing, struct err *err)
{
	return trust_add(p, thing, &thing->id, err);
}

/* What jobs have obtained by the rule as it was must end: so there is a new one. */
static int
trust_change(const struct provision *p, const struct provision_thing *wanted,
    const struct provision_thing *all, struct err *err)
{
	const struct namespace_ref project = trust_project(all);
	struct trust_rule *rules;
	int64_t id;
	size_t n;

	(void)wanted;
	if (trust_rule_list(p->db, p->arena, &project, &rules, &n, err) == -1 ||
	    trust_rule_remove(p->db, p->arena, p->actor, &project, all->id, err) == -1 ||
	    trust_add(p, all, &id, err) == -1)
		return -1;
	/* the first rule that fits decides: those that stood behind this one must stand there again */
	for (size_t i = 0; i < n; i++) {
		if (rules[i].id > all->id && strcmp(rules[i].issuer, all->names[1]) == 0 &&
		    (trust_rule_remove(p->db, p->arena, p->actor, &project, rules[i].id, err) == -1 ||
		    trust_rule_add(p->db, p->arena, p->actor, &project, &rules[i], &id, err) == -1))
			return -1;
	}
	return 0;
}

static bool
trust_same(size_t key, const char *a, const char *b)
{
	return key == TRUST_USER && strcasecmp(a, b) == 0;
}

const struct kind kind_trust = {
	.names = { { .name = "project" }, { .name = "issuer", .exact = true },
	    { .name = "claims", .type = PROVISION_OBJECT, .exact = true } },
	.keys = trust_keys, .check = trust_check, .find = trust_find, .create = trust_create,
	.change = trust_change, .same = trust_same };
