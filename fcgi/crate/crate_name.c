#include "crate/crate_name.h"

#include <stdint.h>

#include "base/excerpt.h"
#include "base/scan.h"
#include "base/utf8.h"
#include "base/words.h"

/*
 * In normal form.  The names of the standard library, its tools and its past; the
 * device names that Windows keeps in every folder, so that such a crate could not be
 * unpacked there; and "new", which the route of a publish occupies.
 */
static const char *const reserved[] = { "alloc", "arena", "ast", "builtins", "collections",
	"compiler-builtins", "compiler-rt", "compiletest", "core", "coretest", "debug", "driver",
	"flate", "fmt-macros", "grammar", "graphviz", "macro", "macros", "proc-macro", "rbml",
	"rust-installer", "rustbook", "rustc", "rustc-back", "rustc-borrowck", "rustc-driver",
	"rustc-llvm", "rustc-resolve", "rustc-trans", "rustc-typeck", "rustdoc", "rustllvm",
	"rustuv", "serialize", "std", "syntax", "test", "unicode", "aux", "com1", "com2", "com3",
	"com4", "com5", "com6", "com7", "com8", "com9", "con", "lpt1", "lpt2", "lpt3", "lpt4",
	"lpt5", "lpt6", "lpt7", "lpt8", "lpt9", "nul", "prn", "new" };

static char
to_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static char
to_normal(char c)
{
	return c == '_' ? '-' : to_lower(c);
}

/* 400 for the character that begins at `at`. */
static int
refuse_character(struct slice name, size_t at, const char *what, const char *rule, struct err *err)
{
	uint32_t cp;
	size_t n = utf8_decode(name.p + at, name.n - at, &cp);

	return err_set(err, 400, "invalid character `%.*s` in %s name: `%.*s`, %s",
	    n > 0 ? (int)n : 1, name.p + at, what, excerpt(name), name.p, rule);
}

/* RFC 3243 does not say yet which path of the index and which file such a name has. */
static int
refuse_namespace(struct slice name, const char *what, struct err *err)
{
	return err_set(err, 400,
	    "the %s name `%.*s` is in a namespace, which registries cannot store yet; use `-` or `_` in "
	    "place of `::`",
	    what, excerpt(name), name.p);
}

static int
check(struct slice name, const char *what, bool alias, struct err *err)
{
	if (utf8_length(name) > CRATE_NAME_MAX)
		return err_set(err, 400, "the %s name `%.*s` is too long: it has %zu characters, and at most %d are "
		    "allowed", what, excerpt(name), name.p, utf8_length(name), CRATE_NAME_MAX);
	if (name.n == 0)
		return err_set(err, 400, "%s name cannot be empty", what);
	if (scan_is_digit(name.p[0]))
		return err_set(err, 400,
		    "the name `%.*s` cannot be used as a %s name, "
		    "the name cannot start with a digit",
		    excerpt(name), name.p, what);
	if (!scan_is_alpha(name.p[0]) && !(alias && name.p[0] == '_'))
		return refuse_character(name, 0, what,
		    alias ? "the first character must be an ASCII letter, or `_`"
			  : "the first character must be an ASCII letter",
		    err);
	for (size_t i = 1; i < name.n; i++) {
		if (scan_is_alnum(name.p[i]) || name.p[i] == '-' || name.p[i] == '_')
			continue;
		if (slice_has_prefix(slice_of(name.p + i, name.n - i), "::"))
			return refuse_namespace(name, what, err);
		return refuse_character(name, i, what,
		    "characters must be ASCII letters, digits, `-`, or `_`", err);
	}
	return 0;
}

int
crate_name_check(struct slice name, const char *what, struct err *err)
{
	return check(name, what, false, err);
}

int
crate_name_check_alias(struct slice name, struct err *err)
{
	return check(name, "dependency", true, err);
}

bool
crate_name_equal(struct slice a, struct slice b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++) {
		if (to_normal(a.p[i]) != to_normal(b.p[i]))
			return false;
	}
	return true;
}

int
crate_name_compare(const char *a, const char *b)
{
	while (*a != '\0' && to_normal(*a) == to_normal(*b)) {
		a++;
		b++;
	}
	return (unsigned char)to_normal(*a) - (unsigned char)to_normal(*b);
}

bool
crate_name_reserved(struct slice name)
{
	for (size_t i = 0; i < sizeof(reserved) / sizeof(*reserved); i++) {
		if (crate_name_equal(name, slice_str(reserved[i])))
			return true;
	}
	return false;
}

bool
crate_name_listed(struct slice name, const char *names)
{
	struct slice word;

	while (words_next(&names, &word)) {
		if (crate_name_equal(name, word))
			return true;
	}
	return false;
}

static char *
map(struct arena *a, struct slice name, char (*fn)(char))
{
	char *out = arena_slicedup(a, name);

	for (size_t i = 0; i < name.n; i++)
		out[i] = fn(out[i]);
	return out;
}

char *
crate_name_normalize(struct arena *a, struct slice name)
{
	return map(a, name, to_normal);
}

char *
crate_name_lower(struct arena *a, struct slice name)
{
	return map(a, name, to_lower);
}

const char *
crate_name_folders(struct arena *a, struct slice name)
{
	if (name.n <= 2)
		return name.n == 1 ? "1" : "2";
	return name.n == 3 ? arena_printf(a, "3/%c", name.p[0])
	                   : arena_printf(a, "%.2s/%.2s", name.p, name.p + 2);
}

char *
crate_name_index_path(struct arena *a, struct slice name)
{
	const char *lower = crate_name_lower(a, name);

	return arena_printf(a, "%s/%s", crate_name_folders(a, slice_str(lower)), lower);
}
