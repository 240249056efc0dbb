#ifndef TRANSFER_IMPORT_KELLNR_H
#define TRANSFER_IMPORT_KELLNR_H

/* What the database of a Kellnr says of its crates: index lines, owners, downloads and times. */

#include "transfer/import_source.h"

/*
 * `database`: the file of SQLite, or, where there is none and it has `=` or `://`, a connection string of
 * PostgreSQL.  It is only read, by sqlite3 or psql, also while Kellnr runs.  The bytes are those of `files`.
 * -1: 400 what is wrong with its lines, or there are more than 1 GiB of them; 500 the program fails, and has
 * said why.
 */
int import_kellnr_list(struct arena *, const char *database, const struct import_source *files,
    struct import_source *, struct err *) __attribute__((warn_unused_result));

#endif
