#ifndef API_PUBLIC_WANT_H
#define API_PUBLIC_WANT_H

/*
 * Leaves word to the keeper of public_dir (jobs/public_keeper.h) of what it could have spared the
 * pool: a good answer to somebody without a token, under the address that nginx looks at, or a
 * download from one that was signed (access/signed_download.h).
 */

#include <stdbool.h>

#include "api/app.h"

/* Is this an answer that nginx could give? */
bool public_wanted(const struct worker_app *, const struct request *);

/* Is the caller one whose downloads nginx could judge? */
bool public_signs(const struct worker_app *);

/* config.json; the index file of a crate; a version of it, each as the request has spelled it. */
void public_want_config(const struct worker_app *, const struct request *);
void public_want_index(const struct worker_app *, const struct request *, struct slice name);
/* An index file that the pool can send again to whom it has let in, if it is kept. */
void public_want_kept(const struct worker_app *, struct slice name);
void public_want_version(const struct worker_app *, struct request *, struct slice name,
    struct slice version);

#endif
