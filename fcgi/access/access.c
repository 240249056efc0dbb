#include "access/access.h"

#include <stdio.h>
#include <string.h>

static const struct {
	int least; /* access level that is needed where visibility does not suffice */
	int least_in_group; /* where it is another one; 0: it is the same */
	bool writes;
	bool packages; /* only where they are switched on */
	bool users_only; /* no job, no deploy token */
	bool any_scope; /* needs no scope, since it is about the token itself */
	bool by_crate; /* also for who was given a crate, if it is that one */
	unsigned operations; /* a token that is limited must have one of these; 0: it may not */
	const char *what; /* "of project `PATH` needs at least the maintainer role", in a sentence */
	const char *where; /* in place of "of" */
	bool members_only; /* for members alone, even in a public namespace */
	bool anonymous; /* what is public needs no token */
	bool by_network; /* neither does it at some addresses */
	bool ended; /* a job's token that has ended will do */
} actions[ACTION__MAX] = {
	[ACTION_READ_FILES] = { .least = LEVEL_REPORTER, .packages = true,
	    .operations = TOKEN_ANY_OPERATION, .what = "reading packages", .anonymous = true,
	    .by_network = true },
	[ACTION_READ_PACKAGE] = { .least = LEVEL_REPORTER, .packages = true,
	    .operations = TOKEN_ANY_OPERATION, .what = "reading packages", .anonymous = true },
	[ACTION_CREATE_PACKAGE] = { .least = LEVEL_DEVELOPER, .writes = true, .packages = true,
	    .by_crate = true, .operations = TOKEN_PUBLISH_NEW | TOKEN_PUBLISH_UPDATE,
	    .what = "publishing", .where = "to" },
	[ACTION_YANK_PACKAGE] = { .least = LEVEL_DEVELOPER, .writes = true, .packages = true,
	    .by_crate = true, .operations = TOKEN_YANK, .what = "yanking", .where = "in" },
	[ACTION_DELETE_PACKAGE] = { .least = LEVEL_MAINTAINER, .writes = true, .packages = true,
	    .what = "deleting packages" },
	[ACTION_READ_OWNERS] = { .least = LEVEL_REPORTER, .packages = true,
	    .operations = TOKEN_ANY_OPERATION, .what = "reading owners" },
	[ACTION_CHANGE_OWNERS] = { .least = LEVEL_MAINTAINER, .writes = true, .packages = true,
	    .users_only = true, .operations = TOKEN_OWNERS, .what = "changing owners" },
	[ACTION_READ_PIPELINES] = { .least = LEVEL_REPORTER, .packages = true,
	    .operations = TOKEN_ANY_OPERATION, .what = "reading pipelines", .members_only = true },
	[ACTION_READ_EMAILS] = { .least = LEVEL_MAINTAINER, .packages = true, .users_only = true,
	    .operations = TOKEN_ANY_OPERATION, .what = "reading e-mail addresses", .members_only = true },
	[ACTION_READ_NAMESPACE] = { .least = LEVEL_GUEST, .users_only = true,
	    .operations = TOKEN_ANY_OPERATION, .what = "reading this", .anonymous = true },
	[ACTION_READ_MEMBERS] = { .least = LEVEL_GUEST, .users_only = true,
	    .operations = TOKEN_ANY_OPERATION, .what = "reading members" },
	[ACTION_CHANGE_MEMBERS] = { .least = LEVEL_MAINTAINER, .least_in_group = LEVEL_OWNER,
	    .writes = true, .users_only = true, .what = "changing members" },
	[ACTION_READ_SETTINGS] = { .least = LEVEL_MAINTAINER, .users_only = true,
	    .operations = TOKEN_ANY_OPERATION, .what = "reading settings" },
	[ACTION_CHANGE_SETTINGS] = { .least = LEVEL_MAINTAINER, .writes = true, .users_only = true,
	    .what = "changing settings" },
	[ACTION_CHANGE_NETWORKS] = { .least = LEVEL_OWNER, .writes = true, .users_only = true,
	    .what = "changing the attributes" },
	/* by a deploy token that is for this alone, see check_mint() */
	[ACTION_CREATE_JOB_TOKEN] = { .least = LEVEL_GUEST, .writes = true,
	    .what = "making tokens of jobs" },
	[ACTION_READ_TOKEN] = { .operations = TOKEN_ANY_OPERATION, .any_scope = true },
	[ACTION_END_TOKEN] = { .operations = TOKEN_ANY_OPERATION, .any_scope = true, .ended = true },
	[ACTION_READ_ACCOUNT] = { .users_only = true, .operations = TOKEN_ANY_OPERATION },
	[ACTION_CHANGE_ACCOUNT] = { .writes = true, .users_only = true },
};

