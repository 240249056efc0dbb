#include "cache/cache_grant.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "cache/cache_dir_own.h"

enum { SIZE_MIN = 64 };

struct grant {
	enum grant_kind kind;
	struct cache_who who;
	uint64_t prefix; /* of an IPv6 address its /64, of anything else 0 */
	int64_t namespace;
	int64_t end_us, renew_us;
};

struct cache_grants {
	struct grant *v; /* oldest first */
	size_t n, size;
	size_t of_kind[GRANT__KINDS];
};

struct cache_grants *
cache_grants_new(void)
{
	struct cache_grants *g = calloc(1, sizeof(*g));

	if (g == NULL)
		abort();
	return g;
}

void
cache_grants_free(struct cache_grants *g)
{
	if (g == NULL)
		return;
	free(g->v);
	free(g);
}

size_t
cache_grants_count(const struct cache_grants *g)
{
	return g->n;
}

bool
cache_grants_have(const struct cache_dir *d, const struct cache_who *who, int64_t namespace)
{
	char path[CACHE_PATH_SIZE];

	cache_path_grant(path, d->epoch, who, namespace);
	return d->epoch[0] != '\0' && faccessat(d->root, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
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

static void
drop(struct cache_grants *g, size_t i)
{
	g->of_kind[g->v[i].kind]--;
	g->n--;
	memmove(&g->v[i], &g->v[i + 1], (g->n - i) * sizeof(*g->v));
}

/* The first 64 bits of an address, which are of one network; 0: it is of IPv4, or no address. */
static uint64_t
prefix_of(const struct cache_who *who)
{
	struct in6_addr v6;
	uint64_t prefix = 0;

	if (!cache_who_is_token(who) && !cache_who_is_anyone(who) &&
	    inet_pton(AF_INET6, cache_who_address(who), &v6) == 1)
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
make_room(struct cache_grants *g, struct cache_dir *d, enum grant_kind kind, uint64_t prefix,
    struct err *err)
{
	bool full_prefix = prefix != 0 && count_prefix(g, prefix) >= GRANTS_PREFIX_MAX;

	if (!full_prefix && g->of_kind[kind] < GRANTS_MAX)
		return 0;
	for (size_t i = 0; i < g->n; i++) {
		if (full_prefix ? g->v[i].prefix != prefix : g->v[i].kind != kind)
			continue;
		if (link_remove(d, &g->v[i], err) == -1)
			return -1;
		drop(g, i);
		return 0;
	}
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
cache_grants_add(struct cache_grants *g, struct cache_dir *d, enum grant_kind kind,
    const struct cache_who *who, int64_t namespace, int64_t end_us, int64_t renew_us, struct err *err)
{
	uint64_t prefix = prefix_of(who);

	if (d->epoch[0] == '\0')
		return 0;
	if (make_room(g, d, kind, prefix, err) == -1 || (g->n == g->size && grow(g, err) == -1))
		return -1;
	/* record the end before making the link, so that every grant has an end */
	g->v[g->n++] = (struct grant) { kind, *who, prefix, namespace, end_us, renew_us };
	g->of_kind[kind]++;
	return link_make(d, who, namespace, err);
}

int
cache_grants_end(struct cache_grants *g, struct cache_dir *d, const struct cache_who *who,
    struct err *err)
{
	char path[CACHE_PATH_SIZE];
	size_t n = 0;

	if (d->epoch[0] == '\0')
		return 0;
	cache_path_grant(path, d->epoch, who, 0);
	if (cache_dir_discard(d, path, err) == -1)
		return -1;
	for (size_t i = 0; i < g->n; i++) {
		if (strcmp(g->v[i].who.name, who->name) == 0)
			g->of_kind[g->v[i].kind]--;
		else
			g->v[n++] = g->v[i];
	}
	g->n = n;
	return 0;
}

/* Selects the grants that end. */
struct end {
	int64_t until_us;
	bool renewed;
	int64_t namespace; /* 0: selects by the times above; else selects the grants of this namespace */
};

static bool
ends(const struct end *e, const struct grant *g)
{
	if (e->namespace != 0)
		return g->namespace == e->namespace;
	return g->end_us <= e->until_us || (e->renewed && g->renew_us <= e->until_us);
}

static int
end_some(struct cache_grants *g, struct cache_dir *d, const struct end *e, struct err *err)
{
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
cache_grants_end_due(struct cache_grants *g, struct cache_dir *d, int64_t until_us, bool renewed,
    struct err *err)
{
	const struct end end = { .until_us = until_us, .renewed = renewed };

	return end_some(g, d, &end, err);
}

int
cache_grants_end_namespace(struct cache_grants *g, struct cache_dir *d, int64_t namespace, struct err *err)
{
	const struct end end = { .namespace = namespace };

	return end_some(g, d, &end, err);
}

void
cache_grants_forget(struct cache_grants *g)
{
	g->n = 0;
	memset(g->of_kind, 0, sizeof(g->of_kind));
}
