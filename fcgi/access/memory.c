#include "access/memory.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "access/token.h"

/*
 * Callers of one worker at a time: some 1.2 MB when full.  Each has a place in one of several sets;
 * with as many sets as callers, two of 200 that take turns would often have to make room for each
 * other, and be decided anew each time.
 */
enum { SETS = 1024, SET_SIZE = 4 };

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

struct set {
	struct entry *entries[SET_SIZE];
	size_t next; /* which one makes room */
};

struct access_memory {
	struct set sets[SETS];
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
	for (size_t i = 0; i < SETS; i++) {
		for (size_t k = 0; k < SET_SIZE; k++)
			free(m->sets[i].entries[k]);
	}
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
set_of(const struct access_key *k)
{
	uint64_t h = 0xcbf29ce484222325 ^ (uint64_t)k->action ^ (uint64_t)k->flag << 8;

	if (k->credential == CREDENTIAL_TOKEN)
		h = hash_bytes(h, k->digest, sizeof(uint64_t));
	if (k->project->id != 0)
		h = hash_bytes(h, &k->project->id, sizeof(k->project->id));
	else
		h = hash_bytes(h, k->project->path.p, k->project->path.n);
	return (h ^ h >> 32) % SETS;
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

/* Its place in the set, or SET_SIZE. */
static size_t
place_of(const struct set *s, const struct access_key *k)
{
	size_t i = 0;

	while (i < SET_SIZE && (s->entries[i] == NULL || !is_of(s->entries[i], k)))
		i++;
	return i;
}

const struct access_memo *
access_memory_find(const struct access_memory *m, const struct access_key *k, int64_t now_us)
{
	const struct set *s = &m->sets[set_of(k)];
	size_t i = place_of(s, k);
	const struct access_memo *memo;

	if (i == SET_SIZE)
		return NULL;
	memo = &s->entries[i]->memo;
	return memo->until_us != 0 && now_us >= memo->until_us ? NULL : memo;
}

void
access_memory_forget(struct access_memory *m, const struct access_key *k)
{
	struct set *s = &m->sets[set_of(k)];
	size_t i = place_of(s, k);

	if (i == SET_SIZE)
		return;
	free(s->entries[i]);
	s->entries[i] = NULL;
}

/* An empty place of the set; where there is none, each makes room in turn. */
static struct entry **
make_room(struct set *s)
{
	struct entry **e;

	for (size_t i = 0; i < SET_SIZE; i++) {
		if (s->entries[i] == NULL)
			return &s->entries[i];
	}
	e = &s->entries[s->next];
	s->next = (s->next + 1) % SET_SIZE;
	free(*e);
	*e = NULL;
	return e;
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
	*make_room(&m->sets[set_of(k)]) = e;
	return &e->memo;
}
