#ifndef API_WEB_BROWSE_H
#define API_WEB_BROWSE_H

/*
 * Pages that lead to crates, for everybody who may know of them: the front page, groups and projects.
 * All answer 200; 404 with a page for what is not there or what the viewer may not know of; 400 with a page.
 */

#include "call/call.h"

/* GET /-/: groups that are registries, projects, what is new, what is used most. */
int browse_front(struct call *, struct request *, struct response *);

/* GET /-/projects?page=: all projects. */
int browse_projects(struct call *, struct request *, struct response *);

/* GET /-/groups/:path*?page= */
int browse_group(struct call *, struct request *, struct response *);

/* GET /-/projects/:path*?page= */
int browse_project(struct call *, struct request *, struct response *);

#endif
