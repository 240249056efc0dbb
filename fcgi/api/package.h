#ifndef API_PACKAGE_H
#define API_PACKAGE_H

/*
 * One package, which is one version of a crate: shown, its file, its pipeline
 * (access.md section 5.3).  The one file of a package is the crate's, and has its id.
 */

#include "api/app.h"

extern const struct route_need package_need;

/* 200; 404 for one whose status is neither default nor deprecated. */
int package_show(struct worker_app *, struct request *, struct response *);

/* 200 with a list; 404 for a package that is not listed. */
int package_files(struct worker_app *, struct request *, struct response *);
int package_pipelines(struct worker_app *, struct request *, struct response *);

#endif
