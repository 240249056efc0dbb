#ifndef STORE_PACKAGE_PACKAGE_ENTRY_H
#define STORE_PACKAGE_PACKAGE_ENTRY_H

/*
 * Versions as GitLab's clients know them: packages, of which a page is listed in some order, or
 * one is shown.  Times are text, in the form in which clients read them.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/db/db.h"

/* The pipeline whose job published the package. */
struct package_pipeline {
	int64_t id; /* 0: it was no job */
	int64_t project_id;
	const char *job_url; /* this and the next two: NULL where unknown */
	const char *ref;
	const char *commit;
	const char *created_at;
	/* who has started it */
	int64_t user_id;
	const char *username;
	const char *user_name;
	const char *user_state;
};

struct package_entry {
	int64_t id; /* of the version */
	int64_t project_id;
	const char *project_path;
	const char *name;
	const char *version;
	const char *status;
	const char *status_message; /* NULL: none */
	bool yanked;
	const char *yank_message; /* why; NULL: nobody has said, or it is not yanked */
	const char *created_at;
	const char *last_downloaded_at; /* NULL: never */
	const char *cksum;
	int64_t size;
	int64_t creator_id; /* 0: a deploy token, or a job */
	struct package_pipeline pipeline;
};

enum package_order {
	PACKAGE_BY_CREATED_AT,
	PACKAGE_BY_NAME,
	PACKAGE_BY_VERSION,
	PACKAGE_BY_PROJECT_PATH /* in lists of several projects */
};

enum {
	PACKAGE_COUNT_MAX = 10000, /* more are not counted */
	PACKAGE_OFFSET_MAX = 50000, /* so many at most can be skipped */
	PACKAGE_VERSIONS_MAX = 100 /* other versions that are told of one package */
};

enum { PACKAGE_NLISTED = 3 };

/* The statuses of what is listed where none is asked for; such a list by name is found faster. */
extern const char *const package_listed[PACKAGE_NLISTED];

struct package_query {
	/* of one project; or, where it is 0, of these */
	int64_t project_id;
	const int64_t *projects;
	size_t nprojects;
	const char *const *statuses;
	size_t nstatuses;
	const char *name; /* part of it, in any spelling; NULL: all, as for the next one */
	bool name_is_whole; /* not a part of it: all of it */
	const char *version;
	enum package_order order;
	bool descending;
	int64_t limit;
	int64_t offset;
};

/*
 * Reads the page, and in *total the number of all packages; PACKAGE_COUNT_MAX + 1 means more than that.  A
 * crate of exactly that name is up to date; others by name may be up to a second old.  It takes one round
 * trip, or two for a name that more packages have, and two more for a crate that has just changed.
 */
int package_list(struct db *, struct arena *, const struct package_query *,
    struct package_entry **, size_t *n, int64_t *total, struct err *)
    __attribute__((warn_unused_result));

/* -1: 404 the project has no such package, of whatever status. */
int package_find(struct db *, struct arena *, int64_t project_id, int64_t id,
    struct package_entry **, struct err *) __attribute__((warn_unused_result));

/* The same with other versions of the crate, newest first, PACKAGE_VERSIONS_MAX of them at most. */
int package_find_with_versions(struct db *, struct arena *, int64_t project_id, int64_t id,
    struct package_entry **, struct package_entry **versions, size_t *nversions, struct err *)
    __attribute__((warn_unused_result));

#endif
