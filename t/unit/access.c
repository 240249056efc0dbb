/*
 * access/access: the whole decision, as tables.  In each table callers go down and projects across; each cell
 * is the status of reading, of publishing and of yanking, 0 for yes.
 */
#include "access/access.h"

#include "tap.h"

#define SIZE(x) (sizeof(x) / sizeof(*(x)))

enum namespace { PUBLIC, INTERNAL, PRIVATE, PRIVATE_PUBLIC, OFF, MISSING, NAMESPACES };

static const struct {
	const char *name, *visibility;
	bool exists, enabled, public_packages;
} namespaces[NAMESPACES] = {
	[PUBLIC] = { "public", "public", true, true, false },
	[INTERNAL] = { "internal", "internal", true, true, false },
	[PRIVATE] = { "private", "private", true, true, false },
	[PRIVATE_PUBLIC] = { "private with public packages", "private", true, true, true },
	[OFF] = { "packages off", "public", true, false, false },
	[MISSING] = { "missing", "", false, false, false },
};

struct cell {
	int read, publish, yank;
};

#define OK   { 0, 0, 0 }
#define READ { 0, 403, 403 } /* may know of it and read, no more */
#define ANON { 0, 401, 401 } /* anybody may read; more needs a token */
#define S401 { 401, 401, 401 }
#define S403 { 403, 403, 403 }
#define S404 { 404, 404, 404 }
#define GONE S404, S404 /* packages are off, or there is no such project */

