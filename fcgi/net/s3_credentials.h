#ifndef NET_S3_CREDENTIALS_H
#define NET_S3_CREDENTIALS_H

/*
 * Credentials of an object store: a file in the form of AWS's own tools (~/.aws/credentials), or the
 * environment variables AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN.  No error shows any
 * part of them.
 */

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"
#include "net/s3_sign.h"

enum { S3_CREDENTIALS_MAX = 64 * 1024 };

/*
 * Reads lines NAME = VALUE: aws_access_key_id, aws_secret_access_key, aws_session_token, in the section
 * [default] or before any section; it ignores the rest.  from: where the text is from.  -1: 500, one of the
 * first two is missing, or a value has characters other than visible ASCII.
 */
int s3_credentials_parse(struct arena *, struct slice text, const char *from, struct s3_credentials *,
    struct err *) __attribute__((warn_unused_result));

/*
 * Reads the file at `path`, or, if it is "", the environment.  Each call reads the file again, so that new
 * credentials are used at once.  -1: 500.
 */
int s3_credentials_read(struct arena *, const char *path, struct s3_credentials *, struct err *)
    __attribute__((warn_unused_result));

#endif
