#ifndef API_WEB_CRATE_HTML_H
#define API_WEB_CRATE_HTML_H

/* The data of the pages of api/web/crate_page.h, for html/crate.html. */

#include "api/web/crate_plot.h"
#include "api/web/page.h"
#include "api/web/readme.h"
#include "crate/package.h"
#include "crate/registry_url.h"
#include "store/web/page_crate.h"

/* A crate that depends on this one. */
struct crate_html_user {
	const struct page_crate_dependent *d;
	const char *path; /* of its project */
	bool takes; /* it accepts the version that is shown */
};

struct crate_html {
	const char *path; /* of the project */
	int64_t project_id;
	bool is_public; /* anyone may download its crates */
	struct page_crumbs crumbs;
	const struct page_crate *crate;
	const struct registry_url *registries; /* of the dependencies, one each */
	const char *const *paths; /* of the projects of the dependencies; NULL: not readable here */
	bool has_others; /* a dependency is a crate of another project */
	bool of_group; /* the next two are those of the group in `crate`, else of the project */
	const char *registry; /* its name in cargo's configuration, by registry_alias() */
	const char *index; /* its address for cargo */
	bool is_version; /* the page is about one version */
	bool is_prerelease; /* the version that is shown: cargo install takes it only by its number */
	struct crate_html_user *users;
	size_t nusers;
	bool sees_owners, sees_publishers;
	struct strings warnings; /* of its publish; only for viewers who may see the publisher */
	struct readme readme; /* empty: there is none */
	struct crate_plot plot; /* of its downloads */
	struct page_turn turn; /* of the versions */
	const char *order; /* of the versions, as the address asks for it; NULL: it does not */
	bool is_sorted; /* the highest version is first, not the newest */
	const struct html_pair *previous, *next; /* the queries of the pages beside this one */
};

/* May a page link to this URL? */
bool crate_html_is_link(const char *url);

/* What an audited action did, as a verb for people, by the name of the action. */
const char *crate_html_action(const char *action);

/* Who did it: a user, an administrator with the command, or the worker.  NULL: a token without a user. */
const char *crate_html_actor(const struct page_crate_event *);

#endif
