#include "access/token_words.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "access/token_limits.h"
#include "base/buf.h"
#include "crate/crate_name.h"

enum {
	WORDS_MAX = 8, /* of any table */
	PATTERNS_MAX = 100, /* each is compared in every publish */
	LIST_MAX = 64 * 1024
};

static const char *const personal[] = { "api", "read_api" };
static const char *const deploy[] = { "read_package_registry", "write_package_registry",
	"create_job_token" };
static const char *const policies[] = { "read_packages", "admin_packages" };

#define TABLE(words) (words), sizeof(words) / sizeof(*(words))

const struct token_words token_words_personal = { "scope", "a user's token", TABLE(personal) };
const struct token_words token_words_deploy = { "scope", "a deploy token", TABLE(deploy) };
const struct token_words token_words_operations = { "operation", "a user's token",
	token_operation_names, TOKEN_NOPERATIONS };
const struct token_words token_words_policies = { "policy", "an allow-list", TABLE(policies) };

/* "a, b or c" */
static const char *
choices(struct arena *a, const struct token_words *t)
{
	const char *text = t->words[0];

	for (size_t i = 1; i < t->n; i++)
		text = arena_printf(a, "%s%s%s", text, i + 1 < t->n ? ", " : " or ", t->words[i]);
	return text;
}

int
token_words_parse(struct arena *a, const struct token_words *t, const char *list, const char **out,
    struct err *err)
{
	bool given[WORDS_MAX] = { false };

	for (;;) {
		size_t len = strcspn(list, ","), k = 0;

		while (k < t->n && !slice_is(slice_of(list, len), t->words[k]))
			k++;
		if (k == t->n)
			return err_set(err, 400, "there is no %s `%.*s`; %s has %s", t->what,
			    (int)len, list, t->whose, choices(a, t));
		given[k] = true;
		if (list[len] == '\0')
			break;
		list += len + 1;
	}
	*out = "";
	for (size_t k = 0; k < t->n; k++) {
		if (given[k])
			*out = arena_printf(a, "%s%s%s", *out, **out != '\0' ? "," : "",
			    t->words[k]);
	}
	return 0;
}

int
token_words_crates(struct arena *a, const char *list, const char **out, struct err *err)
{
	size_t n = 0;
	struct buf b;

	buf_init(&b, a, LIST_MAX);
	for (;;) {
		struct slice pattern = slice_of(list, strcspn(list, ","));

		if (!token_pattern_valid(pattern))
			return err_set(err, 400,
			    "`%.*s` is neither a crate's name nor a prefix followed by `*`",
			    (int)(pattern.n < LIST_MAX ? pattern.n : LIST_MAX), pattern.p);
		if (++n > PATTERNS_MAX)
			return err_set(err, 400, "a token can have at most %d patterns of crates",
			    PATTERNS_MAX);
		if (n > 1)
			buf_putc(&b, ',');
		buf_puts(&b, crate_name_normalize(a, pattern));
		list += pattern.n;
		if (*list++ == '\0')
			break;
	}
	*out = buf_str(&b);
	return 0;
}

int
token_words_number(const char *option, const char *text, int64_t max, int64_t *out,
    struct err *err)
{
	size_t n = strspn(text, "0123456789");

	if (n == 0 || n > 18 || text[n] != '\0')
		return err_set(err, 400, "--%s must be a number, not `%s`", option, text);
	*out = strtoimax(text, NULL, 10);
	if (*out < 1 || *out > max)
		return err_set(err, 400, "--%s must be from 1 to %" PRId64, option, max);
	return 0;
}
