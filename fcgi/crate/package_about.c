#include "crate/package_rules.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/excerpt.h"
#include "base/scan.h"
#include "base/url.h"
#include "base/utf8.h"
#include "base/words.h"
#include "crate/spdx.h"

enum {
	DESCRIPTION_MAX = 1000, /* bytes */
	KEYWORD_MAX = 20,
	CATEGORY_MAX = 64,
	LINKS_MAX = 128,
	LICENSE_MAX = 1000,
	URL_MAX = 2000,
};

static bool
given(const char *text)
{
	return text != NULL && *text != '\0';
}

/* What a person reads, or a link where it is one. */
static int
check_url(const char *field, const char *url, bool strict, struct err *err)
{
	if (!given(url))
		return 0;
	if (strlen(url) > URL_MAX)
		return err_set(err, 400, "`%s` has %zu bytes, and at most %d are allowed", field, strlen(url),
		    URL_MAX);
	for (const char *p = url; *p != '\0'; p++) {
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return err_set(err, 400, "`%s` has a control character", field);
	}
	if (url_is_web(slice_str(url)))
		return 0;
	if (!strict && !url_is_harmful(slice_str(url)))
		return 0;
	if (!strict)
		return err_set(err, 400, "`%s` must not be `%.*s`, which a browser would run or open on its own host; "
		    "write an address that begins with https://, or leave the field out", field,
		    excerpt(slice_str(url)), url);
	if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0)
		return err_set(err, 400,
		    "URL for field `%s` must begin with http:// or https:// (url: %.*s)", field,
		    excerpt(slice_str(url)), url);
	return err_set(err, 400, "`%s` is not a valid url: `%.*s`", field, excerpt(slice_str(url)), url);
}

static int
check_urls(const struct package *pkg, const char *strict, struct err *err)
{
	const struct {
		const char *name, *url;
	} fields[] = {
		{ "homepage", pkg->homepage },
		{ "documentation", pkg->documentation },
		{ "repository", pkg->repository },
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
		if (check_url(fields[i].name, fields[i].url, words_include(strict, fields[i].name), err) ==
		    -1)
			return -1;
	}
	return 0;
}

static int
check_license(const char *license, const char *strict, struct err *err)
{
	if (!given(license))
		return 0;
	if (strlen(license) > LICENSE_MAX)
		return err_set(err, 400, "`license` has %zu bytes, and at most %d are allowed; put the text into a file "
		    "and name it in `license-file`", strlen(license), LICENSE_MAX);
	if (!words_include(strict, "license") || spdx_knows(slice_str(license)))
		return 0;
	return err_set(err, 400,
	    "unknown or invalid license expression `%.*s`; see https://spdx.org/licenses",
	    excerpt(slice_str(license)), license);
}

/* One to three numbers without leading zeros; anything else hides the version from clients. */
static bool
rust_version_valid(const char *text)
{
	struct slice in = slice_str(text);

	for (int numbers = 0; numbers < 3; numbers++) {
		const char *start = in.p;

		while (in.n > 0 && scan_is_digit(in.p[0]))
			scan_skip(&in, 1);
		errno = 0;
		if (in.p == start || (*start == '0' && in.p > start + 1) ||
		    (strtoumax(start, NULL, 10) == UINTMAX_MAX && errno == ERANGE))
			return false;
		if (in.n == 0)
			return true;
		if (!scan_char(&in, '.'))
			return false;
	}
	return false;
}

/* The resolver compares it byte by byte; nobody should have to guess what it looks like. */
static bool
links_valid(const char *text)
{
	struct slice in = slice_str(text);

	if (in.n == 0 || in.n > LINKS_MAX)
		return false;
	while (in.n > 0) {
		uint32_t cp;
		size_t n = utf8_decode(in.p, in.n, &cp);

		if (n == 0 || cp <= ' ' || (cp >= 0x7f && cp <= 0xa0))
			return false;
		scan_skip(&in, n);
	}
	return true;
}

static bool
keyword_valid(struct slice word)
{
	if (word.n == 0 || !scan_is_alnum(word.p[0]))
		return false;
	for (size_t i = 1; i < word.n; i++) {
		char c = word.p[i];

		if (!scan_is_alnum(c) && c != '_' && c != '-' && c != '+')
			return false;
	}
	return true;
}

static int
check_keywords(const struct strings *keywords, size_t max, struct err *err)
{
	if (keywords->n > max)
		return err_set(err, 400, "expected at most %zu keywords per crate, but this one has %zu"
		    LIMIT_RAISE("max_keywords"), max, keywords->n);
	for (size_t i = 0; i < keywords->n; i++) {
		struct slice word = slice_str(keywords->v[i]);

		if (word.n > KEYWORD_MAX)
			return err_set(err, 400,
			    "\"%.*s\" is an invalid keyword: it has %zu bytes, and at most %d are allowed",
			    excerpt(word), word.p, word.n, KEYWORD_MAX);
		if (!keyword_valid(word))
			return err_set(err, 400, "\"%s\" is an invalid keyword: a keyword begins with an ASCII "
			    "letter or digit, and goes on with letters, digits, `_`, `-` or `+`", word.p);
	}
	return 0;
}

static int
check_categories(const struct strings *categories, size_t max, struct err *err)
{
	if (categories->n > max)
		return err_set(err, 400, "expected at most %zu categories per crate, but this one has %zu"
		    LIMIT_RAISE("max_categories"), max, categories->n);
	for (size_t i = 0; i < categories->n; i++) {
		struct slice slug = slice_str(categories->v[i]);

		if (slug.n == 0 || slug.n > CATEGORY_MAX)
			return err_set(err, 400,
			    "\"%.*s\" is an invalid category: it has %zu bytes, and 1 to %d are allowed",
			    excerpt(slug), slug.p, slug.n, CATEGORY_MAX);
	}
	return 0;
}

int
package_check_about(const struct package *pkg, const struct package_limits *limits,
    struct err *err)
{
	if (!limits->legacy && pkg->description != NULL && strlen(pkg->description) > DESCRIPTION_MAX)
		return err_set(err, 400, "The `description` is too long: it has %zu bytes, and at most %d are "
		    "allowed; the README has room for more", strlen(pkg->description), DESCRIPTION_MAX);
	if (check_license(pkg->license, limits->strict, err) == -1 ||
	    check_urls(pkg, limits->strict, err) == -1)
		return -1;
	if (pkg->rust_version != NULL && !rust_version_valid(pkg->rust_version))
		return err_set(err, 400,
		    "invalid `rust-version` value `%.*s`: expected one to three numbers, such as "
		    "`1.70`",
		    excerpt(slice_str(pkg->rust_version)), pkg->rust_version);
	if (pkg->links != NULL && !links_valid(pkg->links))
		return err_set(err, 400,
		    "invalid `links` value `%.*s`: expected 1 to %d characters without blanks",
		    excerpt(slice_str(pkg->links)), pkg->links, LINKS_MAX);
	if (limits->legacy)
		return 0;
	if (check_keywords(&pkg->keywords, limits->max_keywords, err) == -1)
		return -1;
	return check_categories(&pkg->categories, limits->max_categories, err);
}
