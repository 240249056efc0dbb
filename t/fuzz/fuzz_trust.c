#include <assert.h>
#include <stdint.h>

#include "access/id_token.h"
#include "access/trust.h"
#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static const char issuer[] = "https://ci.example.com";

/* The claims as they are in a token: what every token is checked for, and what is told of the job. */
static void
check_claims(struct arena *a, struct json_object *claims)
{
	const struct jwt jwt = { .claims = claims, .signed_part = slice_str("a.b") };
	const struct id_token_expected wanted = { issuer, "berth", "ci.example.com/berth", 1700000000 };
	struct trust_job job;
	struct id_token token;
	struct err err = { 0 };

	if (id_token_check(&jwt, &wanted, &token, &err) == 0)
		assert(token.expires_at + ID_TOKEN_LEEWAY_S > 1700000000);
	else
		assert(err.status == 400);
	for (enum trust_kind kind = 0; kind < TRUST__NKINDS; kind++) {
		trust_describe(a, kind, issuer, claims, &job);
		assert(job.claims[0] == '{' && job.pipeline >= 0 && job.job >= 0);
	}
}

/* [patterns, claims] */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct arena *a = arena_new();
	struct json_object *root, *patterns, *claims;
	struct err err = { 0 };

	if (json_parse(a, slice_of((const char *)p, n), "the input", &root, &err) == 0 &&
	    json_object_is_type(root, json_type_array) && json_object_array_length(root) == 2) {
		patterns = json_object_array_get_idx(root, 0);
		claims = json_object_array_get_idx(root, 1);
		if (json_object_is_type(claims, json_type_object)) {
			check_claims(a, claims);
			for (enum trust_kind kind = 0; kind < TRUST__NKINDS; kind++) {
				if (trust_check_patterns(kind, patterns, &err) == 0)
					(void)trust_match(a, kind, patterns, "7", claims, &err);
			}
		}
	}
	arena_free(a);
	return 0;
}
