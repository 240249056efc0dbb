/* Dates, networks, scopes, patterns and numbers, as people type them. */

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "access/networks.h"
#include "access/token_words.h"
#include "admin/number.h"
#include "admin/provision/quota_words.h"
#include "base/cidr.h"
#include "base/date.h"
#include "store/package/protection.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

typedef int list_fn(struct arena *, const char *list, const char **out, struct err *);

static int
parse_personal(struct arena *a, const char *list, const char **out, struct err *err)
{
	return token_words_parse(a, &token_words_personal, list, out, err);
}

static int
parse_operations(struct arena *a, const char *list, const char **out, struct err *err)
{
	return token_words_parse(a, &token_words_operations, list, out, err);
}

/* A list that was brought into its one form stays as it is. */
static void
check_list(struct arena *a, list_fn *parse, const char *text)
{
	const char *once, *twice;
	struct err err = { 0 };

	if (parse(a, text, &once, &err) == 0) {
		assert(once[0] == '\0' || (parse(a, once, &twice, &err) == 0 && strcmp(once, twice) == 0));
		assert(parse != networks_parse || once[0] == '\0' || cidr_list_valid(once));
	} else {
		assert(err.status == 400);
	}
}

static void
check_numbers(struct arena *a, const char *text)
{
	struct err err = { 0 };
	int64_t value, again;

	if (number_parse(text, "number", &value, &err) == 0)
		assert(value > 0 && token_words_number("number", text, value, &again, &err) == 0 && again == value);
	for (int kind = 0; kind < QUOTA__MAX; kind++) {
		if (quota_words_parse(a, (enum quota_kind)kind, text, &value, &err) == 0)
			assert(value >= 0 || value == QUOTA_NONE);
	}
}

static void
check_date(const char *text)
{
	/* the first seconds of 1971 and of 10000 */
	const int64_t from = 31536000, until = INT64_C(253402300800);
	struct err err = { 0 };
	int64_t at;

	if (date_parse_end(text, from - 1, &at, &err) == 0)
		assert(at >= from && at < until && date_parse_end(text, at, &at, &err) == -1);
	else
		assert(err.status == 400);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct arena *a = arena_new();
	const char *text = arena_strndup(a, (const char *)p, n);
	struct err err = { 0 };
	int64_t level;

	check_list(a, networks_parse, text);
	check_list(a, parse_personal, text);
	check_list(a, parse_operations, text);
	check_list(a, token_words_crates, text);
	check_numbers(a, text);
	check_date(text);
	if (protection_check_pattern(text, &err) == 0)
		assert(strlen(text) <= PROTECTION_PATTERN_MAX);
	err_clear(&err);
	if (protection_level_parse(text, PROTECTION_MAINTAINER, &level, &err) == 0)
		assert(strcmp(protection_level_name(level), text) == 0);
	arena_free(a);
	return 0;
}