static const struct {
	int level;
	const char *name;
} level_names[] = {
	{ LEVEL_GUEST, "guest" },
	{ LEVEL_REPORTER, "reporter" },
	{ LEVEL_DEVELOPER, "developer" },
	{ LEVEL_MAINTAINER, "maintainer" },
	{ LEVEL_OWNER, "owner" },
	{ LEVEL_ADMIN, "administrator" },
};

/* Who holds the token, and by what right. */
enum holder {
	HOLDER_USER,
	HOLDER_DEPLOY,
	HOLDER_JOB,
	HOLDER_FOREIGN_JOB,
	HOLDER_TRUSTED_JOB,
	HOLDER__MAX
};

static const struct {
	bool sees_internal;
	const char *to_write; /* what one that may read needs; NULL: a role */
	const char *to_read; /* the same, to read */
} holders[HOLDER__MAX] = {
	[HOLDER_USER] = { .sees_internal = true },
	[HOLDER_DEPLOY] = {
	    .to_write = "a deploy token of it, or of a group above it, with `write_package_registry`",
	    .to_read = "a deploy token of it, or of a group above it, with `read_package_registry`" },
	[HOLDER_JOB] = { .sees_internal = true,
	    .to_write = "at least the developer role of the user who started the job" },
	[HOLDER_FOREIGN_JOB] = { .sees_internal = true,
	    .to_write = "`admin_packages` for the project of the job in its allow-list, and the developer role "
	    "of the user who started the job" },
	[HOLDER_TRUSTED_JOB] = {
	    .to_write = "a trust rule of it for the job, and the developer role of the user in that rule" },
};

static enum holder
holder_of(const struct access_facts *f)
{
	if (strcmp(f->token_kind, "deploy") == 0)
		return HOLDER_DEPLOY;
	if (f->trust_rule_id != 0)
		return HOLDER_TRUSTED_JOB;
	if (strcmp(f->token_kind, "job") == 0)
		return f->in_namespace ? HOLDER_JOB : HOLDER_FOREIGN_JOB;
	return HOLDER_USER;
}

/* Who has a crate here reads what is around it. */
static int
user_level(const struct access_facts *f)
{
	if (f->is_admin)
		return LEVEL_ADMIN;
	return f->owns_crate && f->access_level < LEVEL_REPORTER ? LEVEL_REPORTER : f->access_level;
}

static int
deploy_level(const struct access_facts *f)
{
	if (!f->in_namespace)
		return LEVEL_NONE;
	if (f->scope_write_packages)
		return LEVEL_DEVELOPER;
	if (f->scope_read_packages)
		return LEVEL_REPORTER;
	return f->scope_create_job_token ? LEVEL_GUEST : LEVEL_NONE;
}

/* The allow-list lets no job do more than its user may, and perhaps less. */
static int
foreign_job_level(const struct access_facts *f)
{
	int level = user_level(f);

	if (f->job_policy == JOB_POLICY_NONE)
		return LEVEL_NONE;
	return f->job_policy == JOB_POLICY_READ && level > LEVEL_REPORTER ? LEVEL_REPORTER : level;
}

/* In the project of its rule alone; there as its user, or, without one, as a developer. */
static int
trusted_job_level(const struct access_facts *f)
{
	if (!f->in_namespace)
		return LEVEL_NONE;
	return f->user_id != 0 ? user_level(f) : LEVEL_DEVELOPER;
}

static int
level_of(const struct access_facts *f, enum holder holder)
{
	switch (holder) {
	case HOLDER_DEPLOY:
		return deploy_level(f);
	case HOLDER_FOREIGN_JOB:
		return foreign_job_level(f);
	case HOLDER_TRUSTED_JOB:
		return trusted_job_level(f);
	case HOLDER_USER:
	case HOLDER_JOB:
	case HOLDER__MAX:
		break;
	}
	return user_level(f);
}

static bool
is_visibility(const struct access_facts *f, const char *visibility)
{
	return strcmp(f->visibility, visibility) == 0;
}

bool
access_is_public(const struct access_facts *f)
{
	return f->project_id != 0 && f->packages_enabled && !f->switched_off &&
	    (is_visibility(f, "public") || f->public_packages);
}

