#include "crate/archive/path_set.h"

#include <inttypes.h>
#include <wctype.h>

#include "base/utf8.h"
#include "crate/archive/tar_path.h"

enum { SIZE_MIN = 256 };

/* What a path is; kept in the low bits of its hash.  An empty slot is 0. */
enum kind { FREE, FILE_GIVEN, FOLDER_GIVEN, FOLDER_IMPLIED, KINDS };
#define KIND_MASK  ((uint64_t)3)
#define HASH_START UINT64_C(0xcbf29ce484222325)

struct path_set {
	struct arena *arena;
	locale_t locale;
	uint64_t *slots; /* open addressing */
	size_t size; /* a power of two */
	size_t n;
	uint64_t folders, max_folders;
};

/* What was there, what comes: is it a conflict? */
static const bool conflicts[KINDS][KINDS] = {
	[FILE_GIVEN] = { [FOLDER_GIVEN] = true, [FOLDER_IMPLIED] = true },
	[FOLDER_GIVEN] = { [FILE_GIVEN] = true, [FOLDER_GIVEN] = true },
	[FOLDER_IMPLIED] = { [FILE_GIVEN] = true },
};

struct path_set *
path_set_new(struct arena *arena, uint64_t max_folders, locale_t locale)
{
	struct path_set *set = arena_alloc(arena, sizeof(*set));

	set->arena = arena;
	set->locale = locale;
	set->max_folders = max_folders;
	set->size = SIZE_MIN;
	set->slots = arena_calloc(arena, set->size, sizeof(*set->slots));
	return set;
}

/* The slot that holds the hash, or the free one where it belongs. */
static uint64_t *
slot_find(uint64_t *slots, size_t size, uint64_t hash)
{
	size_t i = (size_t)(hash >> 2) & (size - 1);

	while (slots[i] != FREE && (slots[i] & ~KIND_MASK) != hash)
		i = (i + 1) & (size - 1);
	return &slots[i];
}

static void
set_grow(struct path_set *set)
{
	size_t size = set->size * 2;
	uint64_t *slots = arena_calloc(set->arena, size, sizeof(*slots));

	for (size_t i = 0; i < set->size; i++) {
		uint64_t v = set->slots[i];

		if (v != FREE)
			*slot_find(slots, size, v & ~KIND_MASK) = v;
	}
	set->slots = slots;
	set->size = size;
}

/* As it is kept: spread over all bits, and without those of the kind. */
static uint64_t
hash_end(uint64_t hash)
{
	return (hash ^ hash >> 29) * UINT64_C(0x9e3779b97f4a7c15) & ~KIND_MASK;
}

/* False: it conflicts with what is there, which is left in *was. */
static bool
set_mark(struct path_set *set, uint64_t hash, enum kind kind, enum kind *was)
{
	uint64_t *slot;

	hash = hash_end(hash);
	if (set->n >= set->size / 2)
		set_grow(set);
	slot = slot_find(set->slots, set->size, hash);
	*was = (enum kind)(*slot & KIND_MASK);
	if (conflicts[*was][kind])
		return false;
	if (*was == FREE) {
		set->n++;
		set->folders += kind != FILE_GIVEN;
	}
	if (*was == FREE || kind == FOLDER_GIVEN)
		*slot = hash | kind;
	return true;
}

/* FNV-1a over the folded characters. */
static uint64_t
hash_add(const struct path_set *set, uint64_t hash, uint32_t cp)
{
	/* up and down again, so that the two small sigmas meet as well */
	wint_t folded = towlower_l(towupper_l((wint_t)cp, set->locale), set->locale);

	return (hash ^ folded) * UINT64_C(0x100000001b3);
}

int
path_set_add(struct path_set *set, struct slice path, bool directory, bool *again, struct err *err)
{
	uint64_t hash = HASH_START;
	enum kind was;

	for (size_t i = 0; i < path.n;) {
		uint32_t cp = 0;
		size_t n = utf8_decode(path.p + i, path.n - i, &cp);

		if (cp == '/' && !set_mark(set, hash, FOLDER_IMPLIED, &was))
			return tar_path_refuse(path, "one of its folders is also a file", err);
		hash = hash_add(set, hash, cp);
		i += n > 0 ? n : 1;
	}
	if (!set_mark(set, hash, directory ? FOLDER_GIVEN : FILE_GIVEN, &was))
		return tar_path_refuse(path, "the crate already has this path, perhaps in other case",
		    err);
	*again = was == FILE_GIVEN;
	if (set->folders > set->max_folders)
		return err_set(err, 400, "uploaded tarball contains more than %" PRIu64
		    " folders; an administrator can raise max_entries for the project",
		    set->max_folders);
	return 0;
}

bool
path_set_has_file(const struct path_set *set, struct slice path)
{
	uint64_t hash = HASH_START;

	for (size_t i = 0; i < path.n;) {
		uint32_t cp = 0;
		size_t n = utf8_decode(path.p + i, path.n - i, &cp);

		hash = hash_add(set, hash, cp);
		i += n > 0 ? n : 1;
	}
	return (*slot_find(set->slots, set->size, hash_end(hash)) & KIND_MASK) == FILE_GIVEN;
}
