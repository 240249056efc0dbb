#ifndef BASE_SHA256_H
#define BASE_SHA256_H

/*
 * SHA-256 of what is in memory.  OpenSSL looks the algorithm up and makes room for it once in a
 * process, since either takes longer than to digest a token.  For one thread only.
 */

#include <stdbool.h>
#include <stddef.h>

enum { SHA256_SIZE = 32 };

/* False: OpenSSL fails. */
bool sha256_digest(const void *, size_t n, unsigned char out[SHA256_SIZE]);

#endif
