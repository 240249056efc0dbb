#include "cache/cache_absent.h"

#include <stdlib.h>
#include <string.h>

#include "cache/cache_tree.h"

struct mark {
	int64_t namespace;
	char name[CRATE_NAME_MAX + 1];
};

/* A ring; a mark that went with its crate's publish stays in it until its turn comes. */
struct cache_absent {
	struct mark v[ABSENT_MAX];
	size_t n, next;
};

struct cache_absent *
cache_absent_new(void)
{
	struct cache_absent *absent = calloc(1, sizeof(*absent));

	if (absent == NULL)
		abort();
	return absent;
}

void
cache_absent_free(struct cache_absent *absent)
{
	free(absent);
}

int
cache_absent_mark(struct cache_absent *absent, struct cache_dir *d, int64_t namespace,
    const char *name, struct err *err)
{
	struct mark *m = &absent->v[absent->next];

	if (crate_name_check(slice_str(name), "crate", err) == -1)
		return -1;
	if (cache_tree_is_absent(d, namespace, name))
		return 0;
	if (absent->n == ABSENT_MAX && cache_tree_unmark_absent(d, m->namespace, m->name, err) == -1)
		return -1;
	/* in the ring before it is made, so that no mark is beyond the limit */
	*m = (struct mark) { .namespace = namespace };
	memcpy(m->name, name, strlen(name) + 1);
	absent->next = (absent->next + 1) % ABSENT_MAX;
	if (absent->n < ABSENT_MAX)
		absent->n++;
	return cache_tree_mark_absent(d, namespace, name, err);
}

void
cache_absent_forget(struct cache_absent *absent)
{
	absent->n = absent->next = 0;
}
