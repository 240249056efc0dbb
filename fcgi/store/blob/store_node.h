#ifndef STORE_BLOB_STORE_NODE_H
#define STORE_BLOB_STORE_NODE_H

/*
 * All nodes of a registry must have one store.  Each node writes the database's time into
 * STORE/nodes/<digest of its name>, every 10 seconds while somebody asks for its readiness, every 30 by its
 * worker, and into the database.  Each node checks that it sees the files of the others: a node with another
 * store, or a copy, does not.  A node is gone after 90 seconds without a sign.  A network file system may
 * show a file of STORE_NODE_SLACK_S ago, so only an older time counts as a copy.
 */

#include "store/db/db.h"

enum { STORE_NODE_NAME_SIZE = 256, STORE_NODE_SLACK_S = 60 };

/* The node's name: `node` of berth.conf, or the host name. */
void store_node_name(const char *configured, char out[STORE_NODE_NAME_SIZE]);

/* Writes the node's file, if it is time, and then the database.  -1: 503, 500. */
int store_node_show(struct db *, struct arena *, const char *store, const char *node, struct err *)
    __attribute__((warn_unused_result));

/* Checks the files of the others.  -1: 503, and `detail` names a node whose file is missing or old; 500. */
int store_node_look(struct db *, struct arena *, const char *store, const char *node, struct err *)
    __attribute__((warn_unused_result));

/* Removes nodes that have been gone for a day, with their files.  -1: 503, 500. */
int store_node_sweep(struct db *, struct arena *, const char *store, struct err *)
    __attribute__((warn_unused_result));

#endif
