#include "cache/cache_grant.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "cache/cache_dir_own.h"

enum { SIZE_MIN = 64 };

bool
cache_grants_have(const struct cache_dir *d, const struct cache_who *who, int64_t namespace)
{
	char path[CACHE_PATH_SIZE];

	cache_path_grant(path, d->epoch, who, namespace);
	return d->epoch[0] != '\0' && cache_dir_has(d, path);
}

static int
link_make(struct cache_dir *d, const struct cache_who *who, int64_t namespace, struct err *err)
{
	char path[CACHE_PATH_SIZE], root[CACHE_PATH_SIZE], target[CACHE_PATH_SIZE + sizeof("../../../")];

	cache_path_grant(path, d->epoch, who, 0);
	if (cache_dir_make(d, path, err) == -1)
		return -1;
	cache_path_grant(path, d->epoch, who, namespace);
	cache_path_namespace(root, namespace);
	snprintf(target, sizeof(target), "../../../%s", root);
	if (FAULT_FAILS("cache", "grant") ||
	    (symlinkat(target, d->root, path) == -1 && errno != EEXIST))
		return cache_dir_error(d, path, err);
	return 0;
}

static int
link_remove(struct cache_dir *d, const struct grant *g, struct err *err)
{
	char path[CACHE_PATH_SIZE];

	cache_path_grant(path, d->epoch, &g->who, g->namespace);
	if (FAULT_FAILS("cache", "revoke") || (unlinkat(d->root, path, 0) == -1 && errno != ENOENT))
		return cache_dir_error(d, path, err);
	/* an empty folder would stay until the epoch ends */
	cache_path_grant(path, d->epoch, &g->who, 0);
	(void)unlinkat(d->root, path, AT_REMOVEDIR);
	return 0;
}

/* The first 64 bits of an address, which are of one network; 0: it is of IPv4, or no address. */
static uint64_t
prefix_of(const struct cache_who *who)
{
	const char *address = cache_who_address(who);
	struct in6_addr v6;
	uint64_t prefix = 0;

	if (address != NULL && inet_pton(AF_INET6, address, &v6) == 1)
		memcpy(&prefix, v6.s6_addr, sizeof(prefix));
	return prefix;
}

static size_t
count_prefix(const struct cache_grants *g, uint64_t prefix)
{
	size_t n = 0;

	for (size_t i = 0; i < g->n; i++)
		n += g->v[i].prefix == prefix;
	return n;
}

/* Ends the oldest grant of the /64, or else of the kind, where there are too many. */
static int
make_room(struct cache_dir *d, enum grant_kind kind, uint64_t prefix, struct err *err)
{
	struct cache_grants *g = &d->grants;
	bool full_prefix = prefix != 0 && count_prefix(g, prefix) >= GRANTS_PREFIX_MAX;
	size_t i = 0;

	if (!full_prefix && g->of_kind[kind] < GRANTS_MAX)
		return 0;
	while (full_prefix ? g->v[i].prefix != prefix : g->v[i].kind != kind)
		i++;
	if (link_remove(d, &g->v[i], err) == -1)
		return -1;
	g->of_kind[g->v[i].kind]--;
	g->n--;
	memmove(&g->v[i], &g->v[i + 1], (g->n - i) * sizeof(*g->v));
	return 0;
}

static int
grow(struct cache_grants *g, struct err *err)
{
	size_t size = g->size == 0 ? SIZE_MIN : 2 * g->size;
	struct grant *v = reallocarray(g->v, size, sizeof(*v));

	if (v == NULL)
		return err_sys(err, "cache_dir: grants");
	g->v = v;
	g->size = size;
	return 0;
}

int
cache_grants_add(struct cache_dir *d, enum grant_kind kind, const struct cache_who *who, int64_t namespace,
    int64_t end_us, int64_t renew_us, struct err *err)
{
	struct cache_grants *g = &d->grants;
	uint64_t prefix = prefix_of(who);

	if (d->epoch[0] == '\0')
		return 0;
	if (make_room(d, kind, prefix, err) == -1 || (g->n == g->size && grow(g, err) == -1))
		return -1;
	/* record the end before making the link, so that every grant has an end */
	g->v[g->n++] = (struct grant) { kind, *who, prefix, namespace, end_us, renew_us };
	g->of_kind[kind]++;
	return link_make(d, who, namespace, err);
}

/* Selects the grants that end: of a holder, else of a namespace, else by their times. */
struct end {
	const struct cache_who *who;
	int64_t namespace;
	int64_t until_us;
	bool renewed;
};

static bool
ends(const struct end *e, const struct grant *g)
{
	if (e->who != NULL)
		return strcmp(g->who.name, e->who->name) == 0;
	if (e->namespace != 0)
		return g->namespace == e->namespace;
	return g->end_us <= e->until_us || (e->renewed && g->renew_us <= e->until_us);
}

static int
end_some(struct cache_dir *d, const struct end *e, struct err *err)
{
	struct cache_grants *g = &d->grants;
	size_t n = 0;
	int rc = 0;

	/* those that were made at once end at once: one pass, and what is left keeps its order */
	for (size_t i = 0; i < g->n; i++) {
		bool over = rc == 0 && ends(e, &g->v[i]);

		if (over)
			rc = link_remove(d, &g->v[i], err);
		if (over && rc == 0)
			g->of_kind[g->v[i].kind]--;
		else
			g->v[n++] = g->v[i];
	}
	g->n = n;
	return rc;
}

int
cache_grants_end(struct cache_dir *d, const struct cache_who *who, struct err *err)
{
	char path[CACHE_PATH_SIZE];

	if (d->epoch[0] == '\0')
		return 0;
	/* all at once, however many they are */
	cache_path_grant(path, d->epoch, who, 0);
	return cache_dir_discard(d, path, err) == -1 ? -1 : end_some(d, &(struct end) { .who = who }, err);
}

int
cache_grants_end_due(struct cache_dir *d, int64_t until_us, bool renewed, struct err *err)
{
	return end_some(d, &(struct end) { .until_us = until_us, .renewed = renewed }, err);
}

int
cache_grants_end_namespace(struct cache_dir *d, int64_t namespace, struct err *err)
{
	return end_some(d, &(struct end) { .namespace = namespace }, err);
}
