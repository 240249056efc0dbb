#ifndef STORE_DB_DB_PEER_H
#define STORE_DB_DB_PEER_H

/*
 * PostgreSQL's method `peer` lets a system user in as the role of the same name, over a local socket.
 * root may act as every user: a process of root connects as the system user that is called like the role,
 * so an administrator needs neither a map in pg_ident.conf nor a line in pg_hba.conf.
 */

#include <libpq-fe.h>

/*
 * Calls connect(keys, values, 1) and returns what it returns.  Acts as that user meanwhile, in this thread
 * alone, if the process is root's, conninfo names a role and one local socket (and no service), there is
 * such a user, and no password is given, in ~/.pgpass neither.
 */
PGconn *db_peer_connect(PGconn *(*connect)(const char *const *, const char *const *, int),
    const char *const *keys, const char *const *values, const char *conninfo);

#endif