static const struct caller {
	const char *name;
	enum credential credential;
	const char *kind; /* NULL: the token is not known */
	bool unusable; /* revoked, expired, of a blocked user */
	bool admin;
	int level;
	bool api, read_api, read_packages, write_packages;
	bool in_namespace;
	enum job_policy policy;
	bool crate; /* some crate was given to them */
	bool rule, of_nobody; /* a job that a trust rule let in; without a user */
	struct cell want[NAMESPACES];
} callers[] = {
	{ "anonymous", CREDENTIAL_NONE, NULL, .want = { ANON, S401, S401, ANON, S401, S401 } },
	{ "garbage", CREDENTIAL_MALFORMED, NULL, .want = { S401, S401, S401, S401, S401, S401 } },
	{ "unknown", CREDENTIAL_TOKEN, NULL, .want = { S401, S401, S401, S401, S401, S401 } },
	{ "an owner's, revoked", CREDENTIAL_TOKEN, "personal", true, .level = 50, .api = true,
	    .want = { S401, S401, S401, S401, S401, S401 } },
	{ "deploy, revoked", CREDENTIAL_TOKEN, "deploy", true, .write_packages = true,
	    .in_namespace = true, .want = { S401, S401, S401, S401, S401, S401 } },
	{ "job, ended", CREDENTIAL_TOKEN, "job", true, .level = 50, .in_namespace = true,
	    .want = { S401, S401, S401, S401, S401, S401 } },

	/* a user's own token: 5.1, "Public, Internal, Private" by role */
	{ "stranger", CREDENTIAL_TOKEN, "personal", .api = true,
	    .want = { READ, READ, S404, READ, GONE } },
	{ "guest", CREDENTIAL_TOKEN, "personal", .level = 10, .api = true,
	    .want = { READ, READ, S403, READ, GONE } },
	{ "reporter", CREDENTIAL_TOKEN, "personal", .level = 20, .api = true,
	    .want = { READ, READ, READ, READ, GONE } },
	{ "developer", CREDENTIAL_TOKEN, "personal", .level = 30, .api = true,
	    .want = { OK, OK, OK, OK, GONE } },
	{ "maintainer", CREDENTIAL_TOKEN, "personal", .level = 40, .api = true,
	    .want = { OK, OK, OK, OK, GONE } },
	{ "owner", CREDENTIAL_TOKEN, "personal", .level = 50, .api = true,
	    .want = { OK, OK, OK, OK, GONE } },
	{ "admin", CREDENTIAL_TOKEN, "personal", .admin = true, .api = true,
	    .want = { OK, OK, OK, OK, GONE } },
	{ "a developer's read_api", CREDENTIAL_TOKEN, "personal", .level = 30, .read_api = true,
	    .want = { READ, READ, READ, READ, GONE } },
	{ "a developer's without a scope", CREDENTIAL_TOKEN, "personal", .level = 30,
	    .want = { S403, S403, S403, S403, GONE } },
	{ "a developer's with the scope of deploy tokens", CREDENTIAL_TOKEN, "personal",
	    .level = 30, .write_packages = true, .want = { S403, S403, S403, S403, GONE } },

	/* a deploy token: 2.2, "deploy token without read scope"; it is no signed-in user */
	{ "deploy, reads", CREDENTIAL_TOKEN, "deploy", .read_packages = true, .in_namespace = true,
	    .want = { READ, READ, READ, READ, GONE } },
	{ "deploy, writes", CREDENTIAL_TOKEN, "deploy", .write_packages = true, .in_namespace = true,
	    .want = { OK, OK, OK, OK, GONE } },
	{ "deploy, both", CREDENTIAL_TOKEN, "deploy", .read_packages = true,
	    .write_packages = true, .in_namespace = true, .want = { OK, OK, OK, OK, GONE } },
	{ "deploy, neither", CREDENTIAL_TOKEN, "deploy", .in_namespace = true,
	    .want = { READ, S404, S404, READ, GONE } },
	{ "deploy with the scope of users", CREDENTIAL_TOKEN, "deploy", .api = true,
	    .in_namespace = true, .want = { READ, S404, S404, READ, GONE } },
	{ "deploy of elsewhere, reads", CREDENTIAL_TOKEN, "deploy", .read_packages = true,
	    .want = { READ, S404, S404, READ, GONE } },
	{ "deploy of elsewhere, writes", CREDENTIAL_TOKEN, "deploy", .write_packages = true,
	    .want = { READ, S404, S404, READ, GONE } },

	/* a job of the project: 5.2, "same access as the user who triggered it" */
	{ "job of a stranger", CREDENTIAL_TOKEN, "job", .in_namespace = true,
	    .want = { READ, READ, S404, READ, GONE } },
	{ "job of a guest", CREDENTIAL_TOKEN, "job", .level = 10, .in_namespace = true,
	    .want = { READ, READ, S403, READ, GONE } },
	{ "job of a reporter", CREDENTIAL_TOKEN, "job", .level = 20, .in_namespace = true,
	    .want = { READ, READ, READ, READ, GONE } },
	{ "job of a developer", CREDENTIAL_TOKEN, "job", .level = 30, .in_namespace = true,
	    .want = { OK, OK, OK, OK, GONE } },
	{ "job of an admin", CREDENTIAL_TOKEN, "job", .admin = true, .in_namespace = true,
	    .want = { OK, OK, OK, OK, GONE } },

	/* of another: on the allow-list AND with the role; public and internal as any user */
	{ "foreign job of an owner", CREDENTIAL_TOKEN, "job", .level = 50,
	    .want = { READ, READ, S404, READ, GONE } },
	{ "foreign job of an admin", CREDENTIAL_TOKEN, "job", .admin = true,
	    .want = { READ, READ, S404, READ, GONE } },
	{ "may read, of a stranger", CREDENTIAL_TOKEN, "job", .policy = JOB_POLICY_READ,
	    .want = { READ, READ, S404, READ, GONE } },
	{ "may read, of a guest", CREDENTIAL_TOKEN, "job", .level = 10, .policy = JOB_POLICY_READ,
	    .want = { READ, READ, S403, READ, GONE } },
	{ "may read, of a reporter", CREDENTIAL_TOKEN, "job", .level = 20,
	    .policy = JOB_POLICY_READ, .want = { READ, READ, READ, READ, GONE } },
	{ "may read, of an owner", CREDENTIAL_TOKEN, "job", .level = 50,
	    .policy = JOB_POLICY_READ, .want = { READ, READ, READ, READ, GONE } },
	{ "may read, of an admin", CREDENTIAL_TOKEN, "job", .admin = true,
	    .policy = JOB_POLICY_READ, .want = { READ, READ, READ, READ, GONE } },
	{ "may write, of a stranger", CREDENTIAL_TOKEN, "job", .policy = JOB_POLICY_ADMIN,
	    .want = { READ, READ, S404, READ, GONE } },
	{ "may write, of a reporter", CREDENTIAL_TOKEN, "job", .level = 20,
	    .policy = JOB_POLICY_ADMIN, .want = { READ, READ, READ, READ, GONE } },
	{ "may write, of a developer", CREDENTIAL_TOKEN, "job", .level = 30,
	    .policy = JOB_POLICY_ADMIN, .want = { OK, OK, OK, OK, GONE } },

	/* who was given a crate reads, and may write what turns out to be it */
	{ "stranger with a crate", CREDENTIAL_TOKEN, "personal", .api = true, .crate = true,
	    .want = { OK, OK, OK, OK, GONE } },
	{ "guest with a crate", CREDENTIAL_TOKEN, "personal", .level = 10, .api = true,
	    .crate = true, .want = { OK, OK, OK, OK, GONE } },
	{ "reporter with a crate", CREDENTIAL_TOKEN, "personal", .level = 20, .api = true,
	    .crate = true, .want = { OK, OK, OK, OK, GONE } },
	{ "read_api of who has a crate", CREDENTIAL_TOKEN, "personal", .read_api = true,
	    .crate = true, .want = { READ, READ, READ, READ, GONE } },
	{ "revoked, of who has a crate", CREDENTIAL_TOKEN, "personal", true, .api = true,
	    .crate = true, .want = { S401, S401, S401, S401, S401, S401 } },
	{ "job of who has a crate", CREDENTIAL_TOKEN, "job", .in_namespace = true, .crate = true,
	    .want = { OK, OK, OK, OK, GONE } },
	{ "foreign job of who has a crate", CREDENTIAL_TOKEN, "job", .crate = true,
	    .want = { READ, READ, S404, READ, GONE } },
	{ "may read, of who has a crate", CREDENTIAL_TOKEN, "job", .policy = JOB_POLICY_READ,
	    .crate = true, .want = { READ, READ, READ, READ, GONE } },
	{ "may write, of who has a crate", CREDENTIAL_TOKEN, "job", .policy = JOB_POLICY_ADMIN,
	    .crate = true, .want = { OK, OK, OK, OK, GONE } },

	/* let in by a trust rule: a developer, or the user of the rule, in its project alone */
	{ "trusted job", CREDENTIAL_TOKEN, "job", .in_namespace = true, .rule = true,
	    .of_nobody = true, .want = { OK, OK, OK, OK, GONE } },
	{ "trusted job elsewhere", CREDENTIAL_TOKEN, "job", .rule = true, .of_nobody = true,
	    .policy = JOB_POLICY_ADMIN, .want = { READ, S404, S404, READ, GONE } },
	{ "trusted job of a reporter", CREDENTIAL_TOKEN, "job", .level = 20, .in_namespace = true,
	    .rule = true, .want = { READ, READ, READ, READ, GONE } },
	{ "trusted job of an owner, elsewhere", CREDENTIAL_TOKEN, "job", .level = 50, .rule = true,
	    .policy = JOB_POLICY_ADMIN, .want = { READ, S404, S404, READ, GONE } },
	{ "trusted job of who has a crate, elsewhere", CREDENTIAL_TOKEN, "job", .crate = true,
	    .rule = true, .policy = JOB_POLICY_ADMIN, .want = { READ, S404, S404, READ, GONE } },
	{ "trusted job of who has a crate", CREDENTIAL_TOKEN, "job", .crate = true,
	    .in_namespace = true, .rule = true, .want = { OK, OK, OK, OK, GONE } },
	{ "trusted job whose rule has gone", CREDENTIAL_TOKEN, "job", true, .in_namespace = true,
	    .of_nobody = true, .want = { S401, S401, S401, S401, S401, S401 } },
};

