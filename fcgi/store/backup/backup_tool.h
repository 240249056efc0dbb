#ifndef STORE_BACKUP_BACKUP_TOOL_H
#define STORE_BACKUP_BACKUP_TOOL_H

/* PostgreSQL's own programs, pg_dump and pg_restore, which must be in PATH. */

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"

enum { BACKUP_TOOL_ARGS_MAX = 12 };

/*
 * Runs a program, and waits for it.  words: its name, and what follows `--dbname CONNINFO`, up to a NULL.  A
 * password of the connection string does not become an argument.  A process of root acts as the user that is
 * called like the role, as store/db/db_peer.h does.  The program ends with this process, also where that is
 * killed: what it has not committed never was.  fd becomes its standard input (write: false) or output.
 * What it says goes to standard error.  -1: 500.
 */
int backup_tool_run(struct arena *, const char *const *words, const char *conninfo, int fd, bool write,
    struct err *) __attribute__((warn_unused_result));

#endif
