#ifndef BASE_SHA256_H
#define BASE_SHA256_H

/*
 * SHA-256, looked up in OpenSSL once in a process, since that takes longer than to digest a token.
 * For one thread only.
 */

#include <stdbool.h>
#include <stddef.h>

enum { SHA256_SIZE = 32 };

/* The digest of bytes in memory.  False: OpenSSL fails. */
bool sha256_digest(const void *, size_t n, unsigned char out[SHA256_SIZE]);

/*
 * The digest of bytes that come in pieces: begin, add each, end.  Or drop it; you may also drop one that
 * has ended or is all zeros.  False: OpenSSL fails, or did so before, so that you need to check only the
 * end.
 */
struct sha256 {
	struct evp_md_ctx_st *state; /* NULL: it has ended */
};
bool sha256_begin(struct sha256 *);
bool sha256_add(struct sha256 *, const void *, size_t n);
bool sha256_end(struct sha256 *, unsigned char out[SHA256_SIZE]);
void sha256_drop(struct sha256 *);

#endif
