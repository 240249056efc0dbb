#ifndef TRANSFER_IMPORT_KELLNR_H
#define TRANSFER_IMPORT_KELLNR_H

/* Reads index lines, owners, downloads and times from the database of a Kellnr. */

#include "transfer/import_source.h"

/* Is it a connection string of PostgreSQL?  It has `=` or `://`, and is no file. */
bool import_kellnr_is_conninfo(const char *database);

/*
 * `database` is a file of SQLite or a connection string of PostgreSQL.  sqlite3 or psql reads it
 * and changes nothing, so Kellnr may be running.  `files` has the bytes of the versions.  -1: 400 a line is
 * wrong, or the lines have more than 1 GiB; 500 the program failed, and has said why on standard error.
 */
int import_kellnr_list(struct arena *, const char *database, const struct import_source *files,
    struct import_source *, struct err *) __attribute__((warn_unused_result));

#endif
