#include "base/cidr.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/words.h"

enum { BYTES = 16, IPV4_AT = 12, IPV4_BITS = 32, IPV6_BITS = 128 };

/* IPv4 addresses are those of ::ffff:0:0/96. */
struct cidr {
	unsigned char address[BYTES];
	unsigned bits; /* of the prefix */
};

/* A decimal number without needless zeros, at most max. */
static bool
prefix_parse(struct slice s, unsigned max, unsigned *out)
{
	unsigned n = 0;

	if (s.n == 0 || s.n > 3 || (s.n > 1 && s.p[0] == '0'))
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		n = n * 10 + (unsigned)(s.p[i] - '0');
	}
	*out = n;
	return n <= max;
}

/* The address alone; *bits is how many it has. */
static bool
address_parse(struct slice s, unsigned char out[BYTES], unsigned *bits)
{
	char text[INET6_ADDRSTRLEN];

	if (s.n >= sizeof(text) || memchr(s.p, '\0', s.n) != NULL)
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	memset(out, 0, BYTES);
	*bits = IPV4_BITS;
	if (inet_pton(AF_INET, text, out + IPV4_AT) == 1) {
		out[IPV4_AT - 1] = out[IPV4_AT - 2] = 0xff;
		return true;
	}
	*bits = IPV6_BITS;
	return inet_pton(AF_INET6, text, out) == 1;
}

static bool
is_set(const unsigned char address[BYTES], unsigned bit)
{
	return (address[bit / 8] & (0x80 >> bit % 8)) != 0;
}

static bool
cidr_parse(struct slice word, struct cidr *c)
{
	const char *slash = memchr(word.p, '/', word.n);
	size_t n = slash != NULL ? (size_t)(slash - word.p) : word.n;
	unsigned bits;

	if (!address_parse(slice_of(word.p, n), c->address, &bits))
		return false;
	c->bits = bits;
	if (slash != NULL && !prefix_parse(slice_of(slash + 1, word.n - n - 1), bits, &c->bits))
		return false;
	c->bits += IPV6_BITS - bits;
	for (unsigned i = c->bits; i < IPV6_BITS; i++) {
		if (is_set(c->address, i))
			return false;
	}
	return true;
}

/* Are the first so many bits the same? */
static bool
is_alike(const unsigned char a[BYTES], const unsigned char b[BYTES], unsigned bits)
{
	unsigned i = 0;

	while (i < bits && is_set(a, i) == is_set(b, i))
		i++;
	return i == bits;
}

static bool
cidr_has(const struct cidr *c, const unsigned char address[BYTES])
{
	return is_alike(c->address, address, c->bits);
}

bool
cidr_list_valid(const char *list)
{
	struct slice word;
	struct cidr c;

	while (words_next(&list, &word)) {
		if (!cidr_parse(word, &c))
			return false;
	}
	return true;
}

bool
cidr_list_has(const char *list, const char *address)
{
	unsigned char bytes[BYTES];
	struct slice word;
	struct cidr c;
	unsigned bits;

	if (!address_parse(slice_str(address), bytes, &bits))
		return false;
	while (words_next(&list, &word)) {
		if (cidr_parse(word, &c) && cidr_has(&c, bytes))
			return true;
	}
	return false;
}

bool
cidr_is_wide(const char *network)
{
	enum { IPV4_AS_IPV6 = IPV6_BITS - IPV4_BITS };
	static const struct {
		unsigned char address[BYTES];
		unsigned bits; /* the addresses that the rule is for */
		unsigned least; /* bits of a prefix */
	} rules[] = {
		{ { [IPV4_AT - 2] = 0xff, 0xff }, IPV4_AS_IPV6, IPV4_AS_IPV6 + 8 },
		{ { 0xfc }, 7, 7 },
		{ { 0 }, 0, 16 },
	};
	struct cidr c;

	if (!cidr_parse(slice_str(network), &c))
		return false;
	for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++) {
		unsigned common = rules[i].bits < c.bits ? rules[i].bits : c.bits;

		/* a wider one that holds all of the rule's addresses is for the rule as well */
		if (is_alike(c.address, rules[i].address, common))
			return c.bits < rules[i].least;
	}
	return false;
}
