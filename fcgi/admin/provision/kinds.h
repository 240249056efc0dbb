#ifndef ADMIN_PROVISION_KINDS_H
#define ADMIN_PROVISION_KINDS_H

/* The kinds of objects.  Only provision.c includes this file, and the files that define them. */

#include "admin/provision/provision.h"

struct kind {
	struct provision_key names[PROVISION_NAMES_MAX];
	const struct provision_key *keys; /* the last one has no name */
	bool has_settings; /* the keys of berth.conf that a project can have follow */
	/* checks each value that is given, and may replace it.  NULL: there is nothing to check */
	int (*check)(const struct provision *, struct provision_thing *, struct err *);
	int (*find)(const struct provision *, const struct provision_thing *, struct provision_thing *, bool *,
	    struct err *);
	int (*create)(const struct provision *, struct provision_thing *, struct err *);
	/* `wanted` has only the values that differ, `all` has all values that the object gets */
	int (*change)(const struct provision *, const struct provision_thing *wanted,
	    const struct provision_thing *all, struct err *);
	/* provision_check_last().  NULL: the kind never takes the last one */
	int (*check_last)(const struct provision *, const struct provision_thing *, struct err *);
	/* do two texts mean the same value of that key?  NULL: only if they are equal */
	bool (*same)(size_t key, const char *a, const char *b);
};

extern const struct kind kind_user;
extern const struct kind kind_group;
extern const struct kind kind_project;
extern const struct kind kind_registry;
extern const struct kind kind_member;
extern const struct kind kind_allow;
extern const struct kind kind_protect;
extern const struct kind kind_issuer;
extern const struct kind kind_trust;

/* After a look-up that has failed.  0: the error was 404, and is cleared; -1: another error. */
int kind_absent(struct err *);

#endif
