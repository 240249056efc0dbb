#ifndef STORE_STORE_NODE_H
#define STORE_STORE_NODE_H

/*
 * All nodes of a registry must have one store.  Each leaves the time of the database in
 * STORE/nodes/<digest of its name>, every 10 seconds while it is asked whether it is ready, every 30 by its
 * worker, and tells the database of it.  Each looks whether it sees what the others have left: one whose
 * store is another, or a copy, does not.  A node that was not seen for 90 seconds is gone.  What a network's
 * file system remembers may be STORE_NODE_SLACK_S old, so an older time is needed to say so.
 */

#include "store/db.h"

enum { STORE_NODE_NAME_SIZE = 256, STORE_NODE_SLACK_S = 60 };

/* The node's name: `node` of berth.conf, or the host's. */
void store_node_name(const char *configured, char out[STORE_NODE_NAME_SIZE]);

/* Leaves the node's file, if it is time, and then tells the database.  -1: 503, 500. */
int store_node_show(struct db *, struct arena *, const char *store, const char *node, struct err *)
    __attribute__((warn_unused_result));

/* -1: 503, and `detail` names the node whose file is not there; 500. */
int store_node_look(struct db *, struct arena *, const char *store, const char *node, struct err *)
    __attribute__((warn_unused_result));

/* Forgets nodes that have been gone for a day, with their files.  -1: 503, 500. */
int store_node_sweep(struct db *, struct arena *, const char *store, struct err *)
    __attribute__((warn_unused_result));

#endif
