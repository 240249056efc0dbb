#ifndef ADMIN_PROVISION_KINDS_H
#define ADMIN_PROVISION_KINDS_H

/* The kinds of objects, for provision.c alone. */

#include "admin/provision/provision.h"

struct kind {
	struct provision_key names[PROVISION_NAMES_MAX];
	const struct provision_key *keys; /* up to one without a name */
	bool has_settings; /* and behind them the keys of berth.conf that a project can have */
	/* each value that is given, in place.  NULL: nothing to check before it is written */
	int (*check)(const struct provision *, struct provision_thing *, struct err *);
	int (*find)(const struct provision *, const struct provision_thing *, struct provision_thing *, bool *,
	    struct err *);
	int (*create)(const struct provision *, struct provision_thing *, struct err *);
	/* `wanted` has only the values that differ, `all` those that shall be there afterwards */
	int (*change)(const struct provision *, const struct provision_thing *wanted,
	    const struct provision_thing *all, struct err *);
	/* are two values of that key one?  NULL: byte by byte */
	bool (*same)(size_t key, const char *a, const char *b);
};

extern const struct kind kind_user;
extern const struct kind kind_group;
extern const struct kind kind_project;
extern const struct kind kind_member;
extern const struct kind kind_allow;
extern const struct kind kind_protect;
extern const struct kind kind_issuer;
extern const struct kind kind_trust;

/* A list function or a look-up: 0 found, also -1 with 404, which is cleared; else -1. */
int kind_absent(struct err *);

#endif
