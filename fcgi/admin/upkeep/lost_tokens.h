#ifndef ADMIN_UPKEEP_LOST_TOKENS_H
#define ADMIN_UPKEEP_LOST_TOKENS_H

/*
 * A restored database does not know which tokens ended after its backup, so they are valid again.  An
 * export of the audit log, which has left the registry before, tells which: those that were revoked or
 * replaced, and those of users who were blocked.
 *
 * After a restore, the database gives new tokens and users ids that it had given out after the backup.  So an
 * entry of the export means the token or user with its id only if that one was made before the entry's one
 * ended, and, where the export has the time, when the entry's one was made.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/audit.h"
#include "store/db/db.h"

struct ended_id;

struct lost_tokens {
	bool all; /* all tokens that are valid count, whatever the export says */
	bool revoke; /* ends them */
	/* ---- private: from the export ---- */
	const char *export; /* its file; NULL: there is none */
	int64_t first_at; /* of its earliest event; INT64_MAX: it has none */
	struct ended_id *ended, *blocked; /* tokens and users, in the order of their ids */
	size_t nended, nblocked;
	/* ---- results ---- */
	bool incomplete; /* the export may lack events, see lost_tokens_check_export() */
	struct token_entry *tokens; /* the valid ones that count */
	size_t n;
};

/*
 * Sets the options, and reads the export from the file `audit`: lines of JSON as `berth audit --json`
 * prints them.  NULL: there is none.  -1: 400, also for a `revoke` without an export; 500.
 */
int lost_tokens_options(struct arena *, const char *audit, bool revoke, bool revoke_all,
    struct lost_tokens *, struct err *) __attribute__((warn_unused_result));

/*
 * Checks that the export begins before `moment`, RFC 3339, to which the database is restored.  If it does
 * not, it may lack the first events after that moment: with `revoke` this is an error, without it a warning.
 * -1: 409.
 */
int lost_tokens_check_export(struct arena *, struct lost_tokens *, const char *moment, struct err *)
    __attribute__((warn_unused_result));

/* Finds them in the restored database, and revokes them, if asked.  -1: 503, 500. */
int lost_tokens_end(struct db *, struct arena *, const struct audit_actor *, struct lost_tokens *,
    struct err *) __attribute__((warn_unused_result));

/* Prints a line for each token; returns them as a JSON array of objects. */
void lost_tokens_print(const struct lost_tokens *);
const char *lost_tokens_json(struct arena *, const struct lost_tokens *);

#endif
