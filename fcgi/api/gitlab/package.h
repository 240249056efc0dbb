#ifndef API_GITLAB_PACKAGE_H
#define API_GITLAB_PACKAGE_H

/*
 * One package, which is one version of a crate: shown, its file, its pipeline, its
 * status; and deleted (berth-api(7), Packages).  The one file of a package is the crate's, and has its id.
 */

#include "call/call.h"

extern const struct route_policy package_policy;
extern const struct route_policy package_change_policy;

/* 200; 404 for one whose status is neither default nor deprecated. */
int package_show(struct call *, struct request *, struct response *);

/* 200 with a list; 404 for a package that is not listed. */
int package_files(struct call *, struct request *, struct response *);
int package_pipelines(struct call *, struct request *, struct response *);

/*
 * 200 with the package; 400 for a status that nobody can set; 403 where a rule protects the package from
 * deletion, or the token's limits do not allow it.
 */
int package_set_status(struct call *, struct request *, struct response *);

/* 204; 403 as above.  Both delete the package, since it has only one file. */
int package_delete(struct call *, struct request *, struct response *);
int package_delete_file(struct call *, struct request *, struct response *);

#endif
