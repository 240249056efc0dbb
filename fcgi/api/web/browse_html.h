#ifndef API_WEB_BROWSE_HTML_H
#define API_WEB_BROWSE_HTML_H

/* The data of the pages of api/web/browse.h, for html/browse.html. */

#include "api/web/ci_text.h"
#include "api/web/page.h"

struct front_page {
	struct page_rows projects, newest, used;
	const struct access_facts *groups; /* that are set up as registries */
	size_t ngroups;
	bool has_more_groups;
};

struct projects_page {
	struct page_rows projects;
	struct page_turn turn;
};

struct group_page {
	const char *path;
	const char *index; /* the address of its registry, for cargo */
	const char *registry; /* its name there, by registry_alias() */
	struct page_crumbs crumbs;
	struct page_rows projects, members;
	bool sees_members;
	bool sees_settings; /* at least a maintainer, who is told how an administrator changes them */
	bool takes_new; /* it has a default project, so new crates can be published to the group */
	const char *default_path; /* of that project; NULL: none that the viewer may know of */
	struct page_turn turn;
};

struct project_page {
	const char *path, *visibility;
	struct page_crumbs crumbs;
	const char *index; /* the address of the registry, for cargo */
	const char *registry; /* its name there, by registry_alias() */
	const char *group; /* whose address is the one for all; NULL: none is above */
	const char *group_index, *group_registry; /* NULL: it is no registry, or nobody is signed in */
	const char *mirror_url; /* of which registry it is a mirror, as in berth.conf; NULL: it is none */
	bool group_publishes; /* it has a default project, to which its new crates go */
	bool group_takes_new; /* that is this project */
	struct page_rows crates, members;
	bool sees_crates, sees_members, is_off;
	bool is_public; /* cargo needs no token to read */
	struct page_turn turn;
	const struct ci_text *ci;
};

#endif
