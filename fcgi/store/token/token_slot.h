#ifndef STORE_TOKEN_TOKEN_SLOT_H
#define STORE_TOKEN_TOKEN_SLOT_H

/*
 * The slots of token_key in the database: all that ever existed, which of them are live, and the
 * fingerprint of each key.  A slot is never used again.
 */

#include <stdbool.h>
#include <stdint.h>

#include "access/token_key.h"
#include "store/audit.h"
#include "store/db/db.h"

/*
 * Reads the keys that count: those of the file at `path` ("": no file) whose slot is live and has the
 * same fingerprint in the database; and the registry's id, also without a file.  -1: 503, also where
 * the file belongs to another registry; 500 the file cannot be read.
 */
int token_slot_keys(struct db *, struct arena *, const char *path, struct token_keys *, struct err *)
    __attribute__((warn_unused_result));

/* Differences between the keys of this host and the database, as sentences for the administrator. */
struct token_slot_view {
	const char *foreign; /* the file belongs to another registry; NULL: it does not */
	const char *lacking; /* live slots whose keys the file lacks or has with other values; NULL: none */
	bool any; /* some slot is live */
};

/* Compares the file at `path` ("": no file) with the database.  -1: 503; 500 the file cannot be read. */
int token_slot_look(struct db *, struct arena *, const char *path, struct token_slot_view *,
    struct err *) __attribute__((warn_unused_result));

/*
 * "k1:0123456789ab k2:...": the slots of the file at `path`, each with the beginning of its key's
 * fingerprint.  NULL: no file, or it cannot be read.
 */
const char *token_slot_text(struct arena *, const char *path);

struct token_slot {
	const char *slot;
	const char *fingerprint;
	int64_t created_at;
	int64_t retired_at; /* 0: the slot is live */
};

/* Records a new slot.  -1: 409 it was used before, as by a command on another host. */
int token_slot_add(struct db *, struct arena *, const struct audit_actor *,
    const struct token_key *, struct err *) __attribute__((warn_unused_result));

/*
 * Retires the slot: once it returns, nginx accepts none of its tokens.  They stay valid, and the pool
 * looks them up.  -1: 404.
 */
int token_slot_retire(struct db *, struct arena *, const struct audit_actor *, const char *slot,
    struct err *) __attribute__((warn_unused_result));

/* All slots that ever existed, oldest first. */
int token_slot_list(struct db *, struct arena *, struct token_slot **, size_t *n, struct err *)
    __attribute__((warn_unused_result));

#endif
