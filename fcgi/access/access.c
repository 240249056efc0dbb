#include "access/access.h"

#include <string.h>

static const struct {
	int least; /* access level in a private project */
	bool needs_write_scope;
	const char *forbidden;
} actions[ACTION__MAX] = {
	[ACTION_READ_PACKAGE] = { LEVEL_REPORTER, false,
	    "reading packages of this project needs at least the reporter role" },
	[ACTION_CREATE_PACKAGE] = { LEVEL_DEVELOPER, true,
	    "publishing to this project needs at least the developer role" },
};

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
	if (strcmp(f->token_kind, "deploy") == 0)
		return LEVEL_NONE;
	return f->is_admin ? LEVEL_ADMIN : f->access_level;
}

/* May the caller read packages here, by visibility or by membership? */
static bool
can_read(const struct access_facts *f, bool signed_in, int level)
{
	return access_is_public(f) || (is_visibility(f, "internal") && signed_in) ||
	    level >= actions[ACTION_READ_PACKAGE].least;
}

int
access_decide(const struct access_facts *f, enum credential credential, enum action action,
    struct err *err)
{
	bool signed_in = credential == CREDENTIAL_TOKEN && f->token_id != 0 && f->token_usable;
	int level = !signed_in ? LEVEL_NONE : f->is_admin ? LEVEL_ADMIN : f->access_level;

	if (credential != CREDENTIAL_NONE && !signed_in)
		return err_set(err, 401, "the token is invalid, expired or revoked");
	if (f->project_id == 0 || !f->packages_enabled || !can_read(f, signed_in, level)) {
		if (!signed_in)
			return err_set(err, 401, "this registry needs a token");
		/* a guest of a private project knows that it exists */
		if (f->project_id != 0 && f->packages_enabled && level > LEVEL_NONE)
			return err_set(err, 403, "%s", actions[ACTION_READ_PACKAGE].forbidden);
		return err_set(err, 404, "Project Not Found");
	}
	if (action != ACTION_READ_PACKAGE) {
		if (!signed_in)
			return err_set(err, 401, "publishing needs a token");
		if (level < actions[action].least)
			return err_set(err, 403, "%s", actions[action].forbidden);
	}
	if (signed_in && !f->scope_api && (actions[action].needs_write_scope || !f->scope_read_api))
		return err_set(err, 403, "the token does not have the scope `%s`",
		    actions[action].needs_write_scope ? "api" : "read_api");
	return 0;
}
