#ifndef API_WEB_SOURCE_ASK_H
#define API_WEB_SOURCE_ASK_H

/*
 * Asks the inspector about stored crates, for pages.  The inspector reads them in its sandbox and unpacks
 * nothing.  The answers are kept (cache/cache_extract.h).  Ask only for a viewer who may read the packages
 * of the project that page->call->facts is about.
 */

#include "api/web/page.h"
#include "crate/inspect/job.h"

struct source_crate {
	const char *name, *version; /* as they were published */
	const char *cksum;
};

struct source_ask {
	enum job_kind kind;
	struct source_crate crate;
	struct source_crate other; /* of JOB_DIFF: the newer one */
	const char *file; /* of JOB_READ */
};

/*
 * -1: 404 no such file, 413 the file is too large, 400 the crate is damaged; 503 too many crates are open;
 * 500, also where the store has lost the bytes.
 */
int source_ask(struct page *, const struct source_ask *, struct slice *answer)
    __attribute__((warn_unused_result));

#endif
