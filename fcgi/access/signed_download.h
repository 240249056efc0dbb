#ifndef ACCESS_SIGNED_DOWNLOAD_H
#define ACCESS_SIGNED_DOWNLOAD_H

/*
 * Addresses of downloads that nginx can judge by itself.  config.json has, for a caller who may
 * read a project's packages, a `dl` with this query:
 *
 *	?g=GENERATION&u=user:7&e=1790000000&s=SIGNATURE
 *
 * It says that who sends that very Authorization header may download from that project, until
 * second e, for as long as generation g holds (store/access_generation.h).  nginx compares the
 * signature (ngx_http_secure_link_module) and looks for a file that is there only while the
 * generation does hold (jobs/public_keeper.h); otherwise it asks the pool, which does not look at
 * the query when it decides.  The address is no secret: without the token it opens nothing.
 *
 * The signature is MD5, since nginx has no other, of the key, what is signed, and the key again:
 * what is known to be weak in MD5 is to find two texts with one digest, which helps nobody who
 * does not know how both begin.
 *
 * Pure, but for reading the key.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"

enum {
	SIGNED_DOWNLOAD_KEY_MIN = 32,
	SIGNED_DOWNLOAD_KEY_MAX = 128,
	SIGNED_DOWNLOAD_FILE_MAX = 4096
};

struct signed_download_key {
	char text[SIGNED_DOWNLOAD_KEY_MAX + 1]; /* "": none */
};

/*
 * The key in the text of such a file, which nginx includes in a map:
 *
 *	"" "KEY";
 *
 * besides which there are only empty lines and those that begin with #.  A key is 32 to 128
 * letters, digits, - and _.  -1: 500, with what is wrong in err->detail.
 */
int signed_download_parse_key(struct slice text, struct signed_download_key *, struct err *)
    __attribute__((warn_unused_result));

/* The same of the file at that path.  -1: 500. */
int signed_download_read_key(const char *path, struct signed_download_key *, struct err *)
    __attribute__((warn_unused_result));

struct signed_download {
	int64_t project_id;
	const char *generation;
	const char *who; /* for the log of downloads: user:7 */
	int64_t until; /* seconds since 1970 */
	const char *authorization; /* the header, as it was sent */
};

/* The query, without its question mark.  NULL where MD5 is not to be had. */
char *signed_download_query(
    struct arena *, const struct signed_download_key *, const struct signed_download *);

#endif
