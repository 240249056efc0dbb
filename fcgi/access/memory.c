#include "access/memory.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "access/token.h"

enum { ENTRIES = 4096 }; /* callers of one worker at a time: some 1.2 MB when full */

struct entry {
	enum credential credential;
	unsigned char digest[TOKEN_DIGEST_SIZE];
	int64_t project_id;
	struct slice path;
	enum action action;
	enum flag flag;
	struct access_memo memo;
	char text[]; /* the path, then the facts' */
};

struct access_memory {
	struct entry *entries[ENTRIES];
};

struct access_memory *
access_memory_new(void)
{
	struct access_memory *m = calloc(1, sizeof(*m));

	if (m == NULL)
		abort();
	return m;
}

void
access_memory_free(struct access_memory *m)
{
	if (m == NULL)
		return;
	for (size_t i = 0; i < ENTRIES; i++)
		free(m->entries[i]);
	free(m);
}

/* FNV-1a; a token's digest is random enough for nobody to choose where it lies. */
static uint64_t
hash_bytes(uint64_t h, const void *p, size_t n)
{
	const unsigned char *bytes = p;

	for (size_t i = 0; i < n; i++)
		h = (h ^ bytes[i]) * 0x100000001b3;
	return h;
}

static size_t
place_of(const struct access_key *k)
{
	uint64_t h = 0xcbf29ce484222325 ^ (uint64_t)k->action ^ (uint64_t)k->flag << 8;

	if (k->credential == CREDENTIAL_TOKEN)
		h = hash_bytes(h, k->digest, sizeof(uint64_t));
	if (k->project->id != 0)
		h = hash_bytes(h, &k->project->id, sizeof(k->project->id));
	else
		h = hash_bytes(h, k->project->path.p, k->project->path.n);
	return (h ^ h >> 32) % ENTRIES;
}

static bool
is_of(const struct entry *e, const struct access_key *k)
{
	if (e->action != k->action || e->flag != k->flag || e->credential != k->credential ||
	    e->project_id != k->project->id)
		return false;
	if (k->credential == CREDENTIAL_TOKEN && memcmp(e->digest, k->digest, sizeof(e->digest)) != 0)
		return false;
	return e->project_id != 0 || slice_equal(e->path, k->project->path);
}

const struct access_memo *
access_memory_find(const struct access_memory *m, const struct access_key *k, int64_t now_us)
{
	const struct entry *e = m->entries[place_of(k)];

	if (e == NULL || !is_of(e, k) || (e->memo.until_us != 0 && now_us >= e->memo.until_us))
		return NULL;
	return &e->memo;
}

void
access_memory_forget(struct access_memory *m, const struct access_key *k)
{
	struct entry **e = &m->entries[place_of(k)];

	free(*e);
	*e = NULL;
}

const struct access_memo *
access_memory_keep(struct access_memory *m, const struct access_key *k,
    const struct access_facts *facts, const struct access_generation *g, int64_t asked_us)
{
	struct slice path = k->project->id != 0 ? slice_of("", 0) : k->project->path;
	struct entry *e;

	access_memory_forget(m, k);
	e = calloc(1, sizeof(*e) + path.n + access_facts_text_size(facts));
	if (e == NULL)
		abort();
	e->credential = k->credential;
	if (k->credential == CREDENTIAL_TOKEN)
		memcpy(e->digest, k->digest, sizeof(e->digest));
	e->project_id = k->project->id;
	memcpy(e->text, path.p, path.n);
	e->path = slice_of(e->text, path.n);
	e->action = k->action;
	e->flag = k->flag;
	e->memo.until_us = g->lasts_ms == -1 ? 0 : asked_us + g->lasts_ms * 1000;
	access_facts_copy(&e->memo.facts, facts, e->text + path.n);
	memcpy(e->memo.generation, g->id, sizeof(g->id));
	m->entries[place_of(k)] = e;
	return &e->memo;
}
