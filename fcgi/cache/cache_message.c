#include "cache/cache_message.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/base62.h"
#include "base/hex.h"

/* The text after the letter. */
enum form { NOTHING, NUMBER, NUMBER_NAME, NUMBER_NODE, HANDLE };

static const struct {
	char letter;
	enum cache_message_kind kind;
	enum form form;
} kinds[] = {
	{ 'i', CACHE_INDEX, NUMBER_NAME },
	{ 'c', CACHE_CRATE, NUMBER_NAME },
	{ 'p', CACHE_PROJECT, NUMBER },
	{ 'v', CACHE_VIEW, NUMBER },
	{ 'w', CACHE_VIEW_GRANTS, NUMBER },
	{ 't', CACHE_TOKEN, HANDLE },
	{ 'e', CACHE_EPOCH, NOTHING },
	{ 's', CACHE_SYNC, NUMBER_NODE },
	{ 'a', CACHE_ACKNOWLEDGED, NUMBER_NODE },
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
take_name(const char *text, struct cache_message *m)
{
	struct err wrong;

	if (crate_name_check(slice_str(text), "crate", &wrong) == -1)
		return false;
	memcpy(m->name, text, strlen(text));
	return true;
}

static bool
take_node(const char *text, struct cache_message *m)
{
	unsigned char id[(CACHE_NODE_SIZE - 1) / 2];

	if (!hex_decode(slice_str(text), id, sizeof(id)))
		return false;
	memcpy(m->node, text, CACHE_NODE_SIZE);
	return true;
}

/* A number, and what the form has behind it. */
static bool
take_number(const char *text, enum form form, struct cache_message *m)
{
	char *end;

	errno = 0;
	m->id = strtoll(text, &end, 10);
	if (*text < '1' || *text > '9' || errno != 0)
		return false;
	if (*end == '\0')
		return form == NUMBER || (form == NUMBER_NODE && m->kind == CACHE_SYNC);
	if (*end != ' ' || form == NUMBER)
		return false;
	return form == NUMBER_NAME ? take_name(end + 1, m) : take_node(end + 1, m);
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
				       : take_number(text + 2, kinds[i].form, m);
}
