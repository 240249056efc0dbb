#include "crate/cfg_expr.h"

#include <stdbool.h>
#include <stddef.h>

#include "base/excerpt.h"
#include "base/scan.h"

enum token {
	TOKEN_END,
	TOKEN_OPEN,
	TOKEN_CLOSE,
	TOKEN_COMMA,
	TOKEN_EQUALS,
	TOKEN_STRING,
	TOKEN_IDENT, /* `text` is its name, unless it is raw */
	TOKEN_BAD    /* `why` says what is wrong with it */
};

struct parser {
	struct slice rest; /* after `token` */
	enum token token;
	struct slice text;
	const char *why; /* what was wrong first */
};

static bool parse_expr(struct parser *, int depth);

/* Keeps the first reason; always false. */
static bool
fail(struct parser *p, const char *why)
{
	if (p->why == NULL)
		p->why = why;
	return false;
}

static bool
is_ident_start(char c)
{
	return scan_is_alpha(c) || c == '_';
}

static enum token
take_ident(struct parser *p)
{
	bool raw = slice_has_prefix(p->rest, "r#");
	size_t n = raw ? 2 : 0;

	if (n == p->rest.n || !is_ident_start(p->rest.p[n])) {
		fail(p, raw ? "expected an identifier after `r#`" : "unexpected character");
		return TOKEN_BAD;
	}
	while (n < p->rest.n && (is_ident_start(p->rest.p[n]) || scan_is_digit(p->rest.p[n])))
		n++;
	/* a raw identifier is never an operator or a keyword: its name is not looked at */
	p->text = slice_of(p->rest.p, raw ? 0 : n);
	scan_skip(&p->rest, n);
	return TOKEN_IDENT;
}

/* Strings know no escapes: the next quotation mark ends them. */
static enum token
take_string(struct parser *p)
{
	const char *end;

	scan_skip(&p->rest, 1);
	end = p->rest.n > 0 ? memchr(p->rest.p, '"', p->rest.n) : NULL;
	if (end == NULL) {
		fail(p, "unterminated string");
		return TOKEN_BAD;
	}
	scan_skip(&p->rest, (size_t)(end - p->rest.p) + 1);
	return TOKEN_STRING;
}

static void
next(struct parser *p)
{
	static const struct {
		char c;
		enum token token;
	} marks[] = {
		{ '(', TOKEN_OPEN },
		{ ')', TOKEN_CLOSE },
		{ ',', TOKEN_COMMA },
		{ '=', TOKEN_EQUALS },
	};

	scan_blanks(&p->rest);
	if (p->rest.n == 0) {
		p->token = TOKEN_END;
		return;
	}
	for (size_t i = 0; i < sizeof(marks) / sizeof(*marks); i++) {
		if (scan_char(&p->rest, marks[i].c)) {
			p->token = marks[i].token;
			return;
		}
	}
	p->token = p->rest.p[0] == '"' ? take_string(p) : take_ident(p);
}

static bool
accept(struct parser *p, enum token token)
{
	if (p->token != token)
		return false;
	next(p);
	return true;
}

/* Expressions joined by commas, one of which may be the last thing before the `)`. */
static bool
parse_list(struct parser *p, int depth)
{
	while (!accept(p, TOKEN_CLOSE)) {
		if (!parse_expr(p, depth))
			return false;
		if (!accept(p, TOKEN_COMMA))
			return accept(p, TOKEN_CLOSE) || fail(p, "expected `,` or `)`");
	}
	return true;
}

static bool
parse_single(struct parser *p, int depth)
{
	return parse_expr(p, depth) && (accept(p, TOKEN_CLOSE) || fail(p, "expected `)`"));
}

static bool
parse_expr(struct parser *p, int depth)
{
	static const struct {
		const char *name;
		bool (*parse)(struct parser *, int depth);
	} operators[] = {
		{ "all", parse_list },
		{ "any", parse_list },
		{ "not", parse_single },
	};
	struct slice name = p->text;

	if (!accept(p, TOKEN_IDENT))
		return fail(p, "expected an identifier, `all`, `any` or `not`");
	for (size_t i = 0; i < sizeof(operators) / sizeof(*operators); i++) {
		if (!slice_is(name, operators[i].name))
			continue;
		if (depth == CFG_EXPR_DEPTH_MAX)
			return fail(p, "it is nested too deeply");
		return (accept(p, TOKEN_OPEN) || fail(p, "expected `(`")) &&
		       operators[i].parse(p, depth + 1);
	}
	if (accept(p, TOKEN_EQUALS))
		return accept(p, TOKEN_STRING) || fail(p, "expected a string after `=`");
	return true;
}

/* What cargo says of a name that is no cfg(...): letters, digits and `_-.`. */
static bool
is_triple(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (!scan_is_alnum(s.p[i]) && (s.p[i] == '\0' || strchr("_-.", s.p[i]) == NULL))
			return false;
	}
	return s.n > 0;
}

int
cfg_expr_check(struct slice target, struct err *err)
{
	struct parser p = { .rest = target };

	if (!slice_has_prefix(target, "cfg(") || target.p[target.n - 1] != ')') {
		if (is_triple(target))
			return 0;
		fail(&p, "expected the triple of a platform or `cfg(...)`");
	} else {
		p.rest = slice_of(target.p + 4, target.n - 5);
		next(&p);
		if (parse_expr(&p, 0) &&
		    (p.token == TOKEN_END || fail(&p, "unexpected text at the end")))
			return 0;
	}
	return err_set(
	    err, 400, "\"%.*s\" is an invalid target: %s", excerpt(target), target.p, p.why);
}
