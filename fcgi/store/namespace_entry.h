#ifndef STORE_NAMESPACE_ENTRY_H
#define STORE_NAMESPACE_ENTRY_H

/* Projects, groups and users as clients of the management API see them. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/db/db.h"

struct group_entry {
	int64_t id;
	const char *path; /* the last part of the next one */
	const char *full_path;
	int64_t parent_id; /* 0: none */
	const char *created_at; /* NULL in a project's */
	const char *anonymous_networks; /* for who may read settings; NULL in a project's */
	const char *registry_projects; /* as in store/group.h; NULL in a project's */
	const char *default_project; /* the same */
};

struct project_entry {
	int64_t id;
	const char *path;
	const char *full_path;
	const char *visibility;
	bool packages_enabled;
	bool public_packages;
	const char *created_at;
	struct group_entry group;
	const char *anonymous_networks; /* for who may read settings, as the next one */
	bool readme_images;
};

struct user_entry {
	int64_t id;
	const char *username;
	const char *name;
	const char *email;
	bool admin;
	const char *state;
	const char *created_at;
};

/* The entries of n ids, in their order, without those that do not exist. */
int project_entries(struct db *, struct arena *, const int64_t *ids, size_t n,
    struct project_entry **, size_t *nfound, struct err *) __attribute__((warn_unused_result));

int group_entries(struct db *, struct arena *, const int64_t *ids, size_t n,
    struct group_entry **, size_t *nfound, struct err *) __attribute__((warn_unused_result));

/* -1: 404. */
int user_entry(struct db *, struct arena *, int64_t id, struct user_entry *, struct err *)
    __attribute__((warn_unused_result));

#endif
