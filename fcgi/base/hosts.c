#include "base/hosts.h"

#include <string.h>
#include <strings.h>

#include "base/cidr.h"
#include "base/words.h"

enum { NAME_MAX_BYTES = 253 };

/* The text of a word, for functions that take no slice. */
struct text {
	char p[NAME_MAX_BYTES + 1];
};

static bool
text_set(struct text *t, struct slice s)
{
	if (s.n > NAME_MAX_BYTES)
		return false;
	memcpy(t->p, s.p, s.n);
	t->p[s.n] = '\0';
	return true;
}

/* ".example.com" and "example.com." are the same name. */
static struct slice
without_dot(struct slice name)
{
	if (name.n > 1 && name.p[0] == '.')
		name = slice_of(name.p + 1, name.n - 1);
	if (name.n > 1 && name.p[name.n - 1] == '.')
		name.n--;
	return name;
}

/* A name that has no letter is an address with a mistake in it. */
static bool
is_name(struct text *t)
{
	static const char bytes[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";

	return t->p[0] != '.' && t->p[0] != '-' && t->p[strspn(t->p, bytes)] == '\0' &&
	    strstr(t->p, "..") == NULL && t->p[strspn(t->p, "0123456789.")] != '\0';
}

bool
hosts_valid(const char *list)
{
	struct slice word;
	struct text t;

	while (words_next(&list, &word)) {
		if (!text_set(&t, word))
			return false;
		if (cidr_list_valid(t.p))
			continue;
		if (!text_set(&t, without_dot(word)) || !is_name(&t))
			return false;
	}
	return true;
}

/* Is it that name, or one below it? */
static bool
is_below(struct slice host, struct slice name)
{
	size_t above = host.n - name.n;

	return host.n >= name.n && strncasecmp(host.p + above, name.p, name.n) == 0 &&
	    (above == 0 || host.p[above - 1] == '.');
}

bool
hosts_include(const char *list, struct slice host)
{
	struct slice word;
	struct text t;

	if (host.n > 2 && host.p[0] == '[')
		host = slice_of(host.p + 1, host.n - 2);
	/* "ci.example.com." is the same host */
	if (host.n > 1 && host.p[host.n - 1] == '.')
		host.n--;
	if (!text_set(&t, host))
		return false;
	if (cidr_list_has(list, t.p))
		return true;
	while (words_next(&list, &word)) {
		if (is_below(host, without_dot(word)))
			return true;
	}
	return false;
}
