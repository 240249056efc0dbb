#ifndef ACCESS_TOKEN_H
#define ACCESS_TOKEN_H

/*
 * Tokens: "berth_pat_", "berth_dep_" or "berth_job_", 43 digits of base 62
 * (256 random bits), 6 digits of base 62 (CRC-32 of all before them).  A
 * malformed one is refused without a look-up, and secret scanners can find a
 * leaked one.  Only the SHA-256 of the whole text is stored.
 */

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"

enum token_kind { TOKEN_PERSONAL, TOKEN_DEPLOY, TOKEN_JOB, TOKEN__MAX };

/* "personal", "deploy", "job": as in the database. */
extern const char *const token_kind_names[TOKEN__MAX];

enum {
	TOKEN_DIGEST_SIZE = 32,
	TOKEN_TEXT_SIZE = 64,
	/*
	 * The longest Authorization header: one with an ID token of 8 kB in it, also as a
	 * password of Basic.  nginx takes up to 16 kB (berth-server.conf).
	 */
	TOKEN_HEADER_MAX = 12 * 1024
};

/* A new token's text, NUL-terminated, and its digest.  -1: 500, no random bytes. */
int token_generate(enum token_kind, char text[TOKEN_TEXT_SIZE],
    unsigned char digest[TOKEN_DIGEST_SIZE], struct err *) __attribute__((warn_unused_result));

/* Well-formed?  Then sets kind and digest. */
bool token_parse(struct slice text, enum token_kind *, unsigned char digest[TOKEN_DIGEST_SIZE]);

/* SHA-256 of a credential that is none of ours, under which it is known.  False: OpenSSL fails. */
bool token_digest(struct slice text, unsigned char digest[TOKEN_DIGEST_SIZE]);

/*
 * The token in an Authorization header: bare, `Bearer TOKEN` (any case), or
 * `Basic` with the token as user name or as password.  *out is empty where
 * there is no header.  -1: 401 for another scheme, bad base64, bytes outside ASCII.
 */
int token_from_authorization(struct arena *, const char *header, struct slice *out, struct err *)
    __attribute__((warn_unused_result));

#endif