/* As the statement would find them: of a project that is not there nothing is known. */
static struct access_facts
facts(const struct caller *c, enum namespace namespace)
{
	bool exists = namespaces[namespace].exists;

	return (struct access_facts) {
		.token_id = c->kind != NULL ? 5 : 0,
		.token_kind = c->kind != NULL ? c->kind : "",
		.token_usable = c->kind != NULL && !c->unusable,
		.is_admin = c->admin,
		.scope_api = c->api,
		.scope_read_api = c->read_api,
		.scope_read_packages = c->read_packages,
		.scope_write_packages = c->write_packages,
		.limits.operations = TOKEN_ANY_OPERATION,
		.user_id = c->kind == NULL || strcmp(c->kind, "deploy") == 0 || c->of_nobody ? 0 : 3,
		.trust_rule_id = c->rule ? 9 : 0,
		.in_namespace = exists && c->in_namespace,
		.job_policy = exists ? c->policy : JOB_POLICY_NONE,
		.project_id = exists ? 7 : 0,
		.visibility = namespaces[namespace].visibility,
		.packages_enabled = namespaces[namespace].enabled,
		.public_packages = namespaces[namespace].public_packages,
		.access_level = exists ? c->level : 0,
		.owns_crate = exists && c->crate,
	};
}

static void
check(const struct caller *c, enum namespace namespace)
{
	const struct cell *want = &c->want[namespace];
	const struct {
		enum action action;
		int status;
	} cells[] = {
		{ ACTION_READ_FILES, want->read },
		{ ACTION_READ_PACKAGE, want->read },
		{ ACTION_CREATE_PACKAGE, want->publish },
		{ ACTION_YANK_PACKAGE, want->yank },
	};
	const struct access_facts f = facts(c, namespace);

	for (size_t i = 0; i < SIZE(cells); i++) {
		struct err e = { 0 };
		int rc = access_decide(&f, c->credential, cells[i].action, &e);

		ok(e.status == cells[i].status && rc == (cells[i].status == 0 ? 0 : -1),
		    "%s, %s, action %d: want %d, got %d", c->name, namespaces[namespace].name,
		    (int)cells[i].action, cells[i].status, e.status);
		if (e.status == 404)
			is_str(e.pub, "Project Not Found", "one and the same answer");
	}
}