/* A token is judged by itself: nginx finds the files for it at any address. */
bool
access_by_network(const struct access_facts *f)
{
	return f->from_network && f->token_id == 0 && (f->project_id != 0 || f->group_id != 0) &&
	    f->packages_enabled && !f->switched_off;
}

int
access_push_level(const struct access_facts *f)
{
	switch (holder_of(f)) {
	case HOLDER_DEPLOY:
		return LEVEL_NONE;
	case HOLDER_TRUSTED_JOB:
		return trusted_job_level(f);
	case HOLDER_USER:
	case HOLDER_JOB:
	case HOLDER_FOREIGN_JOB:
	case HOLDER__MAX:
		break;
	}
	return user_level(f);
}

int64_t
access_crate_user(const struct access_facts *f)
{
	if (level_of(f, holder_of(f)) >= LEVEL_DEVELOPER)
		return 0;
	/* nobody has the id -1: who is no user was given no crate */
	return f->user_id != 0 ? f->user_id : -1;
}

const char *
access_level_name(int level)
{
	for (size_t i = 0; i < sizeof(level_names) / sizeof(*level_names); i++) {
		if (level_names[i].level == level)
			return level_names[i].name;
	}
	return "none";
}

static bool
is_namespace(const struct access_facts *f)
{
	return f->project_id != 0 || f->group_id != 0;
}

/* Public or internal; packages may be public where the project is not. */
static bool
is_visible(const struct access_facts *f, enum action action, bool sees_internal)
{
	if (f->switched_off)
		return false;
	if (is_visibility(f, "internal") && sees_internal)
		return true;
	if (actions[action].packages && f->namespace_kind == NAMESPACE_PROJECT)
		return access_is_public(f);
	return is_namespace(f) && is_visibility(f, "public");
}

static int
refuse_unknown(const struct access_facts *f, struct err *err)
{
	return err_set(err, 404, "%s Not Found",
	    f->namespace_kind == NAMESPACE_GROUP ? "Group" : "Project");
}

/* Says what the caller needs in a place that they know of. */
static int
refuse(const struct access_facts *f, enum action action, const char *needs, struct err *err)
{
	const char *where = actions[action].where;

	return err_set(err, 403, "%s %s %s `%s` needs %s", actions[action].what, where != NULL ? where : "of",
	    f->namespace_kind == NAMESPACE_GROUP ? "group" : "project", f->full_path, needs);
}

static int
refuse_level(const struct access_facts *f, enum holder holder, enum action action, int least, struct err *err)
{
	bool own = holder == HOLDER_USER && f->access_level != LEVEL_NONE;
	char needs[sizeof("at least the administrator role; you have the administrator role")];

	snprintf(needs, sizeof(needs), "at least the %s role%s%s%s", access_level_name(least),
	    own ? "; you have the " : "", own ? access_level_name(f->access_level) : "", own ? " role" : "");
	return refuse(f, action, needs, err);
}

/* Only a caller who has the whole token learns what became of it. */
static int
refuse_token(const struct access_facts *f, struct err *err)
{
	static const char *const whys[] = {
		[TOKEN_REVOKED] = "the token was revoked",
		[TOKEN_EXPIRED] = "the token has expired",
		[TOKEN_BLOCKED] = "the user of the token is blocked",
		[TOKEN_UNCHECKED] = NULL,
	};
	const char *why = f->token_id != 0 ? whys[f->token_state] : NULL;

	return err_set(err, 401, "%s", why != NULL ? why : "the token is invalid, expired or revoked");
}

/* What a token that is limited may do. */
static int
check_operations(const struct access_facts *f, enum action action, struct err *err)
{
	unsigned needed = actions[action].operations;

	if (needed == 0)
		return token_limits_any(&f->limits) ? token_limits_refuse(0, err) : 0;
	return (f->limits.operations & needed) == 0 ? token_limits_refuse(needed, err) : 0;
}

/* A rule with all operations is still one for crates alone: no user has made it a token of theirs. */
static int
check_rule(const struct access_facts *f, enum action action, struct err *err)
{
	unsigned needed = actions[action].operations;

	return (f->limits.operations & needed) == 0 ? token_limits_refuse(needed, err) : 0;
}

/* What a user's own token is for; the other kinds have their level by their scopes. */
static int
check_scopes(const struct access_facts *f, enum action action, struct err *err)
{
	bool writes = actions[action].writes;

	if (!f->scope_api && (writes || !f->scope_read_api))
		return err_set(err, 403, "the token does not have the scope `%s`",
		    writes ? "api" : "read_api");
	return check_operations(f, action, err);
}

