#ifndef STORE_TOKEN_SLOT_H
#define STORE_TOKEN_SLOT_H

/*
 * The slots of token_key as the database knows them: which there were, which are live, and the
 * fingerprint of each key.  A slot is never used again.
 */

#include <stdint.h>

#include "access/token_key.h"
#include "store/audit.h"
#include "store/db.h"

/*
 * The keys that count: those of the file at `path` ("": there is none) whose slot is live and has the
 * same fingerprint in the database; and the registry's id, also without a file.  -1: 503, also where
 * the file belongs to another registry; 500, the file cannot be read.
 */
int token_slot_keys(struct db *, struct arena *, const char *path, struct token_keys *, struct err *)
    __attribute__((warn_unused_result));

struct token_slot {
	const char *slot;
	const char *fingerprint;
	int64_t created_at;
	int64_t retired_at; /* 0: it is live */
};

/* Records a new one.  -1: 409, the slot was used before. */
int token_slot_add(struct db *, struct arena *, const struct audit_actor *,
    const struct token_key *, struct err *) __attribute__((warn_unused_result));

/*
 * Retires it: nginx believes none of its tokens any more, from the answer on.  They stay valid, and are
 * looked up by the pool.  -1: 404.
 */
int token_slot_retire(struct db *, struct arena *, const struct audit_actor *, const char *slot,
    struct err *) __attribute__((warn_unused_result));

/* All there ever were, in the order in which they came. */
int token_slot_list(struct db *, struct arena *, struct token_slot **, size_t *n, struct err *)
    __attribute__((warn_unused_result));

#endif