/* An owner's token that may do these operations only: the status of each action in turn. */
/* What a flag has switched off is as if there were no such project, to every caller. */
static void
check_switched_off(const struct caller *c, enum namespace namespace)
{
	struct access_facts off = facts(c, namespace), missing = facts(c, MISSING);

	off.switched_off = true;
	for (enum action action = 0; action < ACTION_READ_TOKEN; action++) {
		struct err e = { 0 }, want = { 0 };
		int rc = access_decide(&off, c->credential, action, &e);

		(void)!access_decide(&missing, c->credential, action, &want);
		ok(rc == -1 && e.status == want.status && strcmp(e.pub, want.pub) == 0,
		    "%s, %s, action %d: switched off", c->name, namespaces[namespace].name, (int)action);
	}
	ok(!access_is_public(&off), "%s, %s: public no more", c->name, namespaces[namespace].name);
}

/* From an address of the project's: its files, of a project that is there, and nothing else. */
static void
check_network(void)
{
	static const struct caller nobody = { .credential = CREDENTIAL_NONE };

	for (enum namespace namespace = 0; namespace < NAMESPACES; namespace++) {
		struct access_facts far = facts(&nobody, namespace), near = far;
		bool there = namespace != OFF && namespace != MISSING;

		near.from_network = true;
		for (enum action action = 0; action < ACTION_READ_TOKEN; action++) {
			struct err e = { 0 }, want = { 0 };
			int rc = access_decide(&near, CREDENTIAL_NONE, action, &e);

			if (access_decide(&far, CREDENTIAL_NONE, action, &want) == -1 &&
			    action == ACTION_READ_FILES && there)
				want.status = 0;
			ok(e.status == want.status && rc == (want.status == 0 ? 0 : -1),
			    "%s from a network, action %d: want %d, got %d", namespaces[namespace].name,
			    (int)action, want.status, e.status);
		}
		ok(access_by_network(&near) == there && !access_by_network(&far), "%s: %s", namespaces[namespace].name,
		    there ? "by its network" : "by no network");
		is_int(access_is_public(&near), access_is_public(&far), "it is no more public than before");
	}
	for (size_t c = 0; c < SIZE(callers); c++) {
		struct access_facts far = facts(&callers[c], PRIVATE), near = far;
		struct err e = { 0 }, want = { 0 };

		near.from_network = true;
		(void)!access_decide(&far, callers[c].credential, ACTION_READ_FILES, &want);
		(void)!access_decide(&near, callers[c].credential, ACTION_READ_FILES, &e);
		ok(callers[c].credential == CREDENTIAL_NONE || e.status == want.status,
		    "%s: a credential counts as it does elsewhere", callers[c].name);
	}
}

