#ifndef ACCESS_TOKEN_KEY_H
#define ACCESS_TOKEN_KEY_H

/*
 * The keys under which tokens carry a MAC (access/token.h), as token_key of berth.conf has them: a
 * file that nginx includes in two maps.
 *
 *	registry "550e8400-e29b-41d4-a716-446655440000";
 *	k1 "43 digits of base 62";
 *
 * The first line names the registry that the keys belong to; each further line is a slot and its key.
 * Empty lines and lines that begin with # mean nothing.  The last slot is the one that new tokens get.
 *
 * Pure, but for reading the file.
 */

#include <stdbool.h>
#include <stddef.h>

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
	char registry_id[REGISTRY_ID_LENGTH + 1]; /* "": not known yet */
	struct token_key v[TOKEN_KEYS_MAX];
	size_t n;
};

/*
 * The keys in the text of such a file.  -1: 500 with what is wrong, and in which line; no key is in
 * a message.
 */
int token_keys_parse(struct slice text, struct token_keys *, struct err *)
    __attribute__((warn_unused_result));

/* The same of the file at that path.  -1: 500. */
int token_keys_read(const char *path, struct token_keys *, struct err *)
    __attribute__((warn_unused_result));

/* Two digits or lower-case letters: a map of nginx takes k1 and K1 for the same. */
bool token_slot_valid(struct slice);

/* NULL: there is no such slot. */
const struct token_key *token_keys_find(const struct token_keys *, struct slice slot);

/* SHA-256 of the key in hexadecimal digits: tells two keys apart and opens nothing.  False: OpenSSL fails. */
bool token_key_fingerprint(const struct token_key *, char out[TOKEN_KEY_FINGERPRINT_SIZE]);

/* A new key for that slot.  -1: 500, no random bytes. */
int token_key_generate(const char *slot, struct token_key *, struct err *)
    __attribute__((warn_unused_result));

/* Overwrites the keys in memory. */
void token_keys_wipe(struct token_keys *);

#endif
