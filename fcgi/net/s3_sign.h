#ifndef NET_S3_SIGN_H
#define NET_S3_SIGN_H

/*
 * AWS Signature Version 4 for S3 (docs.aws.amazon.com, "Authenticating Requests (AWS Signature Version
 * 4)").  The signature covers the request as it is sent: path and query must be encoded by s3_encode(), and
 * nothing on the way may change a signed header.  Berth signs no URL for clients, since nginx sends copies of
 * the objects (berth-architecture(7)).
 */

#include "base/arena.h"
#include "base/buf.h"
#include "base/slice.h"

struct s3_credentials {
	const char *key_id, *secret;
	const char *session; /* of temporary credentials; NULL: none */
};

struct s3_signing {
	const char *method;
	const char *path; /* encoded, from its first slash */
	const char *query; /* encoded, sorted by name, each with a `=`; "": none */
	const char *const *headers; /* "name:value" in lower case, sorted by name, with host; ends with NULL */
	const char *payload; /* the body's SHA-256 in hexadecimal digits */
	const char *date; /* "20130524T000000Z" */
	const char *region;
	const struct s3_credentials *credentials;
};

/* Appends the text, with all bytes but letters, digits and -._~ as %XX. path: slashes stay as they are. */
void s3_encode(struct buf *, struct slice, bool path);

/* The value of the header Authorization.  NULL: OpenSSL fails. */
const char *s3_authorization(struct arena *, const struct s3_signing *);

#endif
