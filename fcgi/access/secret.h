#ifndef ACCESS_SECRET_H
#define ACCESS_SECRET_H

/*
 * Secrets of browser sessions and sign-in codes: 256 random bits as 43 digits of base 62, of
 * which only the SHA-256 is stored.  Unlike a token it has no prefix and no checksum: it is
 * pasted and never typed, and has no use outside the pages.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"

enum { SECRET_TEXT_SIZE = 44, SECRET_DIGEST_SIZE = 32, SECRET_FORM_SIZE = 65 };

/* A new one, NUL-terminated, and its digest.  -1: 500, no random bytes. */
int secret_generate(char text[SECRET_TEXT_SIZE], unsigned char digest[SECRET_DIGEST_SIZE],
    struct err *) __attribute__((warn_unused_result));

/* The digest of what could be one; false for anything else. */
bool secret_parse(struct slice text, unsigned char digest[SECRET_DIGEST_SIZE]);

/*
 * The value in hexadecimal digits that each form of a session sends, against cross-site request forgery.
 * Another site cannot know it, it is not valid for another user, and it does not reveal the session.
 */
void secret_form(const char *session, int64_t user_id, char out[SECRET_FORM_SIZE]);

/* Is `given` the value that secret_form() makes?  Compares in constant time. */
bool secret_form_matches(const char *session, int64_t user_id, const char *given);

#endif
