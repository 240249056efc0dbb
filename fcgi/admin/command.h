#ifndef ADMIN_COMMAND_H
#define ADMIN_COMMAND_H

/*
 * The subcommands of berth(1), as data: `berth NOUN VERB ...`.  A new one is a
 * line in the table of its noun.
 */

#include <stdbool.h>
#include <stddef.h>

#include "admin/options.h"
#include "admin/provision/provision.h"
#include "base/arena.h"
#include "base/err.h"
#include "store/audit.h"
#include "store/db/db.h"

enum { COMMAND_ARGS_MAX = 16 };

struct command;
struct settings;

/* One run of a command: its arguments, and everything that it works with. */
struct invocation {
	const struct command *command;
	struct arena *arena;
	const char *config_path; /* NULL: there is no configuration, nor settings */
	const struct settings *settings;
	const char *conninfo;
	struct db *db; /* connects when it is first used */
	struct audit_actor actor; /* whoever runs the command */
	int64_t wait_us; /* how long for nodes that serve files from cache_dir */
	bool json;
	const char *args[COMMAND_ARGS_MAX + 1]; /* ends with NULL */
	size_t nargs;
	struct option_set options;
	int status; /* the exit status, if nothing fails */
	bool changed; /* the command has written to the audit log */
	/*
	 * Some commands remove a setting, and succeed even if it is not set: what they say then.  NULL for others; a
	 * command that removes an object by its id fails if there is none.
	 */
	const char *nothing;
	/* the words are right: a later 400 is about a file that they name, and usage does not help */
	bool understood;
	bool unacknowledged; /* the change is committed, but some nodes have not acknowledged it */
	struct err err;
};

/* For the functions of admin/provision; force: --force is given. */
static inline struct provision
command_provision(const struct invocation *in, bool force)
{
	return (struct provision) { in->db, in->arena, &in->actor, in->settings, force, NULL };
}

struct command {
	/*
	 * NULL: the noun alone is the command.  "add --deploy": the form of `add` for words that
	 * have this option; the plain form stands before it in the table.
	 */
	const char *verb;
	const char *synopsis; /* what follows the verb */
	const char *about; /* a sentence or more */
	const struct option_def *options;
	size_t noptions;
	size_t min_args;
	size_t max_args;
	/* prints to standard output.  -1: err; its status 400 counts as a usage error. */
	int (*run)(struct invocation *);
};

struct noun {
	const char *name;
	const struct command *commands;
	size_t ncommands;
	bool configured; /* it reads the configuration, even with --database */
	bool named; /* it needs a configuration; with --database only the one that -c names */
	int failed; /* the exit status if a command fails; 0: the usual one */
	/* Prints what standard output says if the configuration cannot be used.  NULL: nothing. */
	void (*unconfigured)(struct invocation *, const char *why);
};

extern const struct noun admin_apply;
extern const struct noun admin_audit;
extern const struct noun admin_backup;
extern const struct noun admin_check;
extern const struct noun admin_config;
extern const struct noun admin_delete;
extern const struct noun admin_export;
extern const struct noun admin_flag;
extern const struct noun admin_fsck;
extern const struct noun admin_group;
extern const struct noun admin_import;
extern const struct noun admin_issuer;
extern const struct noun admin_tasks;
extern const struct noun admin_key;
extern const struct noun admin_member;
extern const struct noun admin_migrate;
extern const struct noun admin_node;
extern const struct noun admin_owner;
extern const struct noun admin_project;
extern const struct noun admin_protect;
extern const struct noun admin_report;
extern const struct noun admin_restore;
extern const struct noun admin_retention;
extern const struct noun admin_store;
extern const struct noun admin_token;
extern const struct noun admin_trust;
extern const struct noun admin_undelete;
extern const struct noun admin_unyank;
extern const struct noun admin_user;
extern const struct noun admin_yank;

/* The help of this option, for all commands that have it. */
#define IF_MISSING \
	"--if-missing: if it exists, changes nothing, says what differs, and succeeds."

#define COMMAND_OPTIONS(defs) .options = (defs), .noptions = sizeof(defs) / sizeof(*(defs))
#define COMMAND_LIST(list)    .commands = (list), .ncommands = sizeof(list) / sizeof(*(list))

#endif