static void
check_operations(unsigned operations, const char *crates, const int want[ACTION__MAX])
{
	struct access_facts f = { .token_id = 5, .token_kind = "personal", .token_usable = true,
		.scope_api = true, .limits = { operations, crates }, .project_id = 7,
		.visibility = "private", .packages_enabled = true, .access_level = 50 };

	for (enum action action = 0; action < ACTION__MAX; action++) {
		struct err e = { 0 };
		int rc = access_decide(&f, CREDENTIAL_TOKEN, action, &e);

		ok(e.status == want[action] && rc == (want[action] == 0 ? 0 : -1),
		    "operations %x, action %d: want %d, got %d", operations, (int)action,
		    want[action], e.status);
	}
}

/* What only some roles may, about projects, groups and themselves: the least level, or who. */
enum { NOBODY = 100, ANYBODY = -1, SIGNED_IN = 0 };

static const struct {
	enum action action;
	/* the least level in a project that is private, public, and in a group like these */
	int private_project, public_project, private_group, public_group;
	bool users_only, writes;
} rights[] = {
	{ ACTION_DELETE_PACKAGE, 40, 40, 40, 40, false, true },
	{ ACTION_READ_OWNERS, 20, SIGNED_IN, 20, SIGNED_IN, false, false },
	{ ACTION_CHANGE_OWNERS, 40, 40, 40, 40, true, true },
	{ ACTION_READ_PIPELINES, 20, 20, 20, 20, false, false },
	{ ACTION_READ_EMAILS, 40, 40, 40, 40, true, false },
	{ ACTION_READ_NAMESPACE, 10, ANYBODY, 10, ANYBODY, true, false },
	{ ACTION_READ_MEMBERS, 10, SIGNED_IN, 10, SIGNED_IN, true, false },
	{ ACTION_CHANGE_MEMBERS, 40, 40, 50, 50, true, true },
	{ ACTION_READ_SETTINGS, 40, 40, 40, 40, true, false },
	{ ACTION_CHANGE_SETTINGS, 40, 40, 40, 40, true, true },
	{ ACTION_CHANGE_NETWORKS, 50, 50, 50, 50, true, true },
};

static struct access_facts
facts_of_level(const char *kind, int level, bool group, const char *visibility)
{
	return (struct access_facts) { .token_id = 5, .token_kind = kind, .token_usable = true,
		.scope_api = true, .limits.operations = TOKEN_ANY_OPERATION,
		.namespace_kind = group ? NAMESPACE_GROUP : NAMESPACE_PROJECT, .project_id = group ? 0 : 7,
		.group_id = group ? 7 : 0, .visibility = visibility, .packages_enabled = true,
		.in_namespace = true, .access_level = level };
}

static int
status_of(const struct access_facts *f, enum credential credential, enum action action)
{
	struct err e = { 0 };
	int rc = access_decide(f, credential, action, &e);

	ok(rc == (e.status == 0 ? 0 : -1), "the result says what the status says");
	if (e.status == 404)
		is_str(e.pub, f->namespace_kind == NAMESPACE_GROUP ? "Group Not Found" : "Project Not Found",
		    "one and the same answer");
	return e.status;
}

