#ifndef STORE_BACKUP_BACKUP_TOOL_H
#define STORE_BACKUP_BACKUP_TOOL_H

/* Runs the client programs of databases, such as pg_dump and sqlite3, which must be in PATH. */

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"

enum { BACKUP_TOOL_ARGS_MAX = 12 };

/* The advice for pg_dump and pg_restore. */
#define BACKUP_TOOL_RIGHTS \
	"if it has no right to the tables, connect as the role that owns them, with --database"

/*
 * Runs a program, and waits for it.  words: its name, and the arguments after `--dbname CONNINFO`, up to a
 * NULL.  The password of the connection string does not become an argument.  A process of root acts as the
 * user with the name of the role, as store/db/db_peer.h does.  conninfo NULL: the program is no client of
 * PostgreSQL, and gets no --dbname.  It ends with this process, even if this process is killed; the database
 * then rolls back what was not committed.  fd becomes the program's standard input (write: false) or output.
 * Its messages go to standard error.  advice: what to check if it fails,
 * besides its messages.  -1: 500.
 */
int backup_tool_run(struct arena *, const char *const *words, const char *conninfo, int fd, bool write,
    const char *advice, struct err *) __attribute__((warn_unused_result));

#endif
