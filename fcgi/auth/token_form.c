#include "auth/token_form.h"

#include <string.h>

#include "access/naming.h"
#include "access/token_words.h"
#include "base/buf.h"
#include "base/date.h"

int
token_form_read(struct params *p, struct token_form *f)
{
	*f = (struct token_form) { "", "", "", "", "" };
	if (params_str(p, "name", &f->name) == -1 || params_str(p, "scope", &f->scope) == -1 ||
	    params_str(p, "expires", &f->expires) == -1 ||
	    params_str(p, "crates", &f->crates) == -1)
		return -1;
	return params_words(p, "operations", &f->operations);
}

/* People put blanks between names as well as commas. */
static const char *
with_commas(struct arena *a, const char *crates)
{
	struct buf b;

	buf_init(&b, a, strlen(crates) + 1);
	for (;;) {
		size_t n;

		crates += strspn(crates, ", \t\r\n");
		n = strcspn(crates, ", \t\r\n");
		if (n == 0)
			return buf_str(&b);
		if (b.n > 0)
			buf_putc(&b, ',');
		buf_put(&b, crates, n);
		crates += n;
	}
}

static int
check_limits(struct arena *a, const struct token_form *f, struct token_new *t, struct err *err)
{
	const char *crates = with_commas(a, f->crates);

	/* a form without a limit sends an empty field; separators alone are a mistake */
	if (f->crates[0] != '\0' && crates[0] == '\0')
		return err_set(err, 400, "give the name of a crate between the separators");
	if (crates[0] == '\0' && f->operations[0] == '\0')
		return 0;
	if (strcmp(t->scopes, "api") != 0)
		return err_set(err, 400, "a read-only token has no limits; leave them empty");
	if (crates[0] != '\0' && token_words_crates(a, crates, &t->crates, err) == -1)
		return -1;
	if (f->operations[0] == '\0')
		return 0;
	return token_words_parse(a, &token_words_operations, f->operations, &t->operations, err);
}

int
token_form_check(struct arena *a, const struct token_form *f, int64_t now, struct token_new *t,
    struct err *err)
{
	*t = (struct token_new) { .name = f->name };
	if (f->name[0] == '\0')
		return err_set(err, 400, "give the token a name that you will recognize");
	if (f->scope[0] == '\0')
		return err_set(err, 400, "choose what the token may do: api or read_api");
	if (naming_check_text("name", f->name, err) == -1 ||
	    token_words_parse(a, &token_words_personal, f->scope, &t->scopes, err) == -1 ||
	    (f->expires[0] != '\0' && date_parse_end(f->expires, now, &t->expires_at, err) == -1))
		return -1;
	return check_limits(a, f, t, err);
}

static bool
is_read(const char *name, const char *const *reads)
{
	while (*reads != NULL && strcmp(*reads, name) != 0)
		reads++;
	return *reads != NULL;
}

int
token_form_refuse_limits(struct params *p, const char *const *reads)
{
	static const struct {
		const char *name;
		bool is_list; /* a route that reads it reads `name[]`, too */
	} limits[] = { { "scope", false }, { "scopes", true }, { "crates", true }, { "operations", true },
		{ "expires", false }, { "expires_at", false }, { "expires_in", false }, { "ttl", false } };

	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++) {
		const char *name = limits[i].name;
		bool reads_it = is_read(name, reads);

		if ((!reads_it && params_refuse(p, name) == -1) ||
		    (!(reads_it && limits[i].is_list) &&
		        params_refuse(p, arena_printf(p->rq->arena, "%s[]", name)) == -1))
			return -1;
	}
	return 0;
}
