#ifndef STORE_BLOB_STORE_NODE_H
#define STORE_BLOB_STORE_NODE_H

/*
 * All nodes of a registry must have one store.  Each node writes the database's time into
 * STORE/nodes/<digest of its name>, every 10 seconds while somebody asks for its readiness, every 30 by its
 * worker, and into the database.  Each node checks that it sees the files of the others: a node with another
 * store, or a copy, does not.  A node is gone after 90 seconds without a sign.  A network file system may
 * show a file of STORE_NODE_SLACK_S ago, so only an older time counts as a copy.
 */

#include "store/blob/blob_kind.h"
#include "store/db/db.h"

enum { STORE_NODE_NAME_SIZE = 256, STORE_NODE_SLACK_S = 60 };

/* The node's name: `node` of berth.conf, or the host name; "localhost" if the host has none. */
void store_node_name(const char *configured, char out[STORE_NODE_NAME_SIZE]);

/* The facts that a node publishes about itself. */
struct store_node {
	const char *name;
	const char *external_url;
	const char *keys; /* store/token/token_slot.h: token_slot_text(); NULL: it has none */
};

/* Writes the node's file, if it is time, and then the database.  -1: 503, 500. */
int store_node_show(struct db *, struct arena *, const struct blob_store *, const struct store_node *,
    struct err *)
    __attribute__((warn_unused_result));

/*
 * Checks that the node has the external_url that most nodes have.  If two values are equally frequent, the
 * value of the node that has existed longest counts, so that while you change all nodes one after the
 * other, some always agree.  -1: 503, and `detail` has both values; 500.
 */
int store_node_agree(struct db *, struct arena *, const struct store_node *, struct err *)
    __attribute__((warn_unused_result));

/*
 * A node of the last day, as `berth node list` shows it.  NULL: unknown, because the node runs a program
 * that does not publish it.
 */
struct store_node_row {
	const char *name, *version, *external_url, *keys;
	int64_t schema; /* 0: unknown */
	int64_t since, seen_at; /* seconds since 1970 */
	bool live; /* its file is not older than 90 s, or its cache has a lease */
	const char *differs; /* the key of berth.conf in which it differs from most nodes; NULL: it agrees */
	bool cached; /* it has, or had, a cache; if not, what follows is 0 */
	int64_t lease_ms; /* the rest of its lease; 0 or negative: it ended that long ago */
	int64_t stale_s; /* how many seconds after its lease nginx may go on without the database */
	bool compared; /* a node has a lease, with which this one can be compared; if not, behind is 0 */
	int64_t behind; /* how many transactions behind the furthest node its acknowledgement is */
};

/* By name.  -1: 503, 500. */
int store_node_list(struct db *, struct arena *, struct store_node_row **, size_t *n, struct err *)
    __attribute__((warn_unused_result));

/* Checks the files of the others.  -1: 503, and `detail` names a node whose file is missing or old; 500. */
int store_node_look(struct db *, struct arena *, const struct blob_store *, const char *node, struct err *)
    __attribute__((warn_unused_result));

/* Removes nodes that have been gone for a day, with their files.  -1: 503, 500. */
int store_node_sweep(struct db *, struct arena *, const struct blob_store *, struct err *)
    __attribute__((warn_unused_result));

#endif
