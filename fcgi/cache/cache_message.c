#include "cache/cache_message.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/base62.h"

/* The text after the letter. */
enum form { NOTHING, NUMBER, NUMBER_NAME, HANDLE };

static const struct {
	char letter;
	enum cache_message_kind kind;
	enum form form;
} kinds[] = {
	{ 'i', CACHE_INDEX, NUMBER_NAME },
	{ 'c', CACHE_CRATE, NUMBER_NAME },
	{ 'p', CACHE_PROJECT, NUMBER },
	{ 't', CACHE_TOKEN, HANDLE },
	{ 'e', CACHE_EPOCH, NOTHING },
	{ 's', CACHE_SYNC, NUMBER },
	{ 'h', CACHE_PROBE, NUMBER },
};

static bool
take_handle(const char *text, struct cache_message *m)
{
	/* `anyone` is no token, nor is an address: only an epoch ends their grants */
	if (strlen(text) != TOKEN_HANDLE_SIZE - 1 || !base62_valid(slice_str(text)))
		return false;
	memcpy(m->who.name, text, TOKEN_HANDLE_SIZE);
	return true;
}

/* Checks the name, which becomes part of a path. */
static bool
take_number(const char *text, bool named, struct cache_message *m)
{
	struct err wrong;
	char *end;

	errno = 0;
	m->id = strtoll(text, &end, 10);
	if (*text < '1' || *text > '9' || errno != 0 || *end != (named ? ' ' : '\0'))
		return false;
	if (!named)
		return true;
	if (crate_name_check(slice_str(end + 1), "crate", &wrong) == -1)
		return false;
	memcpy(m->name, end + 1, strlen(end + 1));
	return true;
}

bool
cache_message_parse(const char *text, struct cache_message *m)
{
	size_t i = 0;

	*m = (struct cache_message) { .kind = CACHE_EPOCH };
	while (i < sizeof(kinds) / sizeof(*kinds) && kinds[i].letter != text[0])
		i++;
	if (i == sizeof(kinds) / sizeof(*kinds))
		return false;
	m->kind = kinds[i].kind;
	if (kinds[i].form == NOTHING)
		return text[1] == '\0';
	if (text[1] != ' ')
		return false;
	return kinds[i].form == HANDLE ? take_handle(text + 2, m)
				       : take_number(text + 2, kinds[i].form == NUMBER_NAME, m);
}
