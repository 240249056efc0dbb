#ifndef CACHE_CACHE_MESSAGE_H
#define CACHE_CACHE_MESSAGE_H

/*
 * What the database tells the keepers, at COMMIT of whatever changes something (sql/migrations,
 * channel berth_cache), and keepers each other (channel berth_keepers).
 *
 * Pure.
 */

#include <stdbool.h>
#include <stdint.h>

#include "cache/cache_path.h"

enum cache_message_kind {
	CACHE_INDEX, /* an index file has changed */
	CACHE_CRATE, /* so has what can be downloaded of the crate, and its index file */
	CACHE_PROJECT, /* it is deleted, or its config.json says something else */
	CACHE_TOKEN, /* one token is revoked, or may do something else */
	CACHE_EPOCH, /* anything else that decisions rest on has changed */
	CACHE_SYNC, /* somebody waits until all nodes have come so far */
	CACHE_CALL /* a keeper finds out whether it hears */
};

struct cache_message {
	enum cache_message_kind kind;
	int64_t id; /* of the project; of CACHE_SYNC and CACHE_CALL its number */
	char name[CRATE_NAME_MAX + 1]; /* of the crate; "": there is none */
	struct cache_who who; /* of CACHE_TOKEN */
};

/* `i 7 serde`, `c 7 Serde`, `p 7`, `t HANDLE`, `e`, `s 4711`, `h 4712`.  False: it is none of these. */
bool cache_message_parse(const char *text, struct cache_message *);

#endif