static void
check_right(size_t i, bool group, bool public)
{
	int least = group ? public ? rights[i].public_group : rights[i].private_group
			  : public ? rights[i].public_project : rights[i].private_project;
	const char *visibility = public ? "public" : "private";
	enum action action = rights[i].action;
	struct access_facts f = facts_of_level("", 0, group, visibility);

	is_int(status_of(&f, CREDENTIAL_NONE, action), least == ANYBODY ? 0 : 401, "anonymous");
	for (int level = 0; level <= LEVEL_ADMIN; level += 10) {
		int want = level >= least ? 0 : level == 0 && !public ? 404 : 403;

		f = facts_of_level("personal", level == LEVEL_ADMIN ? 0 : level, group, visibility);
		f.is_admin = level == LEVEL_ADMIN;
		ok(status_of(&f, CREDENTIAL_TOKEN, action) == want, "%s %s, level %d, action %d",
		    visibility, group ? "group" : "project", level, (int)action);
		f.scope_api = false;
		f.scope_read_api = true;
		is_int(status_of(&f, CREDENTIAL_TOKEN, action),
		    want == 0 && rights[i].writes ? 403 : want, "  by a token that reads");
	}
	if (group)
		return;
	f = facts_of_level("job", 50, group, visibility);
	is_int(status_of(&f, CREDENTIAL_TOKEN, action), rights[i].users_only ? 403 : 0, "an owner's job");
	f = facts_of_level("deploy", 0, group, visibility);
	f.scope_write_packages = true;
	is_int(status_of(&f, CREDENTIAL_TOKEN, action),
	    action == ACTION_READ_OWNERS || action == ACTION_READ_PIPELINES ? 0 : 403, "a deploy token");
}

/* Tokens of jobs are made by a deploy token of the place that is for it, and by nobody else. */
static void
check_mint(void)
{
	struct access_facts f = facts_of_level("deploy", 0, false, "private");

	is_int(status_of(&f, CREDENTIAL_TOKEN, ACTION_CREATE_JOB_TOKEN), 404, "no scope");
	f.scope_write_packages = true;
	is_int(status_of(&f, CREDENTIAL_TOKEN, ACTION_CREATE_JOB_TOKEN), 403, "another scope");
	f.scope_write_packages = false;
	f.scope_create_job_token = true;
	is_int(status_of(&f, CREDENTIAL_TOKEN, ACTION_CREATE_JOB_TOKEN), 0, "the scope");
	is_int(status_of(&f, CREDENTIAL_TOKEN, ACTION_READ_PACKAGE), 403, "reads nothing");
	is_int(status_of(&f, CREDENTIAL_TOKEN, ACTION_CREATE_PACKAGE), 403, "publishes nothing");
	f.in_namespace = false;
	is_int(status_of(&f, CREDENTIAL_TOKEN, ACTION_CREATE_JOB_TOKEN), 404, "of elsewhere");
	f.visibility = "public";
	is_int(status_of(&f, CREDENTIAL_TOKEN, ACTION_CREATE_JOB_TOKEN), 403, "also where all may read");
	is_int(status_of(&f, CREDENTIAL_NONE, ACTION_CREATE_JOB_TOKEN), 401, "anonymous");
	f = facts_of_level("job", 50, false, "private");
	is_int(status_of(&f, CREDENTIAL_TOKEN, ACTION_CREATE_JOB_TOKEN), 403, "an owner's job");
	f = facts_of_level("personal", 50, false, "private");
	is_int(status_of(&f, CREDENTIAL_TOKEN, ACTION_CREATE_JOB_TOKEN), 403, "an owner");
	f.is_admin = true;
	is_int(status_of(&f, CREDENTIAL_TOKEN, ACTION_CREATE_JOB_TOKEN), 403, "an administrator");
}

