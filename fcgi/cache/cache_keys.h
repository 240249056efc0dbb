#ifndef CACHE_CACHE_KEYS_H
#define CACHE_CACHE_KEYS_H

/* The keys that prove tokens to nginx of this host, as a keeper knows them. */

#include <stdbool.h>

#include "access/token.h"
#include "cache/cache_state.h"
#include "store/db/db.h"

struct cache_keys {
	struct token_keys keys;
	bool logged; /* the log has said which keys this host lacks */
};

/*
 * Reads the keys from `path`.  Without them, or where the pool looks every token up because it cannot read
 * their file, the keeper grants public projects to anyone, and nothing to tokens.  Says once in the log which
 * tokens nginx of this host does not know.  -1: 503.
 */
int cache_keys_read(struct cache_keys *, struct db *, struct arena *, const char *path,
    struct cache_warning *, struct err *) __attribute__((warn_unused_result));

#endif