/* Nobody: what is public may be read, but for what members alone may see; and files from some addresses. */
static int
decide_anonymous(const struct access_facts *f, enum action action, struct err *err)
{
	if (actions[action].anonymous && is_visible(f, action, false))
		return 0;
	if (actions[action].by_network && access_by_network(f))
		return 0;
	/* anybody may read this registry, so name what needs a token */
	if (actions[action].packages && access_is_public(f))
		return err_set(err, 401, "%s needs a token", actions[action].what);
	return err_set(err, 401, "%s needs a token",
	    actions[action].packages ? "this registry" : "this");
}

/* Is it of use to find the crate and see whether it is the caller's? */
static bool
has_crate(const struct access_facts *f, enum holder holder)
{
	return f->owns_crate &&
	    (holder != HOLDER_FOREIGN_JOB || f->job_policy == JOB_POLICY_ADMIN) &&
	    (holder != HOLDER_TRUSTED_JOB || f->in_namespace);
}

/* It acts for others, so that nothing else carries this right along. */
static int
check_mint(const struct access_facts *f, enum holder holder, struct err *err)
{
	if (holder == HOLDER_DEPLOY && f->in_namespace && f->scope_create_job_token)
		return 0;
	return err_set(err, 403,
	    "making tokens of jobs needs a deploy token of this project with `create_job_token`");
}

/* Somebody, in a namespace that is there. */
static int
decide_in_namespace(const struct access_facts *f, enum holder holder, enum action action,
    struct err *err)
{
	int level = level_of(f, holder);
	int least = actions[action].least;
	bool visible = is_visible(f, action, holders[holder].sees_internal);

	if (f->namespace_kind == NAMESPACE_GROUP && actions[action].least_in_group != 0)
		least = actions[action].least_in_group;
	if (!visible && level == LEVEL_NONE)
		return refuse_unknown(f, err);
	/* a guest of a private project knows that it exists, and no more */
	if (!visible && actions[action].packages && level < actions[ACTION_READ_PACKAGE].least)
		return holders[holder].to_read != NULL
		    ? refuse(f, ACTION_READ_PACKAGE, holders[holder].to_read, err)
		    : refuse_level(f, holder, ACTION_READ_PACKAGE, LEVEL_REPORTER, err);
	if (actions[action].users_only && holder != HOLDER_USER)
		return err_set(err, 403, "%s needs a user's token", actions[action].what);
	if (action == ACTION_CREATE_JOB_TOKEN)
		return check_mint(f, holder, err);
	if (level >= least)
		return 0;
	if (visible && !actions[action].members_only && !actions[action].writes &&
	    least <= LEVEL_REPORTER)
		return 0;
	if (actions[action].by_crate && has_crate(f, holder))
		return 0;
	if (actions[action].packages && least == LEVEL_DEVELOPER && holders[holder].to_write != NULL)
		return refuse(f, action, holders[holder].to_write, err);
	return refuse_level(f, holder, action, least, err);
}

/* Somebody who asks about themselves. */
static int
decide_caller(enum holder holder, enum action action, struct err *err)
{
	if (actions[action].users_only && holder != HOLDER_USER)
		return err_set(err, 403, "this needs a user's token");
	return 0;
}

/* A job's last step gives its token back, even if the job has outlived it. */
static bool
is_good_enough(const struct access_facts *f, enum action action)
{
	return f->token_usable || (actions[action].ended && strcmp(f->token_kind, "job") == 0);
}

int
access_decide(const struct access_facts *f, enum credential credential, enum action action,
    struct err *err)
{
	enum holder holder;

	if (credential == CREDENTIAL_NONE)
		return decide_anonymous(f, action, err);
	if (credential == CREDENTIAL_MALFORMED || f->token_id == 0 || !is_good_enough(f, action))
		return refuse_token(f, err);
	holder = holder_of(f);
	if (f->switched_off)
		return f->namespace_kind == NAMESPACE_NONE ? err_set(err, 404, "Not Found")
						    : refuse_unknown(f, err);
	if (f->namespace_kind == NAMESPACE_NONE) {
		if (decide_caller(holder, action, err) == -1)
			return -1;
	} else {
		if (!is_namespace(f) || (actions[action].packages && !f->packages_enabled))
			return refuse_unknown(f, err);
		if (decide_in_namespace(f, holder, action, err) == -1)
			return -1;
	}
	if (holder == HOLDER_TRUSTED_JOB && actions[action].writes)
		return check_rule(f, action, err);
	return holder == HOLDER_USER && !actions[action].any_scope ? check_scopes(f, action, err) : 0;
}
