#include "store/db/db.h"

#include <stdlib.h>
#include <string.h>

#include <libpq-fe.h>

#define MASK "****"

int
db_check_conninfo(const char *conninfo, struct err *err)
{
	PQconninfoOption *parsed = PQconninfoParse(conninfo, NULL);
	bool good = parsed != NULL;

	PQconninfoFree(parsed);
	/* what is neither URL nor `key=value` is the name of a database */
	if (good || (strchr(conninfo, '=') == NULL && strstr(conninfo, "://") == NULL))
		return 0;
	return err_internal(err, 500, "database: malformed connection string");
}

/* Is the value a secret?  libpq marks only what a form should hide while one types. */
static bool
is_secret(const PQconninfoOption *o)
{
	static const char *const others[] = { "oauth_client_secret", "scram_client_key", "scram_server_key" };

	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		if (strcmp(o->keyword, others[i]) == 0)
			return true;
	}
	return o->dispchar[0] == '*';
}

/* A name of a database that is a connection string itself may have any secret in it. */
static bool
is_nested(const PQconninfoOption *o)
{
	return strcmp(o->keyword, "dbname") == 0 && strpbrk(o->val, "=:") != NULL;
}

static bool
has_secret(const PQconninfoOption *options)
{
	for (const PQconninfoOption *o = options; o->keyword != NULL; o++) {
		if (o->val != NULL && (is_secret(o) || is_nested(o)))
			return true;
	}
	return false;
}

static void
put_value(FILE *f, const char *value)
{
	if (value[0] != '\0' && strpbrk(value, " \t\n\r\f\v'\\") == NULL) {
		fputs(value, f);
		return;
	}
	fputc('\'', f);
	for (; *value != '\0'; value++) {
		if (*value == '\'' || *value == '\\')
			fputc('\\', f);
		fputc(*value, f);
	}
	fputc('\'', f);
}

static void
put_options(FILE *f, const PQconninfoOption *options)
{
	const char *between = "";

	for (const PQconninfoOption *o = options; o->keyword != NULL; o++) {
		if (o->val == NULL)
			continue;
		fprintf(f, "%s%s=", between, o->keyword);
		put_value(f, is_secret(o) || is_nested(o) ? MASK : o->val);
		between = " ";
	}
}

void
db_print_conninfo(FILE *f, const char *conninfo)
{
	PQconninfoOption *options = PQconninfoParse(conninfo, NULL);

	/* never the text itself with the secret cut out: it may have one that a later one replaces */
	if (options == NULL)
		fputs(MASK, f);
	else if (has_secret(options))
		put_options(f, options);
	else
		fputs(conninfo, f);
	PQconninfoFree(options);
}

const char *
db_conninfo_split(struct arena *a, const char *conninfo, const char **password)
{
	PQconninfoOption *options = PQconninfoParse(conninfo, NULL);
	char *text = NULL;
	const char *open;
	FILE *f;
	size_t n;

	*password = NULL;
	/* the name of a database, or what its user will be told is wrong */
	if (options == NULL)
		return conninfo;
	for (PQconninfoOption *o = options; o->keyword != NULL; o++) {
		if (strcmp(o->keyword, "password") == 0 && o->val != NULL) {
			*password = arena_strdup(a, o->val);
			explicit_bzero(o->val, strlen(o->val));
			free(o->val);
			o->val = NULL;
		}
	}
	if (*password == NULL && !has_secret(options)) {
		PQconninfoFree(options);
		return conninfo;
	}
	f = open_memstream(&text, &n);
	if (f == NULL)
		abort();
	put_options(f, options);
	if (fclose(f) == EOF)
		abort();
	open = arena_strdup(a, text);
	free(text);
	PQconninfoFree(options);
	return open;
}