/* Who asks about themselves: kind of token, its scope; what the token is, reading, changing, ending it. */
static void
check_caller(void)
{
	static const struct {
		const char *kind;
		bool api, read_api;
		int token, reads, changes, ends, ends_again;
	} cases[] = {
		{ "personal", true, false, 0, 0, 0, 0, 401 },
		{ "personal", false, true, 0, 0, 403, 0, 401 },
		{ "personal", false, false, 0, 403, 403, 0, 401 },
		{ "deploy", false, false, 0, 403, 403, 0, 401 },
		{ "job", false, false, 0, 403, 403, 0, 0 },
	};

	for (size_t i = 0; i < SIZE(cases); i++) {
		struct access_facts f = { .token_id = 5, .token_kind = cases[i].kind,
			.token_usable = true, .scope_api = cases[i].api,
			.scope_read_api = cases[i].read_api,
			.limits.operations = TOKEN_ANY_OPERATION, .namespace_kind = NAMESPACE_NONE,
			.visibility = "" };

		is_int(status_of(&f, CREDENTIAL_TOKEN, ACTION_READ_TOKEN), cases[i].token, "token");
		is_int(status_of(&f, CREDENTIAL_TOKEN, ACTION_READ_ACCOUNT), cases[i].reads, "read");
		is_int(status_of(&f, CREDENTIAL_TOKEN, ACTION_CHANGE_ACCOUNT), cases[i].changes, "change");
		is_int(status_of(&f, CREDENTIAL_TOKEN, ACTION_END_TOKEN), cases[i].ends, "end");
		f.token_usable = false;
		is_int(status_of(&f, CREDENTIAL_TOKEN, ACTION_READ_TOKEN), 401, "revoked");
		is_int(status_of(&f, CREDENTIAL_TOKEN, ACTION_END_TOKEN), cases[i].ends_again,
		    "end it again");
		is_int(status_of(&f, CREDENTIAL_NONE, ACTION_END_TOKEN), 401, "end none");
		is_int(status_of(&f, CREDENTIAL_MALFORMED, ACTION_END_TOKEN), 401, "end no token of ours");
		f.token_id = 0;
		is_int(status_of(&f, CREDENTIAL_TOKEN, ACTION_END_TOKEN), 401, "end an unknown one");
		is_int(status_of(&f, CREDENTIAL_NONE, ACTION_READ_TOKEN), 401, "none");
	}
}

/* Whose crate it must be that is written to; 0: any will do. */
static void
check_crate_user(void)
{
	static const struct {
		const char *kind;
		int level;
		enum job_policy policy;
		bool in_namespace;
		int64_t user, want;
	} cases[] = {
		{ "personal", 0, JOB_POLICY_NONE, false, 3, 3 },
		{ "personal", 20, JOB_POLICY_NONE, false, 3, 3 },
		{ "personal", 30, JOB_POLICY_NONE, false, 3, 0 },
		{ "job", 0, JOB_POLICY_NONE, true, 3, 3 },
		{ "job", 30, JOB_POLICY_NONE, true, 3, 0 },
		{ "job", 50, JOB_POLICY_READ, false, 3, 3 },
		{ "job", 50, JOB_POLICY_ADMIN, false, 3, 0 },
		{ "deploy", 0, JOB_POLICY_NONE, true, 0, -1 },
	};

	for (size_t i = 0; i < SIZE(cases); i++) {
		struct access_facts f = facts_of_level(cases[i].kind, cases[i].level, false, "private");

		f.user_id = cases[i].user;
		f.job_policy = cases[i].policy;
		f.in_namespace = cases[i].in_namespace;
		f.owns_crate = cases[i].user != 0;
		is_int(access_crate_user(&f), cases[i].want, "crate user");
		if (cases[i].level == 0)
			is_int(access_push_level(&f), cases[i].user != 0 ? 20 : 0, "passes no rule");
	}
}

