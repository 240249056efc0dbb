#ifndef API_WEB_FEED_XML_H
#define API_WEB_FEED_XML_H

/* The data of the feeds of api/web/feed.h, for html/feed.xml. */

#include "store/web/page_rows.h"

struct feed_xml {
	const char *url; /* external_url */
	const char *registry; /* "https://host/api/v4/projects/7/packages/cargo" */
	const char *path; /* of the project */
	const char *crate; /* NULL: all of the project */
	int64_t updated; /* seconds since 1970 */
	struct page_rows entries; /* number: enum page_feed_kind */
	const char *const *endings; /* of the titles, for each kind */
};

#endif
