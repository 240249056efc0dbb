#ifndef ACCESS_TOKEN_KEY_H
#define ACCESS_TOKEN_KEY_H

/*
 * The keys of the MACs of tokens (access/token.h).  token_key of berth.conf names their
 * file, which nginx includes in two maps.
 *
 *	registry "550e8400-e29b-41d4-a716-446655440000";
 *	k1 "43 digits of base 62";
 *
 * The first line names the registry of the keys; each further line is a slot and its key.
 * Empty lines and lines that begin with # count for nothing.  New tokens get the last slot.
 *
 * Pure, but for reading the file.
 */

#include <stdbool.h>
#include <stddef.h>

#include <openssl/evp.h>

#include "base/err.h"
#include "base/slice.h"

enum {
	TOKEN_SLOT_LENGTH = 2,
	TOKEN_KEY_LENGTH = 43, /* 256 bits in base 62 */
	TOKEN_KEY_FINGERPRINT_SIZE = 65,
	TOKEN_KEYS_MAX = 64,
	TOKEN_KEY_FILE_MAX = 8192,
	REGISTRY_ID_LENGTH = 36
};

struct token_key {
	char slot[TOKEN_SLOT_LENGTH + 1];
	char key[TOKEN_KEY_LENGTH + 1];
};

struct token_keys {
	char registry_id[REGISTRY_ID_LENGTH + 1]; /* "": unknown */
	struct token_key v[TOKEN_KEYS_MAX];
	size_t n;
};

/*
 * Parses the text of such a file.  -1: 500, with the error and its line, for a message that names the
 * file; no message shows a key.
 */
int token_keys_parse(struct slice text, struct token_keys *, struct err *)
    __attribute__((warn_unused_result));

/* Reads and parses the file at that path.  -1: 500. */
int token_keys_read(const char *path, struct token_keys *, struct err *)
    __attribute__((warn_unused_result));

/*
 * MD5, by which nginx checks the MACs, so that the pool must, too.  A process asks OpenSSL for it only once,
 * since that takes longer than to digest a token.  NULL: OpenSSL has no MD5.
 */
const EVP_MD *token_key_md5(void);

/* Two digits or lower-case letters: an nginx map does not tell k1 from K1. */
bool token_slot_valid(struct slice);

/* The key of the slot, or NULL. */
const struct token_key *token_keys_find(const struct token_keys *, struct slice slot);

/*
 * SHA-256 of the key in hexadecimal digits: it tells two keys apart and reveals nothing.  False:
 * OpenSSL fails.
 */
bool token_key_fingerprint(const struct token_key *, char out[TOKEN_KEY_FINGERPRINT_SIZE]);

/* Makes a new key for that slot.  -1: 500, no random bytes. */
int token_key_generate(const char *slot, struct token_key *, struct err *)
    __attribute__((warn_unused_result));

/* Overwrites the keys in memory. */
void token_keys_wipe(struct token_keys *);

#endif
