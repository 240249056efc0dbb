#ifndef STORE_WEB_PAGE_CRATE_H
#define STORE_WEB_PAGE_CRATE_H

/*
 * Reads all data for the page of a crate, or of one of its versions, in one statement.  A crate without a
 * listed version does not exist here, as in store/package/crate_about.h.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/web/page_rows.h"

enum {
	PAGE_CRATE_DAYS = 90,
	PAGE_CRATE_BANDS = 4, /* versions whose downloads are read by day */
	PAGE_CRATE_DEPENDENCIES = 500, /* so many are shown, as of the next one */
	PAGE_CRATE_FEATURES = 500,
	PAGE_CRATE_DEPENDENTS = 50 /* the search for dependents ends with this number */
};

struct page_crate_ask {
	int64_t user_id; /* the viewer; 0: nobody */
	int64_t project_id;
	const char *index; /* of the project, as registry_url_index() has it */
	struct slice name; /* in any spelling */
	struct slice version; /* build metadata does not matter; empty: the crate's main version */
	struct page_range range; /* of the versions */
	int64_t sorted_max; /* up to so many versions are sorted by SemVer; of more, the newest come first */
	bool owners, publishers; /* the viewer may know them */
};

/* In the structs below, a string that does not exist is NULL. */
struct page_crate_version {
	const char *version;
	int64_t at, size;
	bool yanked, deprecated;
	const char *why; /* it was yanked */
	const char *license, *license_file, *rust, *edition;
	const char *status_why; /* it has its status */
	bool untimed; /* `at` is the time of its import */
};

struct page_crate_dependency {
	const char *name, *alias, *req, *kind, *target, *features;
	const char *registry; /* NULL: the same */
	const char *artifact; /* what cargo builds of it as files, in words; NULL: nothing */
	bool optional, default_features;
};

struct page_crate_feature {
	const char *name, *enables; /* words with commas */
};

struct page_crate_dependent {
	const char *name, *version, *req, *kind;
	int64_t project_id; /* 0: the same; else another one that the viewer may read */
};

struct page_crate_load {
	const char *version;
	int64_t downloads;
};

/* The same members as in struct owner (store/package/owner.h). */
struct page_crate_owner {
	const char *username, *name;
	int64_t level;
};

struct page_crate_event {
	const char *action, *username, *request_id, *message;
	const char *system_user; /* the user of the system, if a program of Berth did it; else NULL */
	int64_t at;
};

struct page_crate {
	const char *name;
	struct page_crate_version shown;
	const char *description, *homepage, *documentation, *repository, *links, *cksum;
	const char *readme; /* at most one byte more than readme.h shows */
	const char *readme_file; /* its path in the crate */
	bool readme_images; /* the project's setting */
	const char *mirror_url; /* the project's own value; NULL: it has none */
	const char *const *keywords, *const *categories, *const *bins;
	size_t nkeywords, ncategories, nbins;
	bool has_lib;
	bool has_before; /* of the page of a version: a lower one is listed */
	struct page_crate_dependency *dependencies;
	struct page_crate_feature *features;
	size_t ndependencies, nfeatures; /* of all; the arrays have at most the limits above */
	int64_t total; /* versions */
	struct page_crate_version *versions;
	struct page_crate_dependent *dependents;
	struct page_crate_load *loads; /* the versions that were downloaded most, in the days below */
	size_t nversions, ndependents, nloads;
	int64_t days[PAGE_CRATE_DAYS]; /* downloads by day, today last */
	int64_t bands[PAGE_CRATE_BANDS][PAGE_CRATE_DAYS]; /* those of the first of `loads` */
	int64_t downloads; /* of all these days */
	struct page_crate_owner *owners; /* those by a role first */
	size_t nowners;
	/* the publisher, if `publishers` asks for it */
	const char *token_kind, *token_name, *issuer, *job_url, *ref, *commit, *publisher;
	int64_t pipeline, job; /* 0: none */
	/* a group above that is set up as a registry, for a viewer who is signed in; 0: none */
	int64_t group_id;
	const char *group_path;
	bool group_serves; /* that registry has this crate, not another one of its name */
	struct page_crate_event *events; /* of this version, the newest first */
	size_t nevents;
};

/* How many dependencies the array has. */
size_t page_crate_dependencies(const struct page_crate *);

/* Two versions of a crate that are compared, with or without build metadata. */
struct page_crate_pair {
	int64_t project_id;
	struct slice name; /* in any spelling */
	struct slice old; /* empty: the version before the new one, of those that are listed */
	struct slice new;
};

/*
 * Fills in name, cksum, dependencies, features and `shown` of both, which must be listed.  If `ask` has no
 * old version and the new one is the first, old->name is NULL.  -1: 503; 404, and if the crate has a page but
 * a version is not listed, new->name is the crate's name and `err` says which version.
 */
int page_crate_read_pair(struct db *, struct arena *, const struct page_crate_pair *, struct page_crate *old,
    struct page_crate *new, struct err *) __attribute__((warn_unused_result));

/*
 * The project of the same group registry that has a crate of that name, in any spelling, and the name there.
 * *elsewhere_id 0: there is none.  -1: 503.
 */
int page_crate_elsewhere(struct db *, struct arena *, int64_t project_id, struct slice name,
    int64_t *elsewhere_id, const char **found, struct err *) __attribute__((warn_unused_result));

/* -1: 404 no such crate or version, 503. */
int page_crate_read(struct db *, struct arena *, const struct page_crate_ask *, struct page_crate *,
    struct err *) __attribute__((warn_unused_result));

#endif
