/* Decisions that are remembered: whose, for how long, and that nobody gets another's. */

#include "access/memory.h"
#include "access/token.h"
#include "base/sha256.h"
#include "tap.h"

static const struct access_facts facts = {
	.token_id = 7,
	.token_kind = "personal",
	.user_id = 3,
	.username = "dev",
	.token_usable = true,
	.limits = { .crates = "one*" },
	.project_id = 1,
	.full_path = "demo/registry",
	.visibility = "private",
	.access_level = LEVEL_DEVELOPER,
};

static const struct access_generation generation = { .id = "g1", .lasts_ms = -1 };

static struct access_key
key(const unsigned char *digest, const struct project_ref *project)
{
	return (struct access_key) {
		.credential = digest != NULL ? CREDENTIAL_TOKEN : CREDENTIAL_NONE,
		.digest = digest,
		.project = project,
		.action = ACTION_READ_PACKAGE,
	};
}

static void
test_whose(void)
{
	const unsigned char mine[TOKEN_DIGEST_SIZE] = { 1, 2, 3 };
	unsigned char other[TOKEN_DIGEST_SIZE] = { 1, 2, 3 };
	const struct project_ref by_id = { .id = 1 }, another = { .id = 2 };
	const struct project_ref by_path = { .path = { "demo/registry", 13 } };
	const struct project_ref other_path = { .path = { "demo/registrz", 13 } };
	struct access_memory *m = access_memory_new();
	struct access_key k = key(mine, &by_id), wrong;
	const struct access_memo *memo;

	/* alike in what the place in the table is made from */
	other[TOKEN_DIGEST_SIZE - 1] = 1;
	ok(access_memory_find(m, &k, 1) == NULL, "nobody is known at first");
	memo = access_memory_keep(m, &k, &facts, &generation, 1);
	is_str(memo->generation, "g1", "the generation");
	memo = access_memory_find(m, &k, 1);
	ok(memo != NULL, "then one is");
	is_int(memo->facts.token_id, 7, "with the facts");
	ok(memo->facts.full_path != facts.full_path && memo->facts.limits.crates != facts.limits.crates,
	    "whose strings are copies");
	is_str(memo->facts.full_path, "demo/registry", "the path");
	is_str(memo->facts.limits.crates, "one*", "the limits");
	is_str(memo->facts.visibility, "private", "the last of them");
	wrong = key(other, &by_id);
	ok(access_memory_find(m, &wrong, 1) == NULL, "not another token");
	wrong = key(mine, &another);
	ok(access_memory_find(m, &wrong, 1) == NULL, "not another project");
	wrong = key(mine, &by_path);
	ok(access_memory_find(m, &wrong, 1) == NULL, "not the same by another name");
	wrong = key(NULL, &by_id);
	ok(access_memory_find(m, &wrong, 1) == NULL, "not without a token");
	wrong = k;
	wrong.action = ACTION_READ_MEMBERS;
	ok(access_memory_find(m, &wrong, 1) == NULL, "not for something else");
	k = key(NULL, &by_path);
	access_memory_keep(m, &k, &facts, &generation, 1);
	ok(access_memory_find(m, &k, 1) != NULL, "somebody without a token, by path");
	wrong = k;
	wrong.credential = CREDENTIAL_MALFORMED;
	ok(access_memory_find(m, &wrong, 1) == NULL, "a malformed credential is not none");
	wrong = key(NULL, &other_path);
	ok(access_memory_find(m, &wrong, 1) == NULL, "not another path");
	access_memory_forget(m, &k);
	ok(access_memory_find(m, &k, 1) == NULL, "forgotten");
	access_memory_free(m);
}

static void
test_until(void)
{
	const struct project_ref project = { .id = 1 };
	const struct access_generation ends = { .id = "g", .lasts_ms = 5 };
	struct access_memory *m = access_memory_new();
	struct access_key k = key(NULL, &project);

	access_memory_keep(m, &k, &facts, &ends, 1000);
	ok(access_memory_find(m, &k, 5999) != NULL, "until its end");
	ok(access_memory_find(m, &k, 6000) == NULL, "and no longer");
	access_memory_free(m);
}

/* More than there is room for: some are forgotten, none is taken for another. */
static void
test_many(void)
{
	struct access_memory *m = access_memory_new();
	int known = 0, wrong = 0;

	for (int64_t i = 1; i <= 5000; i++) {
		const struct project_ref project = { .id = i };
		struct access_key k = key(NULL, &project);
		struct access_facts f = facts;

		f.project_id = i;
		access_memory_keep(m, &k, &f, &generation, 1);
	}
	for (int64_t i = 1; i <= 5000; i++) {
		const struct project_ref project = { .id = i };
		struct access_key k = key(NULL, &project);
		const struct access_memo *memo = access_memory_find(m, &k, 1);

		known += memo != NULL;
		wrong += memo != NULL && memo->facts.project_id != i;
	}
	ok(known > 3000 && known <= 4096, "%d of 5000 are known", known);
	is_int(wrong, 0, "each is its own");
	access_memory_free(m);
}

/* As many as a small fleet has: hardly anybody makes room for anybody. */
static void
test_few(void)
{
	enum { TOKENS = 200 };
	const struct project_ref project = { .id = 1 };
	struct access_memory *m = access_memory_new();
	unsigned char digest[TOKEN_DIGEST_SIZE];
	char text[8];
	int known = 0;

	for (int pass = 0; pass < 2; pass++) {
		for (int i = 0; i < TOKENS; i++) {
			struct access_key k = key(digest, &project);

			snprintf(text, sizeof(text), "%d", i);
			sha256_digest(text, strlen(text), digest);
			if (pass == 0)
				access_memory_keep(m, &k, &facts, &generation, 1);
			else
				known += access_memory_find(m, &k, 1) != NULL;
		}
	}
	is_int(known, TOKENS, "all of a few hundred are known");
	access_memory_free(m);
}

int
main(void)
{
	test_whose();
	test_until();
	test_many();
	test_few();
	return tap_done();
}
