#include "access/access.h"

#include <string.h>

static const struct {
	int least; /* access level that is needed where visibility does not suffice */
	bool writes;
	unsigned operations; /* a token that is limited must have one of these */
} actions[ACTION__MAX] = {
	[ACTION_READ_PACKAGE] = { LEVEL_REPORTER, false, TOKEN_ANY_OPERATION },
	[ACTION_CREATE_PACKAGE] = { LEVEL_DEVELOPER, true,
	    TOKEN_PUBLISH_NEW | TOKEN_PUBLISH_UPDATE },
	[ACTION_YANK_PACKAGE] = { LEVEL_DEVELOPER, true, TOKEN_YANK },
};

/* Who holds the token, and by what right. */
enum holder { HOLDER_USER, HOLDER_DEPLOY, HOLDER_JOB, HOLDER_FOREIGN_JOB, HOLDER__MAX };

static const struct {
	bool sees_internal;
	const char *no_write; /* why not, to one that may read */
} holders[HOLDER__MAX] = {
	[HOLDER_USER] = { true, "publishing to this project needs at least the developer role" },
	[HOLDER_DEPLOY] = { false,
	    "publishing needs a deploy token of this project with `write_package_registry`" },
	[HOLDER_JOB] = { true,
	    "publishing to this project needs at least the developer role of who started the job" },
	[HOLDER_FOREIGN_JOB] = { true,
	    "publishing from a job of another project needs `admin_packages` for it in the "
	    "allow-list of this one, and the developer role of who started the job" },
};

static enum holder
holder_of(const struct access_facts *f)
{
	if (strcmp(f->token_kind, "deploy") == 0)
		return HOLDER_DEPLOY;
	if (strcmp(f->token_kind, "job") == 0)
		return f->in_place ? HOLDER_JOB : HOLDER_FOREIGN_JOB;
	return HOLDER_USER;
}

static int
user_level(const struct access_facts *f)
{
	return f->is_admin ? LEVEL_ADMIN : f->access_level;
}

static int
deploy_level(const struct access_facts *f)
{
	if (!f->in_place)
		return LEVEL_NONE;
	if (f->scope_write_packages)
		return LEVEL_DEVELOPER;
	return f->scope_read_packages ? LEVEL_REPORTER : LEVEL_NONE;
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

static int
level_of(const struct access_facts *f, enum holder holder)
{
	switch (holder) {
	case HOLDER_DEPLOY:
		return deploy_level(f);
	case HOLDER_FOREIGN_JOB:
		return foreign_job_level(f);
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
	return f->project_id != 0 && f->packages_enabled &&
	    (is_visibility(f, "public") || f->public_packages);
}

int
access_push_level(const struct access_facts *f)
{
	return holder_of(f) == HOLDER_DEPLOY ? LEVEL_NONE : user_level(f);
}

/* May the caller read packages here, by visibility or by level? */
static bool
can_read(const struct access_facts *f, bool sees_internal, int level)
{
	return access_is_public(f) || (is_visibility(f, "internal") && sees_internal) ||
	    level >= actions[ACTION_READ_PACKAGE].least;
}

/* What a user's own token is for; the other kinds have their level by their scopes. */
static int
check_scopes(const struct access_facts *f, enum action action, struct err *err)
{
	bool writes = actions[action].writes;

	if (!f->scope_api && (writes || !f->scope_read_api))
		return err_set(err, 403, "the token does not have the scope `%s`",
		    writes ? "api" : "read_api");
	if ((f->limits.operations & actions[action].operations) == 0)
		return token_limits_refuse(err);
	return 0;
}

static int
decide_anonymous(const struct access_facts *f, enum action action, struct err *err)
{
	if (!access_is_public(f))
		return err_set(err, 401, "this registry needs a token");
	return actions[action].writes ? err_set(err, 401, "publishing needs a token") : 0;
}

int
access_decide(const struct access_facts *f, enum credential credential, enum action action,
    struct err *err)
{
	enum holder holder = holder_of(f);
	int level = level_of(f, holder);

	if (credential == CREDENTIAL_NONE)
		return decide_anonymous(f, action, err);
	if (credential == CREDENTIAL_MALFORMED || f->token_id == 0 || !f->token_usable)
		return err_set(err, 401, "the token is invalid, expired or revoked");
	if (f->project_id == 0 || !f->packages_enabled)
		return err_set(err, 404, "Project Not Found");
	if (!can_read(f, holders[holder].sees_internal, level)) {
		/* a guest of a private project knows that it exists */
		if (level > LEVEL_NONE)
			return err_set(err, 403,
			    "reading packages of this project needs at least the reporter role");
		return err_set(err, 404, "Project Not Found");
	}
	if (actions[action].writes && level < actions[action].least)
		return err_set(err, 403, "%s", holders[holder].no_write);
	return holder == HOLDER_USER ? check_scopes(f, action, err) : 0;
}
