#ifndef CACHE_CACHE_MESSAGE_H
#define CACHE_CACHE_MESSAGE_H

/*
 * The messages that the database sends the keepers when a transaction commits a change (sql/migrations,
 * channel berth_cache), and those that keepers send each other (channel berth_keepers).
 *
 * Pure.
 */

#include <stdbool.h>
#include <stdint.h>

#include "cache/cache_board.h"
#include "cache/cache_path.h"

enum cache_message_kind {
	CACHE_INDEX, /* an index file has changed */
	CACHE_CRATE, /* an index file and the downloads of its crate have changed */
	CACHE_PROJECT, /* a project was deleted, or its config.json has changed */
	CACHE_VIEW, /* a name in the registry of a group may stand for another project */
	CACHE_VIEW_GRANTS, /* the same, and somebody may read less of the group */
	CACHE_TOKEN, /* a token was revoked, or its rights have changed */
	CACHE_EPOCH, /* something else that decisions use has changed */
	CACHE_SYNC, /* a writer waits until all nodes have handled the messages before this one */
	CACHE_ACKNOWLEDGED, /* a node has handled the messages before a CACHE_SYNC */
	CACHE_PROBE /* a keeper checks that its session gets notifications */
};

struct cache_message {
	enum cache_message_kind kind;
	int64_t id; /* of the project, or the group; the number of CACHE_SYNC, CACHE_ACKNOWLEDGED and CACHE_PROBE */
	/*
	 * Of CACHE_ACKNOWLEDGED the node; of CACHE_SYNC the node whose board the writer reads, or "": the writer
	 * reads the table cache_nodes.
	 */
	char node[CACHE_NODE_SIZE];
	char name[CRATE_NAME_MAX + 1]; /* of the crate; "": none */
	struct cache_who who; /* the token of CACHE_TOKEN */
};

/*
 * `i 7 serde`, `c 7 Serde`, `p 7`, `v 12`, `w 12`, `t HANDLE`, `e`, `s 4711`, `s 4711 NODE`,
 * `a 4711 NODE`, `h 4712`.
 * False: the text is none of these.
 */
bool cache_message_parse(const char *text, struct cache_message *);

#endif
