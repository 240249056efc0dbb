#include "admin/provision/provision.h"

#include <stdio.h>
#include <string.h>

#include "admin/provision/kinds.h"
#include "base/buf.h"
#include "config/settings.h"
#include "store/registry_lock.h"

enum { NAMES_TEXT_MAX = 1 << 20 };

const char *const provision_kind_names[PROVISION__MAX] = {
	[PROVISION_USER] = "user",
	[PROVISION_GROUP] = "group",
	[PROVISION_ISSUER] = "issuer",
	[PROVISION_PROJECT] = "project",
	[PROVISION_REGISTRY] = "registry",
	[PROVISION_MEMBER] = "member",
	[PROVISION_ALLOW] = "allow",
	[PROVISION_PROTECT] = "protect",
	[PROVISION_TRUST] = "trust",
};

static const struct kind *const kinds[PROVISION__MAX] = {
	[PROVISION_USER] = &kind_user,
	[PROVISION_GROUP] = &kind_group,
	[PROVISION_ISSUER] = &kind_issuer,
	[PROVISION_PROJECT] = &kind_project,
	[PROVISION_REGISTRY] = &kind_registry,
	[PROVISION_MEMBER] = &kind_member,
	[PROVISION_ALLOW] = &kind_allow,
	[PROVISION_PROTECT] = &kind_protect,
	[PROVISION_TRUST] = &kind_trust,
};

int
kind_absent(struct err *err)
{
	if (err->status != 404)
		return -1;
	err_clear(err);
	return 0;
}

struct provision_key
provision_name_key(enum provision_kind kind, size_t i)
{
	return i < PROVISION_NAMES_MAX ? kinds[kind]->names[i] : (struct provision_key) { 0 };
}

/* The i-th key of berth.conf that a project can have. */
static const char *
setting_name(size_t i)
{
	for (size_t k = 0; k < settings_nkeys; k++) {
		if (settings_keys[k].project && i-- == 0)
			return settings_keys[k].name;
	}
	return NULL;
}

struct provision_key
provision_value_key(enum provision_kind kind, size_t i)
{
	const struct kind *k = kinds[kind];
	size_t n = 0;

	while (k->keys[n].name != NULL) {
		if (n == i)
			return k->keys[i];
		n++;
	}
	return (struct provision_key) { .name = k->has_settings ? setting_name(i - n) : NULL,
		.type = PROVISION_SETTING };
}

const char *
provision_names(struct arena *a, const struct provision_thing *thing)
{
	struct buf b;

	buf_init(&b, a, NAMES_TEXT_MAX);
	for (size_t i = 0; i < PROVISION_NAMES_MAX && thing->names[i] != NULL; i++)
		buf_printf(&b, "%s%s", i > 0 ? " " : "", thing->names[i]);
	return buf_str(&b);
}

int
provision_check(const struct provision *p, struct provision_thing *thing, struct err *err)
{
	const struct kind *kind = kinds[thing->kind];

	return kind->check != NULL ? kind->check(p, thing, err) : 0;
}

int
provision_find(const struct provision *p, const struct provision_thing *wanted,
    struct provision_thing *current, bool *found, struct err *err)
{
	*found = false;
	*current = (struct provision_thing) { .kind = wanted->kind };
	memcpy(current->names, wanted->names, sizeof(current->names));
	return kinds[wanted->kind]->find(p, wanted, current, found, err);
}

/* Fills in the values that a new object has by itself. */
static int
complete(const struct provision *p, struct provision_thing *thing, struct err *err)
{
	struct provision_key key;

	for (size_t i = 0; (key = provision_value_key(thing->kind, i)).name != NULL; i++) {
		if (thing->values[i] != NULL)
			continue;
		thing->values[i] = key.initial;
		if (key.required)
			return err_set(err, 400, "%s `%s` does not exist, and to create it `%s` is needed",
			    provision_kind_names[thing->kind], provision_names(p->arena, thing), key.name);
	}
	return 0;
}

int
provision_create(const struct provision *p, struct provision_thing *thing, struct err *err)
{
	return complete(p, thing, err) == -1 ? -1 : kinds[thing->kind]->create(p, thing, err);
}

bool
provision_differs(const struct provision_thing *wanted,
    const struct provision_thing *current, size_t key)
{
	const struct kind *kind = kinds[wanted->kind];
	const char *a = wanted->values[key], *b = current->values[key];

	if (a == NULL || strcmp(a, b) == 0)
		return false;
	return kind->same == NULL || !kind->same(key, a, b);
}

static const char *
shown(struct provision_key key, const char *value)
{
	return value[0] != '\0' ? value : key.empty != NULL ? key.empty : "-";
}

static void
tell_existing(const struct provision *p, const struct provision_thing *wanted,
    const struct provision_thing *current)
{
	const char *kind = provision_kind_names[wanted->kind], *names = provision_names(p->arena, wanted);
	struct provision_key key;

	fprintf(stderr, "berth: %s `%s` already exists; nothing is changed\n", kind, names);
	for (size_t i = 0; (key = provision_value_key(wanted->kind, i)).name != NULL; i++) {
		if (provision_differs(wanted, current, i))
			fprintf(stderr, "berth: warning: %s `%s` has %s %s, not %s\n", kind, names, key.name,
			    shown(key, current->values[i]), shown(key, wanted->values[i]));
	}
}

struct adding {
	const struct provision *p;
	struct provision_thing *thing;
	struct provision_thing current;
	bool found;
};

/* Of several that look at the same time, one makes it. */
static int
add_missing(struct db *db, void *arg, struct err *err)
{
	struct adding *add = arg;

	if (registry_lock(db, add->p->arena, err) == -1 ||
	    provision_find(add->p, add->thing, &add->current, &add->found, err) == -1)
		return -1;
	return add->found ? 0 : provision_create(add->p, add->thing, err);
}

int
provision_add(const struct provision *p, struct provision_thing *thing, bool if_missing, struct err *err)
{
	struct adding add = { .p = p, .thing = thing };
	struct err again = { 0 };
	bool unknown;

	if (provision_check(p, thing, err) == -1)
		return -1;
	if (!if_missing)
		return provision_create(p, thing, err);
	if (db_transaction(p->db, add_missing, &add, &unknown, err) == -1) {
		/* has a command without this option made it in between? */
		if (err->status != 409 || provision_find(p, thing, &add.current, &add.found, &again) == -1 ||
		    !add.found)
			return -1;
		err_clear(err);
	}
	if (!add.found)
		return 0;
	tell_existing(p, thing, &add.current);
	*thing = add.current;
	return 0;
}

int
provision_check_last(const struct provision *p, const struct provision_thing *thing, struct err *err)
{
	return kinds[thing->kind]->check_last(p, thing, err);
}

int
provision_change(const struct provision *p, const struct provision_thing *wanted,
    const struct provision_thing *current, struct err *err)
{
	struct provision_thing differing = *wanted, all = *current;
	struct provision_key key;

	differing.id = current->id;
	for (size_t i = 0; (key = provision_value_key(wanted->kind, i)).name != NULL; i++) {
		if (!provision_differs(wanted, current, i)) {
			differing.values[i] = NULL;
			continue;
		}
		if (key.fixed)
			return err_set(err, 409, "%s `%s` has %s %s, and no command changes it to %s",
			    provision_kind_names[wanted->kind], provision_names(p->arena, wanted), key.name,
			    shown(key, current->values[i]), shown(key, wanted->values[i]));
		all.values[i] = wanted->values[i];
	}
	return kinds[wanted->kind]->change(p, &differing, &all, err);
}
