#ifndef ACCESS_TOKEN_H
#define ACCESS_TOKEN_H

/*
 * Tokens: berth_KIND_SLOT HANDLE_SECRET_MAC, without the blank.
 *
 *	KIND	pat, dep or job
 *	SLOT	2 digits or lower-case letters: which key of token_key made the MAC (access/token_key.h)
 *	HANDLE	16 random digits of base 62: the token's name, which is no secret
 *	SECRET	32 random digits of base 62
 *	MAC	MD5(key " " registry " " KIND_SLOT HANDLE_SECRET " " key) in base64url, 22 characters
 *
 * nginx checks the MAC by itself (secure_link_md5, which is why it is MD5).  Nobody without
 * the 256 bits of the key can make a text that matches.  MD5 is weak against two chosen texts with one
 * digest, but no client chooses a text.  The pool refuses a token with a wrong MAC
 * without a look-up, and looks up a token whose slot it does not know.  The database stores only the SHA-256
 * of "REGISTRY TOKEN": a copy of the database that becomes another registry accepts none of them.
 *
 * Without a key a token is "berth_KIND_", 43 digits of base 62 (256 random bits) and 6 digits (CRC-32
 * of all before them), and the database stores its SHA-256.  Such tokens stay valid until they end.
 *
 * Secret scanners can find a leaked token of either form.
 */

#include <stdbool.h>

#include "access/token_key.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"

enum token_kind { TOKEN_PERSONAL, TOKEN_DEPLOY, TOKEN_JOB, TOKEN__MAX };

/* "personal", "deploy", "job": as in the database. */
extern const char *const token_kind_names[TOKEN__MAX];

enum {
	TOKEN_DIGEST_SIZE = 32,
	TOKEN_TEXT_SIZE = 96,
	TOKEN_HANDLE_SIZE = 19, /* slot and handle, and a NUL */
	/*
	 * The longest Authorization header: one with an ID token of 8 kB in it, also as a
	 * password of Basic.  nginx takes up to 16 kB (berth-server.conf).
	 */
	TOKEN_HEADER_MAX = 12 * 1024
};

/* A token that was made or read.  Its holder must wipe it: token_wipe(). */
struct token {
	enum token_kind kind;
	char text[TOKEN_TEXT_SIZE]; /* the text of a new token; "" for one that was read */
	unsigned char digest[TOKEN_DIGEST_SIZE];
	char handle[TOKEN_HANDLE_SIZE]; /* slot and handle; "": none */
};

/* Makes a token with the last of the keys, or, without a key, of the older form.  -1: 500. */
int token_generate(enum token_kind, const struct token_keys *, struct token *, struct err *)
    __attribute__((warn_unused_result));

/*
 * Is the text well-formed, and is its MAC right where its slot is one of the keys?  Then sets all but
 * `text`.  token_keys.registry_id must be set.
 */
bool token_parse(struct slice text, const struct token_keys *, struct token *);

void token_wipe(struct token *);

/*
 * The SHA-256 of a credential that Berth did not make; the database knows it by this digest.  False:
 * OpenSSL fails.
 */
bool token_digest(struct slice text, unsigned char digest[TOKEN_DIGEST_SIZE]);

/*
 * The token in an Authorization header: bare, `Bearer TOKEN` or `Token TOKEN` (any case), or
 * `Basic` with the token as user name or as password.  *out is empty where
 * there is no header.  -1: 401 for another scheme, bad base64, bytes outside ASCII.
 */
int token_from_authorization(struct arena *, const char *header, struct slice *out, struct err *)
    __attribute__((warn_unused_result));

#endif