/* The job of a maintainer's rule, for all operations: what it is let in for, and no more. */
static void
check_rule(void)
{
	static const struct {
		enum action action;
		unsigned operations;
		int status;
	} cases[] = {
		{ ACTION_CREATE_PACKAGE, TOKEN_ANY_OPERATION, 0 },
		{ ACTION_YANK_PACKAGE, TOKEN_ANY_OPERATION, 0 },
		{ ACTION_YANK_PACKAGE, TOKEN_PUBLISH_NEW, 403 },
		{ ACTION_DELETE_PACKAGE, TOKEN_ANY_OPERATION, 403 },
		{ ACTION_CHANGE_OWNERS, TOKEN_ANY_OPERATION, 403 },
		{ ACTION_CHANGE_MEMBERS, TOKEN_ANY_OPERATION, 403 },
		{ ACTION_READ_SETTINGS, TOKEN_ANY_OPERATION, 403 },
		{ ACTION_CHANGE_SETTINGS, TOKEN_ANY_OPERATION, 403 },
		{ ACTION_CHANGE_NETWORKS, TOKEN_ANY_OPERATION, 403 },
		{ ACTION_CREATE_JOB_TOKEN, TOKEN_ANY_OPERATION, 403 },
	};

	for (size_t i = 0; i < SIZE(cases); i++) {
		struct access_facts f = facts_of_level("job", LEVEL_OWNER, false, "private");

		f.user_id = 3;
		f.in_namespace = true;
		f.trust_rule_id = 9;
		f.limits.operations = cases[i].operations;
		is_int(status_of(&f, CREDENTIAL_TOKEN, cases[i].action), cases[i].status,
		    "an owner's rule");
	}
}

/* What needs a token: the registry, or, where anybody may read, what the caller wants to do there. */
static void
check_anonymous_words(void)
{
	static const struct caller nobody = { .credential = CREDENTIAL_NONE };
	static const struct {
		enum action action;
		const char *what;
	} actions[] = {
		{ ACTION_CREATE_PACKAGE, "publishing" },
		{ ACTION_YANK_PACKAGE, "yanking" },
		{ ACTION_DELETE_PACKAGE, "deleting packages" },
		{ ACTION_READ_OWNERS, "reading owners" },
		{ ACTION_CHANGE_OWNERS, "changing owners" },
	};

	for (enum namespace namespace = 0; namespace < NAMESPACES; namespace++) {
		const struct access_facts f = facts(&nobody, namespace);

		for (size_t i = 0; i < SIZE(actions); i++) {
			struct err e = { 0 };
			char want[64];

			snprintf(want, sizeof(want), "%s needs a token",
			    access_is_public(&f) ? actions[i].what : "this registry");
			ok(access_decide(&f, CREDENTIAL_NONE, actions[i].action, &e) == -1 && e.status == 401, "401");
			is_str(e.pub, want, namespaces[namespace].name);
		}
	}
}

int
main(void)
{
	for (size_t c = 0; c < SIZE(callers); c++) {
		for (enum namespace namespace = 0; namespace < NAMESPACES; namespace++) {
			check(&callers[c], namespace);
			check_switched_off(&callers[c], namespace);
		}
	}
	for (size_t i = 0; i < SIZE(rights); i++) {
		for (int n = 0; n < 4; n++)
			check_right(i, n & 1, n & 2);
	}
	check_network();
	check_anonymous_words();
	check_caller();
	check_mint();
	check_rule();
	check_crate_user();
	/*
	 * read files and the rest, publish, yank, delete, owners and to change them, pipelines, e-mails; place,
	 * members, to change them; settings; account
	 */
	check_operations(TOKEN_ANY_OPERATION, NULL,
	    (int[ACTION__MAX]) { [ACTION_CREATE_JOB_TOKEN] = 403 });
	/* which of the two it is, is known when the crate is */
#define NOT_ABOUT_CRATES 0, 0, 0, 0, 403, 0, 403, 403, 403, 0, 0, 0, 403
	check_operations(TOKEN_PUBLISH_NEW, NULL, (int[]) { 0, 0, 0, 403, 403, 0, 403, NOT_ABOUT_CRATES });
	check_operations(TOKEN_PUBLISH_UPDATE, NULL, (int[]) { 0, 0, 0, 403, 403, 0, 403, NOT_ABOUT_CRATES });
	check_operations(TOKEN_YANK, NULL, (int[]) { 0, 0, 403, 0, 403, 0, 403, NOT_ABOUT_CRATES });
	check_operations(TOKEN_OWNERS, NULL, (int[]) { 0, 0, 403, 403, 403, 0, 0, NOT_ABOUT_CRATES });
	check_operations(TOKEN_ANY_OPERATION, "abc", (int[]) { 0, 0, 0, 0, 403, 0, 0, NOT_ABOUT_CRATES });
	return tap_done();
}
