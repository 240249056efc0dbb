#ifndef BASE_KEYED_HASH_H
#define BASE_KEYED_HASH_H

/*
 * Hashes under a secret key, to compare bytes within one process: several times as fast as SHA-256.  Without
 * the key nobody can find two texts with the same hash (Poly1305, of which no hash is ever shown; or HMAC,
 * where OpenSSL has no Poly1305); so neither key nor hashes may leave the process.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"

enum { KEYED_HASH_SIZE = 16 };

struct keyed_hash;

/* Loads all that it needs from the system, and draws a key.  NULL: err, 500. */
struct keyed_hash *keyed_hash_new(struct arena *, struct err *);

/* Draws another random key; earlier hashes cannot be compared with later ones.  -1: 500. */
int keyed_hash_change(struct keyed_hash *, struct err *) __attribute__((warn_unused_result));

/* Hash one text after another, each in pieces.  keyed_hash_end() reports the errors of all of them. */
void keyed_hash_begin(struct keyed_hash *);
void keyed_hash_add(struct keyed_hash *, const void *, size_t);
bool keyed_hash_end(struct keyed_hash *, unsigned char out[KEYED_HASH_SIZE])
    __attribute__((warn_unused_result));

#endif
