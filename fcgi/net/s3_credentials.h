#ifndef NET_S3_CREDENTIALS_H
#define NET_S3_CREDENTIALS_H

/*
 * Credentials of an object store: a file in the form of AWS's own tools (~/.aws/credentials), or the
 * environment variables AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN.  Nothing of them is
 * ever in an error.
 */

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"
#include "net/s3_sign.h"

enum { S3_CREDENTIALS_MAX = 64 * 1024 };

/*
 * Reads lines NAME = VALUE: aws_access_key_id, aws_secret_access_key, aws_session_token, of the section
 * [default] or of none; the rest is ignored.  -1: 500, one of the first two is missing, or a value has
 * other than visible ASCII.
 */
int s3_credentials_parse(struct arena *, struct slice text, struct s3_credentials *, struct err *)
    __attribute__((warn_unused_result));

/* path "": of the environment.  The file is read anew each time, so that new ones count at once.  -1: 500. */
int s3_credentials_read(struct arena *, const char *path, struct s3_credentials *, struct err *)
    __attribute__((warn_unused_result));

#endif
