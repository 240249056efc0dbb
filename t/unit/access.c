/* access/access: the whole decision, as a table that can be read against access.md 2.2 and 5.1. */
#include "access/access.h"

#include "tap.h"

enum { OK = 0 };

/* Callers across, projects down; each cell: status of reading / of publishing. */
enum caller {
	ANONYMOUS,
	GARBAGE, /* malformed */
	UNKNOWN, /* well-formed, not in the database */
	REVOKED, /* or expired, or of a blocked user */
	STRANGER, /* a token of somebody who is no member */
	GUEST,
	REPORTER,
	DEVELOPER,
	MAINTAINER,
	OWNER,
	READ_API, /* a developer's token that can only read */
	NO_SCOPE, /* a developer's token with other scopes */
	ADMIN,
	CALLERS
};

static const char *const callers[CALLERS] = { "anonymous", "garbage", "unknown", "revoked",
	"stranger", "guest", "reporter", "developer", "maintainer", "owner", "read_api", "no scope",
	"admin" };

static const struct {
	const char *name;
	const char *visibility;
	bool exists, enabled, public_packages;
	int read[CALLERS], publish[CALLERS];
} projects[] = {
	{ "public", "public", true, true, false,
	    { OK, 401, 401, 401, OK, OK, OK, OK, OK, OK, OK, 403, OK },
	    { 401, 401, 401, 401, 403, 403, 403, OK, OK, OK, 403, 403, OK } },
	{ "internal", "internal", true, true, false,
	    { 401, 401, 401, 401, OK, OK, OK, OK, OK, OK, OK, 403, OK },
	    { 401, 401, 401, 401, 403, 403, 403, OK, OK, OK, 403, 403, OK } },
	{ "private", "private", true, true, false,
	    { 401, 401, 401, 401, 404, 403, OK, OK, OK, OK, OK, 403, OK },
	    { 401, 401, 401, 401, 404, 403, 403, OK, OK, OK, 403, 403, OK } },
	{ "private with public packages", "private", true, true, true,
	    { OK, 401, 401, 401, OK, OK, OK, OK, OK, OK, OK, 403, OK },
	    { 401, 401, 401, 401, 403, 403, 403, OK, OK, OK, 403, 403, OK } },
	{ "packages off", "public", true, false, false,
	    { 401, 401, 401, 401, 404, 404, 404, 404, 404, 404, 404, 404, 404 },
	    { 401, 401, 401, 401, 404, 404, 404, 404, 404, 404, 404, 404, 404 } },
	{ "missing", "", false, false, false,
	    { 401, 401, 401, 401, 404, 404, 404, 404, 404, 404, 404, 404, 404 },
	    { 401, 401, 401, 401, 404, 404, 404, 404, 404, 404, 404, 404, 404 } },
};

static enum credential
make_caller(struct access_facts *f, enum caller caller)
{
	static const int levels[CALLERS] = { [GUEST] = 10, [REPORTER] = 20, [DEVELOPER] = 30,
		[MAINTAINER] = 40, [OWNER] = 50, [READ_API] = 30, [NO_SCOPE] = 30, [REVOKED] = 50 };

	if (caller == ANONYMOUS)
		return CREDENTIAL_NONE;
	if (caller == GARBAGE)
		return CREDENTIAL_MALFORMED;
	if (caller == UNKNOWN)
		return CREDENTIAL_TOKEN;
	f->token_id = 5;
	f->user_id = 3;
	f->token_usable = caller != REVOKED;
	f->is_admin = caller == ADMIN;
	f->scope_api = caller != READ_API && caller != NO_SCOPE;
	f->scope_read_api = caller == READ_API;
	f->access_level = f->project_id != 0 ? levels[caller] : 0;
	return CREDENTIAL_TOKEN;
}

int
main(void)
{
	char stranger[ERR_PUB_SIZE] = "", missing[ERR_PUB_SIZE] = "";

	for (size_t p = 0; p < sizeof(projects) / sizeof(*projects); p++) {
		for (enum caller c = 0; c < CALLERS; c++) {
			for (int write = 0; write <= 1; write++) {
				struct access_facts f = { .visibility = projects[p].visibility,
					.project_id = projects[p].exists ? 7 : 0,
					.packages_enabled = projects[p].enabled,
					.public_packages = projects[p].public_packages };
				enum credential credential = make_caller(&f, c);
				struct err e = { 0 };
				int want = write ? projects[p].publish[c] : projects[p].read[c];
				int rc = access_decide(&f, credential,
				    write ? ACTION_CREATE_PACKAGE : ACTION_READ_PACKAGE, &e);

				ok(e.status == want && rc == (want == OK ? 0 : -1),
				    "%s %s %s: want %d, got %d", callers[c], write ? "publishes to" : "reads",
				    projects[p].name, want, e.status);
				if (c == STRANGER && strcmp(projects[p].name, "private") == 0)
					memcpy(stranger, e.pub, sizeof(stranger));
				if (c == STRANGER && strcmp(projects[p].name, "missing") == 0)
					memcpy(missing, e.pub, sizeof(missing));
			}
		}
	}
	is_str(stranger, missing, "a project one may not know of looks like one that is not there");
	return tap_done();
}
