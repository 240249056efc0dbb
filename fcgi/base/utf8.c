#include "base/utf8.h"

size_t
utf8_decode(const char *p, size_t n, uint32_t *cp)
{
	/* by the number of leading one bits: length, payload of the first byte, smallest value */
	static const struct {
		unsigned char mask, lead;
		size_t length;
		uint32_t least;
	} forms[] = {
		{ 0x80, 0x00, 1, 0 },
		{ 0xe0, 0xc0, 2, 0x80 },
		{ 0xf0, 0xe0, 3, 0x800 },
		{ 0xf8, 0xf0, 4, 0x10000 },
	};
	unsigned char first = (unsigned char)p[0];

	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		uint32_t value;

		if ((first & forms[i].mask) != forms[i].lead)
			continue;
		if (n < forms[i].length)
			return 0;
		value = first & (unsigned char)~forms[i].mask;
		for (size_t k = 1; k < forms[i].length; k++) {
			unsigned char next = (unsigned char)p[k];

			if ((next & 0xc0) != 0x80)
				return 0;
			value = value << 6 | (next & 0x3f);
		}
		if (value < forms[i].least || value > 0x10ffff ||
		    (value >= 0xd800 && value <= 0xdfff))
			return 0;
		*cp = value;
		return forms[i].length;
	}
	return 0;
}

size_t
utf8_encode(uint32_t cp, char out[4])
{
	if (cp < 0x80) {
		out[0] = (char)cp;
		return 1;
	}
	if (cp < 0x800) {
		out[0] = (char)(0xc0 | cp >> 6);
		out[1] = (char)(0x80 | (cp & 0x3f));
		return 2;
	}
	if (cp < 0x10000) {
		out[0] = (char)(0xe0 | cp >> 12);
		out[1] = (char)(0x80 | (cp >> 6 & 0x3f));
		out[2] = (char)(0x80 | (cp & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | cp >> 18);
	out[1] = (char)(0x80 | (cp >> 12 & 0x3f));
	out[2] = (char)(0x80 | (cp >> 6 & 0x3f));
	out[3] = (char)(0x80 | (cp & 0x3f));
	return 4;
}

bool
utf8_valid(struct slice s)
{
	for (size_t i = 0; i < s.n;) {
		uint32_t cp;
		size_t n = utf8_decode(s.p + i, s.n - i, &cp);

		if (n == 0)
			return false;
		i += n;
	}
	return true;
}

size_t
utf8_reorders(const char *p, size_t n, uint32_t *cp)
{
	enum { EMBEDDING = 0x202a, OVERRIDE = 0x202e, ISOLATE = 0x2066, ISOLATE_END = 0x2069, LEAD = 0xe2 };
	size_t length = n > 0 && (unsigned char)p[0] == LEAD ? utf8_decode(p, n, cp) : 0;

	return length > 0 && ((*cp >= EMBEDDING && *cp <= OVERRIDE) || (*cp >= ISOLATE && *cp <= ISOLATE_END))
	    ? length
	    : 0;
}

size_t
utf8_length(struct slice s)
{
	size_t count = 0;

	for (size_t i = 0; i < s.n; i++)
		count += ((unsigned char)s.p[i] & 0xc0) != 0x80;
	return count;
}
